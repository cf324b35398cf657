import { describe, expect, it } from 'vitest';
import { DEGRADATION_STEPS } from '../../../src/core/pressure/governor-snapshot.ts';
import { GOVERNOR_SETTINGS } from '../../support/governor-settings.ts';
import { adaptive, backpressure, Rig } from './governor-rig.ts';

const OFF = { cpu: null, heap: null, memory: null, event_loop: null, reopen_after: 5000 };

const stepsTaken = (rig: Rig) =>
  rig.governor
    .snapshot(rig.now)
    .steps.filter(({ active }) => active)
    .map(({ step }) => step);

describe('a governor that is told of a full machine', () => {
  it.each([
    ['cpu', 0.97],
    ['heap', 0.9],
    ['memory', 0.95],
    ['event_loop', 400],
  ] as const)('shuts the gate on %s, says so once, and opens it when that is over', (resource, value) => {
    const rig = new Rig().run(5000);
    expect(rig.governor.gate(rig.now, false)).toBe(null);
    rig.figures[resource] = value;
    rig.run(2000);
    const reason = `resource_${resource}`;
    expect(rig.governor.gate(rig.now, false)).toMatchObject({ reason, retryAfterMs: 5000 });
    expect(rig.governor.gate(rig.now, true)).toBe(null);
    const { gate, resources } = rig.governor.snapshot(rig.now);
    expect(gate).toMatchObject({ state: 'critical', open: false, reason, reopens_in_ms: 5000 });
    expect(resources[resource].state).toBe('critical');
    rig.figures[resource] = 0.1;
    rig.run(20_000);
    expect(rig.governor.gate(rig.now, false)).toBe(null);
    const states = rig.said('gate').map(({ facts }) => facts['state']);
    expect(states.filter((state) => state === 'closed')).toHaveLength(1);
    expect(states.at(-1)).toBe('open');
    expect(rig.governor.snapshot(rig.now).gate.since).toMatch(/^2026-11-20T21:30:1\d\.\d{3}Z$/);
  });

  it('names what presses, in words and in figures', () => {
    const rig = new Rig().run(5000);
    rig.figures.cpu = 0.97;
    rig.run(2000);
    expect(rig.said('gate').at(-1)).toMatchObject({
      detail: 'the gate is closed: cpu at 97 %, marks 80 % and 90 %',
      facts: { state: 'closed', reason: 'resource_cpu' },
    });
  });

  it('does without extras as long as anything is pressed', () => {
    const rig = new Rig().run(5000);
    expect(rig.extras).toEqual([]);
    rig.figures.cpu = 0.84;
    rig.run(10_000);
    expect(rig.extras).toEqual([false]);
    expect(stepsTaken(rig)).toEqual(['stop_extras', 'refuse_low_priority']);
    rig.figures.cpu = 0.2;
    rig.run(20_000);
    expect(rig.extras).toEqual([false, true]);
    expect(stepsTaken(rig)).toEqual([]);
  });

  it('lets everybody in when nothing is looked at', () => {
    const rig = new Rig({ resources: OFF, ...adaptive({ enabled: false }) });
    Object.assign(rig.figures, { cpu: 1, heap: 1, memory: 1, event_loop: 1e4 });
    rig.run(60_000);
    expect(rig.governor.gate(rig.now, false)).toBe(null);
    expect(rig.asks('/live/a', 0)).toBe(null);
    const { resources, gate } = rig.governor.snapshot(rig.now);
    expect(resources.cpu).toMatchObject({ value: null, degrade: null, close: null, state: 'nominal' });
    expect(gate.state).toBe('nominal');
  });

  it('lists what it does, mildest first', () => {
    const { steps } = new Rig().governor.snapshot(0);
    expect(steps.map(({ step }) => step)).toEqual(DEGRADATION_STEPS);
  });
});

