import { describe, expect, it } from 'vitest';
import { cohortOf } from '../../../src/core/shedding/shed-ladder.ts';
import { GOVERNOR_SETTINGS } from '../../support/governor-settings.ts';
import { adaptive, backpressure, Rig } from './governor-rig.ts';

const { after, interval } = GOVERNOR_SETTINGS.backpressure;

/** One stream of each priority, on a machine whose CPU has been full until just before the first notch. */
function starved(rig = new Rig({ ...adaptive({ enabled: false }) })): Rig {
  rig.run(5000);
  for (const priority of [10, 50, 90]) rig.add(`/live/p${priority}`, { priority });
  rig.figures.cpu = 1;
  rig.run(1000);
  expect(rig.governor.gate(rig.now, false)?.reason).toBe('resource_cpu');
  rig.run(after - 500);
  expect(rig.said('shed')).toEqual([]);
  return rig;
}

describe('a machine that stays critical', () => {
  it('lowers the lowest to parts of what it sent when that began, then cuts it', () => {
    const rig = starved();
    const low = rig.streams[0]!;
    rig.run(500);
    expect(low.ceiling).toEqual({ bps: 0.75 * 3e6, by: 'shed' });
    low.observed = 2e6;
    rig.run(interval);
    expect(low.ceiling).toEqual({ bps: 0.5 * 3e6, by: 'shed' });
    expect(rig.governor.snapshot(rig.now).shares.squeezed).toEqual({ global: 0, client: 0, shed: 1 });
    rig.run(interval);
    expect(low.ceiling).toEqual({ bps: 0.25 * 3e6, by: 'shed' });
    expect(rig.cuts).toEqual([]);
    rig.run(interval);
    expect(rig.cuts).toMatchObject([
      {
        path: '/live/p10',
        detail: 'the machine is overloaded, and streams of its priority go first (10)',
      },
    ]);
    // Critical for a hold, then the wait for the first step of recovery.
    expect(rig.cuts[0]!.retryAfterMs).toBeGreaterThanOrEqual(5000 + 10_000);
    expect(rig.streams.map(({ ceiling }) => ceiling)).toEqual([null, null]);
    expect(rig.said('shed').map(({ facts }) => facts['ceiling'])).toEqual([0.75, 0.5, 0.25, 0]);
    expect(rig.said('shed').at(-1)?.detail).toMatch(/^streams of priority 10, group \d, are cut \(1 live\)$/);
  });

  it('keeps out whom it cut, whatever the address', () => {
    const rig = starved();
    rig.run(500 + 3 * interval);
    const denial = rig.asks('/live/p10', 10);
    expect(denial).toMatchObject({ reason: 'shed', key: '/live/p10', limit: null, scope: 'server' });
    expect(rig.asks('/live/p10', 10, true)).toBe(null);
    expect(rig.asks('/live/p90', 90)?.reason).toBe('resource_cpu');
  });

  it('spares the exempt, and cuts but never lowers those whose limits are only observed', () => {
    const rig = starved();
    rig.streams[0]!.exempt = true;
    const observed = rig.add('/live/p20', { priority: 20, governed: false });
    rig.run(500 + 2 * interval);
    expect(observed.ceiling).toBe(null);
    rig.run(2 * interval);
    expect(rig.cuts.map(({ path }) => path)).toEqual(['/live/p20']);
    expect(rig.streams[0]!.writes).toBe(0);
  });

  it('lowers one that just came once it is known what it sends', () => {
    const rig = starved();
    const young = rig.add('/live/p10', { priority: 10, startedAt: rig.now, observed: 1e6 });
    rig.streams = rig.streams.filter((stream) => stream.path !== '/live/p10' || stream === young);
    rig.run(1000);
    expect(young.ceiling).toBe(null);
    rig.run(interval);
    expect(young.ceiling).toEqual({ bps: 0.5 * 1e6, by: 'shed' });
  });

  it('leaves the floor, and holds to the lower of share and shedding', () => {
    const rig = new Rig({ ...adaptive({ enabled: false }), globalBps: 4e6 });
    starved(rig);
    const [low, middle] = rig.streams;
    expect(low?.ceiling?.by).toBe('global');
    low!.observed = 0.2e6;
    rig.run(500);
    expect(low?.ceiling).toEqual({ bps: 0.15e6, by: 'shed' });
    expect(middle?.ceiling?.by).toBe('global');
    rig.run(2 * interval);
    expect(low?.ceiling?.bps).toBe(64_000);
  });

  it('cuts so many in one round, the lowest first, until all are gone', () => {
    const rig = new Rig({ ...adaptive({ enabled: false }) }).run(5000);
    for (let i = 0; i < 70; i++) rig.add(`/live/cam${i}`, { priority: i % 2 === 0 ? 1 : 2 });
    rig.governor.order({ mode: 'shed', belowPriority: 3, forMs: null }, rig.now);
    rig.run(250);
    expect(rig.cuts).toHaveLength(50);
    expect(rig.cuts.slice(0, 35).every(({ path }) => Number(path.slice(9)) % 2 === 0)).toBe(true);
    rig.run(250);
    expect(rig.cuts).toHaveLength(70);
  });

  it('does nothing more while it is only held critical, and gives back when it is at ease', () => {
    const rig = starved();
    rig.run(500);
    rig.figures.cpu = 0.3;
    // The mean over the window is below `close` within a second, the hold takes five.
    rig.run(1000);
    const notches = rig.said('shed').length;
    rig.run(3000);
    expect(rig.governor.gate(rig.now, false)).not.toBe(null);
    expect(rig.said('shed')).toHaveLength(notches);
    rig.run(60_000);
    expect(rig.said('recover').length).toBe(notches);
    expect(rig.streams.map(({ ceiling }) => ceiling)).toEqual([null, null, null]);
    expect(rig.governor.snapshot(rig.now).shedding).toMatchObject({ active: false, cohorts: [] });
  });

  it('gives back though a sampler stays broken, and tells those it cut when', () => {
    const rig = starved();
    rig.run(500 + 3 * interval);
    expect(rig.cuts.map(({ path }) => path)).toEqual(['/live/p10']);
    rig.figures = { ...rig.figures, cpu: 0.3, memory: Number.NaN };
    rig.run(1000);
    expect(rig.governor.snapshot(rig.now).resources.memory.state).toBe('elevated');
    const waitMs = rig.asks('/live/p10', 10)?.retryAfterMs ?? Number.NaN;
    rig.run(waitMs - 1500);
    expect(rig.asks('/live/p10', 10)?.reason).toBe('shed');
    rig.run(2000);
    // It is below the priority that is let in while something is unknown, but no longer kept out for good.
    expect(rig.asks('/live/p10', 10)?.reason).toBe('resource_memory');
    rig.run(120_000);
    expect(rig.governor.snapshot(rig.now).shedding).toMatchObject({ active: false, cohorts: [] });
  });

  it('never sheds where that is turned off, and gives all back when it is turned off meanwhile', () => {
    const off = {
      ...GOVERNOR_SETTINGS,
      ...adaptive({ enabled: false }),
      ...backpressure({ enabled: false }),
    };
    const rig = new Rig(off).run(5000);
    rig.add('/live/p10', { priority: 10 });
    rig.add('/live/p90', { priority: 90 });
    rig.figures.cpu = 1;
    rig.run(120_000);
    expect(rig.streams.map(({ writes }) => writes)).toEqual([0, 0]);

    const other = starved();
    other.run(500);
    expect(other.streams[0]?.ceiling?.by).toBe('shed');
    other.governor.configure(off, other.now);
    other.run(250);
    expect(other.streams[0]?.ceiling).toBe(null);
    expect(other.governor.snapshot(other.now).shedding).toMatchObject({ enabled: false, active: false });
  });

  it('shows the cohorts it reached, and the steps that are taken', () => {
    const rig = starved();
    rig.run(500);
    const { shedding, steps } = rig.governor.snapshot(rig.now);
    expect(shedding).toEqual({
      enabled: true,
      active: true,
      order: null,
      cohorts: [{ priority: 10, cohort: cohortOf('/live/p10'), ceiling: 0.75 }],
      backoff_ms: 10_000,
    });
    expect(steps.filter(({ active }) => active).map(({ step }) => step)).toEqual([
      'stop_extras',
      'lower_ceilings',
      'refuse_low_priority',
      'refuse_all',
    ]);
  });
});

