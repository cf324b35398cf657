import { describe, expect, test } from 'vitest';
import { gateReading } from '../../../src/app/governance-view.ts';
import type { GovernorSnapshot } from '../../../src/core/pressure/governor-snapshot.ts';
import type { NodeSnapshot } from '../../../src/http/ports.ts';
import { findingsOf, type Scene } from '../../../web/overview/findings.ts';
import { nearestToClose } from '../../../web/overview/resource-words.ts';
import { streamSnapshot } from '../../contract/http-fixture.ts';
import { calmGovernor, pressedGovernor } from '../../support/governor-snapshot.ts';

const AT = '2026-11-20T21:45:00.000Z';

function nodeOf(governed: GovernorSnapshot, change: Partial<NodeSnapshot> = {}): NodeSnapshot {
  const gate = gateReading(governed, null);
  return {
    at: AT,
    about: { name: 'headgate', version: '1.0.0', node_id: 'n', started_at: AT },
    readiness: { ready: gate.open, reasons: gate.reasons, retry_after_ms: 0, config_error: null },
    totals: { streams: 2, bitrate_bps: 5e6, bytes: 1, packets_per_sec: 1, connections: 3 },
    limits: { max_connections: 1_000, max_streams: 500, max_bandwidth_bps: 2e9 },
    resources: {
      ...governed,
      gate,
      process: {
        pid: 1,
        uptime_ms: 1,
        cpu_seconds: 1,
        rss_bytes: 1,
        heap_used_bytes: 1,
        heap_limit_bytes: 1,
        external_bytes: 1,
        array_buffers_bytes: 1,
      },
      engine: {
        connections: 1,
        gop_bytes: 1,
        pending_bytes: 0,
        gop_evictions: 0,
        slab: { streams: 1, nodes: 1 },
      },
    },
    denied: {},
    ...change,
  };
}

function found(change: Partial<Scene>): string[] {
  const scene = { node: nodeOf(calmGovernor()), streams: [], refused: {}, orderedBy: null, ...change };
  return findingsOf(scene).map(({ tone, what }) => `${tone} ${what}`);
}

test('a calm node with streams within their limits has no finding', () => {
  expect(found({ streams: [streamSnapshot(1), streamSnapshot(2)] })).toEqual([]);
});

test('the worst stands first: the gate, what closed it, who is given up, then the rest', () => {
  const told = found({ node: nodeOf(pressedGovernor()) });
  expect(told[0]).toMatch(/^bad The gate is closed: newcomers are refused.*opens in 4\.2 s/);
  expect(told[1]).toMatch(/^bad CPU is at 93 %; 90 % is the mark at which the gate closes$/);
  expect(told[2]).toMatch(/^bad To keep the others alive streams are given up, from priority 10 upwards/);
  expect(told).toContainEqual(expect.stringMatching(/^warn Event loop delay is at 92 ms; 50 ms is the mark/));
  expect(told).toContainEqual(expect.stringMatching(/^warn Bandwidth .* held to 64 % .* because of cpu$/));
  const ranks = told.map((line) => ['bad', 'warn', 'info'].indexOf(line.split(' ', 1)[0]!));
  expect(ranks).toEqual(ranks.toSorted());
});

test('every finding that asks for something says what to do', () => {
  const scene = {
    node: nodeOf(pressedGovernor()),
    streams: [],
    refused: { client_streams: 2 } as const,
    orderedBy: null,
  };
  for (const { what, advice, link } of findingsOf(scene))
    expect({ what, told: advice ?? link }).not.toMatchObject({ told: null });
});

test('a gate that is held closed says what it waits for, and nothing is past a mark that it is below', () => {
  const { cpu, event_loop, ...others } = pressedGovernor().resources;
  const fallen = pressedGovernor({
    resources: { ...others, cpu: { ...cpu, value: 0.73 }, event_loop: { ...event_loop, value: 1 } },
  });
  const told = found({ node: nodeOf(fallen) });
  expect(told).toContainEqual(
    'bad CPU was past 90 %, the mark at which the gate closes, and is at 73 % now: it must stay calm for 4.2 s before the gate opens',
  );
  expect(told).toContainEqual(
    'warn Event loop delay was past 50 ms and is at 1 ms now: it counts as elevated only until it has stayed calm for a while',
  );
});