describe('a source that fails', () => {
  it('counts as elevated and not as calm, is told of once, and again when it is back', () => {
    const rig = new Rig().run(5000);
    rig.governor.failed('memory', 'no answer within 2000 ms', rig.now);
    rig.governor.failed('memory', 'no answer within 2000 ms', rig.now + 100);
    const { resources, figures } = rig.governor.snapshot(rig.now + 100);
    for (const resource of ['heap', 'memory'] as const) {
      expect(resources[resource]).toMatchObject({
        value: null,
        state: 'elevated',
        cause: 'no answer within 2000 ms',
      });
    }
    expect(resources.cpu.state).toBe('nominal');
    expect(Object.keys(figures)).not.toContain('rss');
    expect(figures['cpu']).toBe(0.3);
    expect(rig.said('sampler')).toHaveLength(1);
    rig.run(1000);
    expect(rig.said('sampler').map(({ facts }) => facts['cause'])).toEqual([
      'no answer within 2000 ms',
      null,
    ]);
    expect(rig.governor.snapshot(rig.now).figures['rss']).toBe(1e9);
  });

  it('of no resource is only told of', () => {
    const rig = new Rig().run(5000);
    rig.governor.failed('network', 'gone', rig.now);
    expect(rig.said('sampler')).toHaveLength(1);
    expect(rig.governor.snapshot(rig.now).gate.state).toBe('nominal');
  });

  it('nothing is told of a start, when nothing can be known yet', () => {
    const rig = new Rig().run(10_000);
    expect(rig.events).toEqual([]);
    expect(rig.extras).toEqual([]);
  });
});

describe('a start', () => {
  /** Lives on without the word of one sampler. */
  function runWithoutMemory(rig: Rig, forMs: number): void {
    for (const end = rig.now + forMs; rig.now < end; ) {
      rig.now += 250;
      rig.governor.sampled('cpu', { cpu: rig.figures.cpu }, rig.now);
      rig.governor.sampled('event_loop', { event_loop: 5 }, rig.now);
      rig.governor.step(rig.now);
    }
  }

  it('keeps low priorities waiting until it is known how the machine fares, and says nothing else', () => {
    const rig = new Rig();
    rig.run(250);
    expect(rig.asks('/live/a', 10)?.reason).toBe('resource_cpu');
    expect(rig.governor.snapshot(rig.now).gate.state).toBe('elevated');
    expect(stepsTaken(rig)).toEqual(['refuse_low_priority']);
    rig.run(1000);
    expect(rig.asks('/live/a', 10)).toBe(null);
    expect(stepsTaken(rig)).toEqual([]);
    expect(rig.said('gate')).toEqual([]);
  });

  it('never says that the gate is open to everybody while it is not', () => {
    const rig = new Rig();
    const marks = { ...GOVERNOR_SETTINGS.resources, reopen_after: 0 };
    rig.figures.cpu = 1;
    runWithoutMemory(rig, 750);
    expect(rig.said('gate').map(({ facts }) => facts['state'])).toEqual(['closed']);
    rig.governor.configure({ ...GOVERNOR_SETTINGS, resources: { ...marks, cpu: null } }, rig.now);
    expect(rig.asks('/live/a', 10)?.reason).toBe('resource_heap');
    expect(rig.said('gate').map(({ facts }) => facts['state'])).toEqual(['closed', 'degraded']);
  });

  it('that ends with something unknown is told of', () => {
    const rig = new Rig();
    runWithoutMemory(rig, 2750);
    expect(rig.said('gate')).toEqual([]);
    runWithoutMemory(rig, 500);
    expect(rig.said('gate')).toMatchObject([
      {
        detail: 'the gate lets in by priority and by what streams cost: heap unknown; memory unknown',
        facts: { state: 'degraded', was: null },
      },
    ]);
  });

  it('is over when all is known: what comes then is told of at once', () => {
    const rig = new Rig().run(1000);
    rig.figures.event_loop = 120;
    rig.run(1000);
    expect(rig.said('gate').map(({ facts }) => [facts['was'], facts['state']])).toEqual([
      ['open', 'degraded'],
    ]);
  });
});