describe("an operator's order", () => {
  const calm = () => {
    const rig = new Rig().run(5000);
    for (const priority of [10, 50, 90]) rig.add(`/live/p${priority}`, { priority });
    rig.add('/live/allowed', { priority: 0, exempt: true });
    return rig.run(250);
  };

  it('gives up all below a priority, for as long as it says, and says how long that is', () => {
    const rig = calm();
    rig.governor.order({ mode: 'shed', belowPriority: 50, forMs: 60_000, by: 'ops' }, rig.now);
    expect(rig.governor.snapshot(rig.now).shedding).toMatchObject({
      active: true,
      order: { mode: 'shed', below_priority: 50, until: '2026-11-20T21:31:05.250Z' },
    });
    const cause = (priority: number): string =>
      `by order of ops, streams below priority 50 are given up, and it has ${priority}`;
    expect(rig.asks('/live/p49', 49)).toMatchObject({
      reason: 'shed',
      retryAfterMs: 60_000,
      cause: cause(49),
    });
    expect(rig.asks('/live/p50', 50)).toBe(null);
    rig.run(250);
    expect(rig.cuts).toEqual([{ path: '/live/p10', detail: cause(10), retryAfterMs: 59_750 }]);
    const due = rig.now + 59_750;
    rig.now = due - 1;
    expect(rig.asks('/live/p10', 10)?.retryAfterMs).toBe(1);
    rig.now = due;
    expect(rig.asks('/live/p10', 10)?.reason).not.toBe('shed');
    expect(rig.governor.snapshot(rig.now).shedding).toMatchObject({ active: false, order: null });
    expect(rig.said('backpressure')).toEqual([]);
    rig.run(500);
    expect(rig.said('backpressure')).toMatchObject([{ detail: 'the order ended: automatic again' }]);
  });

  it('without an end is over with the next', () => {
    const rig = calm();
    rig.governor.order({ mode: 'shed', belowPriority: 50, forMs: null }, rig.now);
    expect(rig.asks('/live/p10', 10)?.retryAfterMs).toBe(60_000);
    expect(rig.governor.snapshot(rig.now).shedding.order?.until).toBe(null);
    rig.governor.order({ mode: 'auto', belowPriority: null, forMs: null }, rig.now);
    expect(rig.asks('/live/p10', 10)).toBe(null);
    rig.run(500);
    expect(rig.said('backpressure')).toEqual([]);
  });

  it('to shed nobody lifts what there is at once, and holds while the machine burns', () => {
    const rig = starved();
    rig.run(500);
    rig.governor.order({ mode: 'off', belowPriority: null, forMs: 30_000 }, rig.now);
    rig.run(250);
    expect(rig.streams.map(({ ceiling }) => ceiling)).toEqual([null, null, null]);
    rig.run(29_000);
    expect(rig.cuts).toEqual([]);
    // The machine has been critical all the while, but nobody was counting.
    rig.run(after + 1500);
    expect(rig.streams[0]?.ceiling?.by).toBe('shed');
  });

  it('to shed works where shedding by itself is turned off', () => {
    const rig = new Rig({ ...backpressure({ enabled: false }) }).run(5000);
    rig.add('/live/p10', { priority: 10 });
    rig.governor.order({ mode: 'shed', belowPriority: 50, forMs: null }, rig.now);
    rig.run(250);
    expect(rig.cuts).toHaveLength(1);
  });
});
