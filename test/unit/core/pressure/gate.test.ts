import { describe, expect, it } from 'vitest';
import { nextBelow } from '../../../../src/core/limiter/instants.ts';
import { PressureGate } from '../../../../src/core/pressure/gate.ts';
import { STALE_AFTER_MS, UNKNOWN_PRESSURE } from '../../../../src/core/pressure/gauge.ts';
import { RESOURCES, type Resource, type ResourcesConfig } from '../../../../src/core/pressure/resources.ts';

const CONFIG = {
  cpu: { degrade: 0.8, close: 0.9, window: 5000 },
  heap: { degrade: 0.75, close: 0.85 },
  memory: { degrade: 0.8, close: 0.9 },
  event_loop: { degrade: 50, close: 200 },
  reopen_after: 5000,
} satisfies ResourcesConfig;

const PERIOD_MS = 250;
const CALM: Readonly<Record<Resource, number>> = { cpu: 0.2, heap: 0.3, memory: 0.4, event_loop: 11 };

/** A gate whose samplers all run, each calm unless told otherwise. */
class Node {
  readonly gate: PressureGate;
  now = 1000;
  values = { ...CALM };
  failing = new Map<Resource, string>();
  silent = new Set<Resource>();

  constructor(config = CONFIG) {
    this.gate = new PressureGate(config, this.now);
  }

  /** Passes so many sample periods with these values. */
  run(periods: number, values: Partial<Record<Resource, number>> = {}): this {
    Object.assign(this.values, values);
    for (let i = 0; i < periods; i++) {
      this.now += PERIOD_MS;
      for (const resource of RESOURCES) {
        const cause = this.failing.get(resource);
        if (cause !== undefined) this.gate.fail(resource, cause, this.now);
        else if (!this.silent.has(resource)) this.gate.sample(resource, this.values[resource], this.now);
      }
    }
    return this;
  }

  shown(resource: Resource) {
    const found = this.gate.snapshot(this.now).resources.find((shown) => shown.resource === resource);
    if (found === undefined) throw new Error(`no ${resource}`);
    return found;
  }

  refusal() {
    const denial = this.gate.check(this.now, false);
    if (denial === null) throw new Error('the gate is open');
    return denial;
  }
}

describe('levels', () => {
  it('are nominal at ease, elevated from degrade on, critical from close on', () => {
    const node = new Node().run(40);
    expect(node.gate.level(node.now)).toBe('nominal');
    expect(node.gate.pressure(node.now)).toBe(0);
    node.run(40, { memory: 0.85 });
    expect(node.shown('memory')).toMatchObject({ value: 0.85, state: 'elevated', cause: null });
    expect(node.shown('memory').pressure).toBeCloseTo(0.5, 9);
    expect(node.gate.pressure(node.now)).toBeCloseTo(0.5, 9);
    expect(node.gate.check(node.now, false)).toBeNull();
    node.run(40, { memory: 0.9 });
    expect(node.shown('memory')).toMatchObject({ state: 'critical', pressure: 1 });
    expect(node.gate.level(node.now)).toBe('critical');
  });

  it('rise with two samples, and with one alone do not', () => {
    for (const resource of RESOURCES) {
      const node = new Node().run(40);
      node.run(1, { [resource]: CONFIG[resource].close }).run(1, CALM);
      expect(node.gate.check(node.now, false)).toBeNull();
      node.run(2, { [resource]: CONFIG[resource].close });
      expect(node.refusal().reason).toBe(`resource_${resource}`);
    }
  });

  it('do not rise at single collections of garbage, however often they come', () => {
    const node = new Node();
    for (let i = 0; i < 200; i++) node.run(1, { event_loop: 120 }).run(5, { event_loop: 12 });
    expect(node.gate.level(node.now)).toBe('nominal');
  });

  it('stay between the marks where they were: up below close, down above the mark to leave', () => {
    const node = new Node().run(40, { memory: 0.89 });
    expect(node.gate.level(node.now)).toBe('elevated');
    node.run(2, { memory: 0.95 }).run(400, { memory: 0.86 });
    expect(node.gate.level(node.now)).toBe('critical');
    node.run(40, { memory: 0.84 });
    expect(node.gate.level(node.now)).toBe('elevated');
    node.run(400, { memory: 0.76 });
    expect(node.gate.level(node.now)).toBe('elevated');
    node.run(40, { memory: 0.74 });
    expect(node.gate.level(node.now)).toBe('nominal');
  });

  it('say since when', () => {
    const node = new Node().run(40);
    const before = node.now;
    node.run(8, { heap: 0.95 });
    expect(node.shown('heap')).toMatchObject({ state: 'critical', since: before + 2 * PERIOD_MS });
    expect(node.gate.snapshot(node.now).changes).toBeGreaterThan(0);
  });
});