describe('the factor on the budgets', () => {
  it('lowers bandwidth and connection rate while a signal is bad, says which, and gives all back', () => {
    const rig = new Rig({ resources: OFF, globalBps: 100e6 }).run(5000);
    expect(rig.globals).toEqual([100e6]);
    expect(rig.factors).toEqual([]);
    rig.figures.event_loop = 300;
    rig.run(5000);
    expect(rig.globals).toEqual([100e6, 80e6]);
    expect(rig.factors).toEqual([0.8]);
    expect(rig.said('adaptive')).toMatchObject([
      {
        detail: 'limits of the server go down from 100 % to 80 %: event_loop is 300, good is 100',
        facts: { direction: 'down', from: 1, to: 0.8, signal: 'event_loop', value: 300, target: 100 },
      },
    ]);
    expect(rig.governor.snapshot(rig.now)).toMatchObject({
      adaptive: { enabled: true, factor: 0.8, signal: 'event_loop' },
      shares: { budget_bps: 80e6 },
    });
    expect(stepsTaken(rig)).toEqual(['lower_ceilings']);
    rig.run(60_000);
    expect(rig.globals.at(-1)).toBe(30e6);
    rig.figures.event_loop = 5;
    rig.run(120_000);
    expect(rig.globals.at(-1)).toBe(100e6);
    expect(rig.factors.at(-1)).toBe(1);
    expect(stepsTaken(rig)).toEqual([]);
  });

  it('heeds what the rest of the server says', () => {
    const rig = new Rig().run(5000);
    rig.signals = { error_rate: 0.9, decision_latency: 0.1 };
    rig.run(500);
    expect(rig.factors).toEqual([0.8]);
    expect(rig.said('adaptive')[0]?.facts['signal']).toBe('error_rate');
  });

  it('does not rise on half the truth: a sampler that fell silent may be the bad one', () => {
    const rig = new Rig({ resources: OFF }).run(5000);
    rig.figures.cpu = 1;
    rig.run(8000);
    const blind = (forMs: number) => {
      for (const end = rig.now + forMs; rig.now < end; rig.now += 250) rig.governor.step(rig.now);
    };
    // The last figures count until they are stale.
    blind(4000);
    const factors = rig.factors.length;
    blind(60_000);
    expect(rig.factors.length).toBe(factors);
    expect(rig.factors.at(-1)).toBeLessThan(1);
  });

  it('is 1 when it is off, and follows a reload', () => {
    const rig = new Rig({ ...adaptive({ enabled: false }) });
    rig.figures.cpu = 1;
    rig.run(20_000);
    expect(rig.factors).toEqual([]);
    const next = { ...GOVERNOR_SETTINGS, globalBps: 50e6, ...adaptive({ max: 0.5 }) };
    rig.governor.configure(next, rig.now);
    expect(rig.globals.at(-1)).toBe(25e6);
    expect(rig.factors).toEqual([0.5]);
    rig.governor.configure({ ...next, ...adaptive({ enabled: false }) }, rig.now);
    expect(rig.globals.at(-1)).toBe(50e6);
    expect(rig.factors.at(-1)).toBe(1);
  });

  it('leaves an unlimited budget unlimited', () => {
    const rig = new Rig({ globalBps: Number.POSITIVE_INFINITY, ...adaptive({ max: 0.5 }) }).run(1000);
    expect(rig.globals).toEqual([Number.POSITIVE_INFINITY]);
    expect(rig.governor.snapshot(rig.now).shares.budget_bps).toBe(null);
  });
});

describe('a publisher at the desk', () => {
  it('is held against what those before it have yet to cost, and against memory that there is', () => {
    const rig = new Rig({ cores: 0.05 }).run(5000);
    const newcomer = {
      path: '/live/a',
      priority: 50,
      exempt: false,
      protocol: 'srt',
      expectedBps: 3e6,
    } as const;
    let admitted = 0;
    while (rig.governor.refusal(newcomer, rig.now) === null && admitted < 1000) {
      rig.governor.reserve(newcomer, rig.now);
      admitted++;
    }
    expect(admitted).toBeGreaterThan(0);
    expect(admitted).toBeLessThan(10);
    expect(rig.governor.refusal(newcomer, rig.now)?.reason).toBe('resource_cpu');
    expect(rig.governor.refusal({ ...newcomer, exempt: true }, rig.now)).toBe(null);
    const { reservations } = rig.governor.snapshot(rig.now);
    expect(reservations.pending).toBe(admitted);
    expect(reservations.bandwidth_bps).toBeGreaterThan(3e6 * admitted);
  });

  it('stops being reserved for as its load shows', () => {
    const rig = new Rig().run(5000);
    const newcomer = {
      path: '/live/a',
      priority: 50,
      exempt: false,
      protocol: 'rtmp',
      expectedBps: 3e6,
    } as const;
    const reservation = rig.governor.reserve(newcomer, rig.now);
    rig.add('/live/a', { reservation, startedAt: rig.now });
    rig.run(20_000);
    expect(reservation.settled).toBe(true);
    expect(rig.governor.snapshot(rig.now).reservations).toMatchObject({ pending: 0, cpu: 0 });
  });

  it('is refused where even the least for everybody would not fit, those of this very moment counted', () => {
    const rig = new Rig({ globalBps: 200_000 });
    rig.add('/live/a', { observed: 50_000 });
    rig.add('/live/b', { observed: 50_000 });
    rig.run(5000);
    const newcomer = {
      path: '/live/c',
      priority: 50,
      exempt: false,
      protocol: 'rtmp',
      expectedBps: 3e6,
    } as const;
    expect(rig.governor.refusal(newcomer, rig.now)).toBe(null);
    rig.governor.reserve(newcomer, rig.now);
    expect(rig.governor.refusal(newcomer, rig.now)).toMatchObject({
      reason: 'global_bandwidth',
      scope: 'global',
      limit: 200_000,
      observed: 4 * 64_000,
    });
  });
});