describe('an order to shed', () => {
  function ordered(order: GovernorSnapshot['shedding']['order'], change: Partial<Scene> = {}) {
    const { shedding } = calmGovernor();
    const node = nodeOf(calmGovernor({ shedding: { ...shedding, order, active: order?.mode === 'shed' } }));
    return findingsOf({ node, streams: [], refused: {}, orderedBy: 'operator alice@192.0.2.1', ...change });
  }

  test('is told with whom it costs his stream, until when, by whom, and the way out', () => {
    const [told, ...more] = ordered({ mode: 'shed', below_priority: 50, until: AT });
    expect(told?.what).toMatch(
      /^Everybody below priority 50 is given up and refused until \d\d:\d\d:\d\d, by order of operator alice@192\.0\.2\.1$/,
    );
    expect(told?.advice).toBe('To take it back: the Order… button, or headgate backpressure auto');
    // The machine gives nobody up by itself.
    expect(more).toEqual([]);
  });

  test('without an end, of somebody unknown, to shed nobody', () => {
    const [told] = ordered({ mode: 'off', below_priority: null, until: null }, { orderedBy: null });
    expect(told?.what).toBe(
      'Nobody is given up when the machine runs short, until the next order, by order of an operator',
    );
  });
});

describe('the resource that is nearest to closing the gate', () => {
  const near = (governed: GovernorSnapshot) => nearestToClose(nodeOf(governed).resources);

  test('is told with its mark, by the part of its own mark that it uses', () => {
    expect(near(calmGovernor())).toMatchObject({
      value: 'Memory 55 %',
      of: 'of 90 %, where the gate closes',
    });
  });

  test('tells when a closed gate opens', () => {
    const { value, of } = near(pressedGovernor());
    expect(`${value} ${of}`).toBe('CPU 93 % of 90 %; gate closed, opens in 4.2 s if all stays calm');
  });

  test('nothing measured is not told as nothing used', () => {
    const off = { ...calmGovernor().resources.cpu, value: null, close: null };
    const none = near(calmGovernor({ resources: { cpu: off, heap: off, memory: off, event_loop: off } }));
    expect(none).toEqual({ value: 'Gate open', of: 'no resource is measured', used: null });
  });
});

describe('what needs a look', () => {
  const calm = nodeOf(calmGovernor());
  test.each<[string, Partial<Scene>, RegExp]>([
    [
      'a sampler that fails',
      {
        node: nodeOf(
          calmGovernor({
            resources: {
              ...calmGovernor().resources,
              cpu: { ...calmGovernor().resources.cpu, value: null, cause: 'no /proc' },
            },
          }),
        ),
      },
      /^warn CPU is not measured: no \/proc$/,
    ],
    [
      'a config that was not taken',
      { node: { ...calm, readiness: { ...calm.readiness, config_error: 'x.yaml:3:1 bad' } } },
      /^warn The last change of the config was refused: x\.yaml:3:1 bad$/,
    ],
    [
      'streams running out',
      { node: { ...calm, totals: { ...calm.totals, streams: 460 } } },
      /^warn 460 streams are live and 500 may be$/,
    ],
    [
      'connections running out',
      { node: { ...calm, totals: { ...calm.totals, connections: 900 } } },
      /^warn 900 connections are open and 1,000 may be$/,
    ],
    [
      'a shutdown',
      {
        node: nodeOf(calmGovernor(), {
          resources: { ...calm.resources, gate: gateReading(calmGovernor(), AT) },
        }),
      },
      /^bad The server shuts down/,
    ],
    [
      'one stream losing frames',
      { streams: [streamSnapshot(7, { state: 'dropping' })] },
      /^warn \/live\/cam7 is over a limit and losing video frames$/,
    ],
    [
      'some streams slowed down',
      { streams: [1, 2, 3].map((n) => streamSnapshot(n, { state: 'throttled' })) },
      /^info 3 streams are slowed down to a limit$/,
    ],
    [
      'refusals',
      { refused: { ip_connections: 2, client_streams: 9, denied: 1, cooldown: 1 } },
      /^info 13 refused in the last minute: client_streams 9, ip_connections 2, denied 1, \.\.\.$/,
    ],
  ])('%s', (_what, scene, pattern) => {
    const told = found(scene);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(pattern);
  });
});