describe('a refusal', () => {
  it('names the resource, its mark and what was seen', () => {
    expect(new Node().run(40).run(8, { event_loop: 340 }).refusal()).toEqual({
      allowed: false,
      reason: 'resource_event_loop',
      scope: 'resource',
      key: 'event_loop',
      limit: 200,
      observed: 340,
      windowMs: 1000,
      retryAfterMs: 5000,
    });
  });

  it('names the worst of several, and waits for the last of them', () => {
    const node = new Node().run(40).run(8, { memory: 0.99, cpu: 1 }).run(4, { memory: 0.5, cpu: 0.95 });
    expect(node.refusal()).toMatchObject({ reason: 'resource_cpu', retryAfterMs: 5000 });
  });

  it('promises the very instant the gate opens', () => {
    const node = new Node().run(40).run(8, { heap: 0.95 }).run(7, { heap: 0.3 });
    const { retryAfterMs } = node.refusal();
    expect(retryAfterMs).toBeLessThan(5000);
    const opensAt = node.now + retryAfterMs;
    expect(node.gate.check(nextBelow(opensAt), false)).not.toBeNull();
    expect(node.gate.check(opensAt, false)).toBeNull();
    expect(node.gate.snapshot(nextBelow(opensAt))).toMatchObject({ open: false, state: 'critical' });
    expect(node.gate.snapshot(opensAt)).toMatchObject({ open: true, reopensInMs: 0 });
  });

  it('keeps a promise made under load when the load ends at once', () => {
    const node = new Node().run(40).run(8, { memory: 0.99 });
    const opensAt = node.now + node.refusal().retryAfterMs;
    // The mean of the last second is above the mark for a few samples more, which is load still seen.
    while (node.now < opensAt) node.run(1, { memory: 0.2 });
    const { retryAfterMs } = node.gate.check(node.now, false) ?? { retryAfterMs: 0 };
    expect(retryAfterMs).toBeLessThanOrEqual(1000);
  });

  it('spares addresses that are never limited', () => {
    const node = new Node().run(40).run(8, { cpu: 1 });
    expect(node.gate.check(node.now, true)).toBeNull();
  });
});

describe('a sampler', () => {
  it('that has not spoken yet makes its resource elevated', () => {
    const gate = new PressureGate(CONFIG, 0);
    expect(gate.level(0)).toBe('elevated');
    expect(gate.check(0, false)).toBeNull();
    expect(gate.snapshot(0).resources[0]).toMatchObject({ value: null, cause: 'no sample yet' });
  });

  it('that fails makes its resource elevated, with its cause, and never at ease', () => {
    const node = new Node().run(40);
    node.failing.set('cpu', 'cpu.stat cannot be read');
    node.run(40);
    expect(node.shown('cpu')).toMatchObject({
      value: null,
      state: 'elevated',
      pressure: UNKNOWN_PRESSURE,
      cause: 'cpu.stat cannot be read',
    });
    expect(node.gate.check(node.now, false)).toBeNull();
  });

  it('that falls silent counts as failed once it is overdue', () => {
    const node = new Node().run(40);
    const last = node.now;
    node.silent.add('heap');
    node.run(STALE_AFTER_MS / PERIOD_MS - 1);
    expect(node.shown('heap').state).toBe('nominal');
    node.run(1);
    expect(node.now - last).toBe(STALE_AFTER_MS);
    expect(node.shown('heap')).toMatchObject({ state: 'elevated', value: null });
    expect(node.shown('heap').cause).toContain('no sample');
  });

  it('that fails while critical does not open the gate before its time, nor keep it shut for ever', () => {
    const node = new Node().run(40).run(8, { memory: 0.99 });
    const opensAt = node.now + node.refusal().retryAfterMs;
    node.failing.set('memory', 'gone');
    while (node.now < opensAt - PERIOD_MS) expect(node.run(1).gate.level(node.now)).toBe('critical');
    node.run(1);
    expect(node.gate.level(node.now)).toBe('elevated');
  });

  it('that comes and goes does not make the level flap', () => {
    const node = new Node().run(40);
    for (let i = 0; i < 60; i++) {
      node.failing.set('cpu', 'now and then');
      node.run(1);
      node.failing.clear();
      node.run(3);
    }
    expect(node.shown('cpu').state).toBe('elevated');
    expect(node.gate.gauge('cpu')!.changes).toBeLessThanOrEqual(3);
    node.run(25);
    expect(node.shown('cpu').state).toBe('nominal');
  });

  it.each([Number.NaN, -0.1, Number.POSITIVE_INFINITY])('that gives %d has failed', (value) => {
    expect(new Node().run(40, { cpu: value }).shown('cpu')).toMatchObject({
      state: 'elevated',
      cause: `the sampler gave ${value}`,
    });
  });

  it('whose clock was set back is believed again at once', () => {
    const node = new Node().run(40).run(8, { memory: 0.99 });
    node.now -= 3_600_000;
    node.run(30, CALM);
    expect(node.gate.level(node.now)).toBe('nominal');
    node.run(2, { memory: 0.99 });
    expect(node.gate.level(node.now)).toBe('critical');
  });
});