describe('ceilings', () => {
  it('are not written again for noise, and lifted once', () => {
    const rig = new Rig({ globalBps: 4e6 });
    const streams = ['/live/a', '/live/b'].map((path) => rig.add(path));
    rig.run(5000);
    expect(streams.map(({ ceiling }) => ceiling?.by)).toEqual(['global', 'global']);
    const writes = streams.map((stream) => stream.writes);
    for (let i = 0; i < 20; i++) {
      streams[0]!.observed = 3e6 + 1000 * i;
      rig.run(250);
    }
    expect(streams.map((stream) => stream.writes)).toEqual(writes);
    for (const stream of streams) stream.observed = 1e6;
    rig.run(5000);
    expect(streams.map(({ ceiling }) => ceiling)).toEqual([null, null]);
    expect(streams.map((stream) => stream.writes)).toEqual(writes.map((count) => count + 1));
  });

  it('are not lifted in the pause that pays for a burst, only once a stream presses no more', () => {
    const rig = new Rig({ globalBps: 4e6 });
    const [stream] = ['/live/a', '/live/b'].map((path) => rig.add(path));
    rig.run(5000);
    const held = stream!.ceiling;
    expect(held?.by).toBe('global');
    stream!.isPressing = true;
    stream!.observed = 0.2e6;
    rig.run(3000);
    expect(stream!.ceiling?.bps).toBeCloseTo(held!.bps, -4);
    stream!.isPressing = false;
    rig.run(1000);
    expect(stream!.ceiling).toBe(null);
  });

  it('follow a reload of the budget', () => {
    const rig = new Rig({ globalBps: 4e6 });
    const stream = rig.add('/live/a', { observed: 5e6 });
    rig.run(1000);
    expect(stream.ceiling?.bps).toBeCloseTo(4e6 * 0.995, 0);
    rig.governor.configure({ ...GOVERNOR_SETTINGS, globalBps: 20e6 }, rig.now);
    rig.run(250);
    expect(stream.ceiling).toBe(null);
  });

  it('leave the floor that is configured', () => {
    const rig = new Rig({ globalBps: 1e6, ...backpressure({ floor: 300_000 }) });
    const streams = Array.from({ length: 5 }, (_, i) => rig.add(`/live/${i}`));
    rig.run(1000);
    for (const { ceiling } of streams) expect(ceiling?.bps).toBe(300_000);
  });

  it("keep within a client's own budget, though the floors of its streams do not fit into it", () => {
    const rig = new Rig();
    const own = { client: 'crowd', clientBudget: 256_000, observed: 60_000 };
    const streams = Array.from({ length: 10 }, (_, i) => rig.add(`/live/${i}`, own));
    rig.run(1000);
    for (const { ceiling } of streams) {
      expect(ceiling?.by).toBe('client');
      expect(ceiling?.bps).toBeCloseTo(25_600 * 0.995, 0);
    }
  });
});

describe('the time a round takes', () => {
  it('is shown, with the longest of the last minute', () => {
    const rig = new Rig();
    rig.governor.took(3, 1000);
    rig.governor.took(42, 15_000);
    rig.governor.took(1, 20_000);
    expect(rig.governor.snapshot(20_000).control).toEqual({ took_ms: 1, longest_ms: 42 });
    expect(rig.governor.snapshot(69_000).control.longest_ms).toBe(42);
    expect(rig.governor.snapshot(71_000).control.longest_ms).toBe(1);
    expect(rig.governor.snapshot(1e6).control).toEqual({ took_ms: 1, longest_ms: 0 });
  });
});
