import { describe, expect, expectTypeOf, it } from 'vitest';
import { diffConfig, formatChange } from '../../../src/config/diff.ts';
import { loadText } from '../../../src/config/load.ts';
import { effectiveValues } from '../../../src/config/mask.ts';
import { formatProblem } from '../../../src/config/problem.ts';
import { type Config, defaultConfig } from '../../../src/config/schema.ts';
import { ADAPTIVE_SIGNALS, type AdaptiveSettings } from '../../../src/core/adaptive/adaptive-factor.ts';
import { PressureGate } from '../../../src/core/pressure/gate.ts';
import { DEFAULT_WINDOW_MS, RESOURCES, type ResourcesConfig } from '../../../src/core/pressure/resources.ts';
import type { ShedSettings } from '../../../src/core/shedding/shed-ladder.ts';

function load(text: string, env: Record<string, string> = {}) {
  const result = loadText(text, 'f.yaml', env);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result;
}

function problems(text: string, env: Record<string, string> = {}): string[] {
  const result = loadText(text, 'f.yaml', env);
  return result.ok ? [] : result.problems.map(formatProblem);
}

describe('resources, adaptive and backpressure as the rest of Headgate sees them', () => {
  it('speak the settings of core, key for key', () => {
    expectTypeOf<Config['resources']>().toExtend<ResourcesConfig>();
    expectTypeOf<Config['adaptive']>().toExtend<Omit<AdaptiveSettings, 'targets'>>();
    expectTypeOf<Config['backpressure']>().toExtend<ShedSettings>();
    const { resources, adaptive } = defaultConfig();
    expect(Object.keys(resources)).toEqual([...RESOURCES, 'reopen_after']);
    expect(Object.keys(adaptive.signals)).toEqual([...ADAPTIVE_SIGNALS]);
  });

  it('have the defaults of the product contract', () => {
    const { resources, adaptive, backpressure } = defaultConfig();
    expect(resources).toEqual({
      cpu: { degrade: 0.8, close: 0.9, window: 5000 },
      heap: { degrade: 0.75, close: 0.85, window: DEFAULT_WINDOW_MS },
      memory: { degrade: 0.8, close: 0.9, window: DEFAULT_WINDOW_MS },
      event_loop: { degrade: 50, close: 200, window: DEFAULT_WINDOW_MS },
      reopen_after: 5000,
    });
    expect(adaptive).toEqual({
      enabled: true,
      signals: { error_rate: 0.5, decision_latency: 20, event_loop: 100, cpu: null },
      decrease: 0.8,
      increase: 0.05,
      min: 0.3,
      max: 1,
      interval: 5000,
      hysteresis: 0.1,
    });
    expect(backpressure).toEqual({
      enabled: true,
      after: 10_000,
      interval: 2000,
      protected: 0.2,
      backoff: { min: 10_000, max: 300_000 },
      preempt: false,
      floor: 64_000,
    });
  });

  it('let each resource and each signal be off', () => {
    const { resources, adaptive } = load(
      'resources: { cpu: null, heap: ~ }\nadaptive: { signals: { cpu: null } }',
    ).config;
    expect(resources).toMatchObject({ cpu: null, heap: null, memory: { degrade: 0.8 } });
    expect(adaptive.signals).toMatchObject({ cpu: null, event_loop: 100 });
    expect(new PressureGate(resources, 0).gauge('cpu')).toBeNull();
  });

  it('fill what a resource leaves out from its defaults', () => {
    expect(load('resources: { cpu: { close: 95.5% } }').config.resources.cpu).toEqual({
      degrade: 0.8,
      close: 0.955,
      window: 5000,
    });
  });

  it.each([
    ['a mark', { HEADGATE_RESOURCES__CPU__CLOSE: '95%' }, { degrade: 0.8, close: 0.95, window: 5000 }],
    [
      'a resource',
      { HEADGATE_RESOURCES__CPU: '{ degrade: 50% }' },
      { degrade: 0.5, close: 0.9, window: 5000 },
    ],
    ['off', { HEADGATE_RESOURCES__CPU: 'null' }, null],
  ])('take %s from the environment', (_, env, cpu) =>
    expect(load('', env).config.resources.cpu).toEqual(cpu),
  );
});