describe('a resource that is off', () => {
  const OFF = { cpu: null, heap: null, memory: null, event_loop: null, reopen_after: 5000 };

  it('is nominal for ever, whatever is said of it', () => {
    const gate = new PressureGate(OFF, 0);
    for (const resource of RESOURCES) gate.fail(resource, 'broken', 1000);
    for (const resource of RESOURCES) gate.sample(resource, 1e6, 2000);
    expect(gate.level(60_000)).toBe('nominal');
    expect(gate.check(60_000, false)).toBeNull();
    expect(gate.gauge('cpu')).toBeNull();
    expect(gate.snapshot(60_000)).toMatchObject({ state: 'nominal', pressure: 0, open: true, changes: 0 });
    expect(gate.snapshot(60_000).resources[0]).toEqual({
      resource: 'cpu',
      value: null,
      degrade: null,
      close: null,
      state: 'nominal',
      pressure: 0,
      since: 0,
      cause: null,
    });
  });

  it('opens the gate that it held shut, and keeps its changes counted', () => {
    const node = new Node().run(40).run(40, { memory: 0.95 });
    const { changes } = node.gate.snapshot(node.now);
    expect(node.refusal().reason).toBe('resource_memory');
    node.gate.configure({ ...CONFIG, memory: null }, node.now);
    expect(node.gate.check(node.now, false)).toBeNull();
    expect(node.shown('memory')).toMatchObject({ state: 'nominal', since: node.now });
    expect(node.gate.snapshot(node.now).changes).toBe(changes);
  });

  it('is unknown when it is turned on, until its sampler has spoken', () => {
    const gate = new PressureGate(OFF, 0);
    gate.configure({ ...OFF, heap: CONFIG.heap }, 1000);
    expect(gate.level(1000)).toBe('elevated');
    for (let now = 1250; now <= 5000; now += PERIOD_MS) gate.sample('heap', 0.1, now);
    expect(gate.level(5000)).toBe('nominal');
  });
});

describe('new watermarks', () => {
  it('apply to what is already known', () => {
    const node = new Node().run(40, { memory: 0.7 });
    node.gate.configure({ ...CONFIG, memory: { degrade: 0.5, close: 0.6 } }, node.now);
    node.run(1);
    expect(node.gate.level(node.now)).toBe('critical');
    node.gate.configure({ ...CONFIG, reopen_after: 1000 }, node.now);
    node.run(4);
    expect(node.gate.level(node.now)).not.toBe('critical');
  });

  it('with another window make nothing unknown', () => {
    for (const window of [500, 2000, 60_000]) {
      const node = new Node().run(40);
      node.gate.configure({ ...CONFIG, cpu: { ...CONFIG.cpu, window } }, node.now);
      expect(node.shown('cpu')).toMatchObject({ state: 'nominal', value: CALM.cpu, cause: null });
      node.run(4, { cpu: 1 }).run(240);
      expect(node.gate.level(node.now)).toBe('critical');
      expect(node.shown('cpu').value).toBe(1);
    }
  });

  it('must rise', () => {
    const wrong = { ...CONFIG, heap: { degrade: 0.9, close: 0.9 } };
    expect(() => new PressureGate(wrong, 0)).toThrow(RangeError);
  });
});

describe('what running streams are to feel', () => {
  it('is critical past the mark, and no longer while a resource is only held critical', () => {
    const node = new Node().run(40);
    expect(node.gate.urgency(node.now)).toBe('nominal');
    node.run(4, { memory: 0.95 });
    expect(node.gate.urgency(node.now)).toBe('critical');
    node.run(6, { memory: 0.86 });
    expect(node.gate.level(node.now)).toBe('critical');
    expect(node.gate.urgency(node.now)).toBe('elevated');
  });

  it('is not critical when nothing is known any more', () => {
    const node = new Node().run(40).run(4, { cpu: 1 });
    expect(node.gate.urgency(node.now)).toBe('critical');
    node.failing.set('cpu', 'gone');
    node.run(1);
    expect(node.gate.level(node.now)).toBe('critical');
    expect(node.gate.urgency(node.now)).toBe('elevated');
  });

  it('is nothing where all that is known is at ease, and that not all is known is said beside', () => {
    const node = new Node().run(40);
    expect(node.gate.isBlind(node.now)).toBe(false);
    node.failing.set('memory', 'gone');
    node.run(40);
    expect(node.gate.level(node.now)).toBe('elevated');
    expect(node.gate.urgency(node.now)).toBe('nominal');
    expect(node.gate.isBlind(node.now)).toBe(true);
    node.run(8, { cpu: 0.85 }).run(8);
    expect(node.gate.urgency(node.now)).toBe('elevated');
  });

  it('is over at the instant that is foretold, if all is calm from now on', () => {
    const node = new Node().run(40).run(4, { heap: 0.95 }).run(5, CALM);
    const calmInMs = node.gate.calmInMs(node.now);
    expect(calmInMs).toBeGreaterThan(0);
    const due = node.now + calmInMs;
    while (node.now + PERIOD_MS < due) {
      expect(node.gate.level(node.now)).not.toBe('nominal');
      node.run(1);
    }
    node.run(1);
    expect(node.gate.level(node.now)).toBe('nominal');
    expect(node.gate.calmInMs(node.now)).toBe(0);
  });
});