describe('mistakes in resources, adaptive and backpressure', () => {
  it.each([
    [
      'marks in the wrong order',
      'resources:\n  cpu: { degrade: 95%, close: 90% }',
      'f.yaml:2:19 resources.cpu.degrade: 95% is not below close (90%)',
    ],
    [
      'equal marks',
      'resources:\n  event_loop: { degrade: 1s, close: 1000ms }',
      'f.yaml:2:26 resources.event_loop.degrade: 1s is not below close (1000ms)',
    ],
    [
      'a mark against the default of the other',
      'resources:\n  heap:\n    close: 60%',
      'f.yaml:3:12 resources.heap.close: 60% is not above degrade (75%, the default)',
    ],
    ['min above max', 'adaptive: { min: 60%, max: 50% }', 'f.yaml:1:18 adaptive.min: 60% is above max (50%)'],
    [
      'a wait that shrinks',
      'backpressure: { backoff: { max: 1s } }',
      'f.yaml:1:33 backpressure.backoff.max: 1s is below min (10s, the default)',
    ],
    [
      'a fraction for a percentage',
      'resources: { cpu: { degrade: 0.8 } }',
      'f.yaml:1:30 resources.cpu.degrade: 0.8 has no unit; did you mean 80%?',
    ],
    [
      'a number for a percentage',
      'resources: { cpu: { degrade: 80 } }',
      'f.yaml:1:30 resources.cpu.degrade: 80 has no unit; did you mean 80%?',
    ],
    [
      'more than everything',
      'resources: { memory: { close: 120% } }',
      'f.yaml:1:31 resources.memory.close: 120% is too large; the most is 100%',
    ],
    [
      'nothing at all',
      'adaptive: { increase: 0% }',
      'f.yaml:1:23 adaptive.increase: 0% is too small; the least is 0.1%',
    ],
    [
      'a time for a fraction',
      'resources: { cpu: { degrade: 80ms } }',
      'f.yaml:1:30 resources.cpu.degrade: 80ms has an unknown unit "ms" (upper and lower case differ); the units are %',
    ],
    [
      'another word for off',
      'resources:\n  cpu: off',
      'f.yaml:2:8 resources.cpu: is not a section; its keys stand below it, indented; null turns it off',
    ],
    [
      'another word for off at a signal',
      'adaptive: { signals: { cpu: off } }',
      'f.yaml:1:29 adaptive.signals.cpu: off is written null here',
    ],
    [
      'a yes',
      'backpressure: { preempt: yes }',
      'f.yaml:1:26 backpressure.preempt: yes is neither true nor false',
    ],
    [
      'a resource that does not exist',
      'resources: { disk: { degrade: 80% } }',
      'f.yaml:1:14 resources.disk: is not a known key; the keys of resources are cpu, heap, memory, event_loop, reopen_after',
    ],
    [
      'a typo',
      'backpresure: { enabled: false }',
      'f.yaml:1:1 backpresure: is not a known key; did you mean backpressure?',
    ],
  ])('%s', (_, text, problem) => expect(problems(text)).toEqual([problem]));

  it('name the variable that is to blame', () => {
    expect(problems('', { HEADGATE_RESOURCES__CPU__CLOSE: '70%' })).toEqual([
      'HEADGATE_RESOURCES__CPU__CLOSE resources.cpu.close: 70% is not above degrade (80%, the default)',
    ]);
  });

  it.each([
    [
      'resources: { cpu: ~, heap: ~, memory: ~, event_loop: ~ }',
      'f.yaml:1:1 backpressure.enabled: is true, but no resource is looked at: live streams are never lowered or cut',
    ],
    [
      'backpressure: { protected: 100% }',
      'f.yaml:1:28 backpressure.protected: is 100%, so no live stream is ever lowered or cut; to say so, set enabled to false',
    ],
    [
      'adaptive: { signals: { cpu: ~, event_loop: ~, error_rate: ~, decision_latency: ~ } }',
      'f.yaml:1:22 adaptive.signals: are all null: nothing is ever adapted; to say so, set enabled to false',
    ],
    [
      'adaptive: { min: 100% }',
      'f.yaml:1:18 adaptive.min: equals max, so nothing is ever adapted; to say so, set enabled to false',
    ],
  ])('are warned of when %s', (text, warning) =>
    expect(load(text).warnings.map(formatProblem)).toEqual([warning]),
  );
});

describe('a reload', () => {
  const changes = (before: string, after: string) => {
    const diff = diffConfig(load(before).config, load(after).config);
    return { sections: diff.sections, lines: diff.changes.map(formatChange) };
  };

  it('tells what changed, in words of the config, and needs no restart for it', () => {
    expect(
      changes(
        'adaptive: { min: 50% }',
        'resources: { cpu: null, heap: { close: 90% } }\nbackpressure: { backoff: { max: 10m } }',
      ),
    ).toEqual({
      sections: ['resources', 'adaptive', 'backpressure'],
      lines: [
        'resources.cpu: { degrade: 80%, close: 90%, window: 5s } -> off',
        'resources.heap: { degrade: 75%, close: 85%, window: 1s } -> { degrade: 75%, close: 90%, window: 1s }',
        'adaptive.min: 50% -> 30%',
        'backpressure.backoff.max: 5m -> 10m',
      ],
    });
  });
});

it('headgate check prints them with where they came from', () => {
  const { config, source } = load('resources: { cpu: { close: 95% } }\nadaptive: { signals: { cpu: null } }');
  const rows = effectiveValues(config, source).map(
    ({ path, value, origin }) => `${path} ${value} (${origin})`,
  );
  expect(rows).toContain('resources.cpu { degrade: 80%, close: 95%, window: 5s } (f.yaml:1)');
  expect(rows).toContain('adaptive.signals.cpu off (f.yaml:2)');
  expect(rows).toContain('backpressure.floor 64kbps (default)');
});
