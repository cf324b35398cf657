import { describe, expect, it } from 'vitest';
import {
  COHORTS,
  type CohortCount,
  cohortOf,
  ShedLadder,
  type ShedSettings,
  type ShedStep,
} from '../../../../src/core/shedding/shed-ladder.ts';

const SETTINGS: ShedSettings = {
  after: 5_000,
  interval: 2_000,
  protected: 0.2,
  backoff: { min: 5_000, max: 60_000 },
};

/** Three priorities of two cohorts with ten streams each. */
const CENSUS: readonly CohortCount[] = [10, 50, 90].flatMap((priority) =>
  [0, 1].map((cohort) => ({ priority, cohort, streams: 10 })),
);

type Level = 'nominal' | 'elevated' | 'critical';

class Rig {
  readonly ladder: ShedLadder;
  now = 0;
  census = CENSUS;

  constructor(settings: Partial<ShedSettings> = {}) {
    this.ladder = new ShedLadder({ ...SETTINGS, ...settings });
  }

  /** Lives through `ms` at a level, a look every 250 ms. */
  live(level: Level, ms: number, sure = true): (ShedStep & { at: number })[] {
    const steps: (ShedStep & { at: number })[] = [];
    for (const end = this.now + ms; this.now < end; this.now += 250) {
      const step = this.ladder.step(level, this.census, this.now, sure);
      if (step !== null) steps.push({ ...step, at: this.now });
    }
    return steps;
  }
}

describe('the shed ladder', () => {
  it('does nothing about a short crisis, nor about elevated pressure', () => {
    const rig = new Rig();
    expect(rig.live('critical', 5_000)).toEqual([]);
    rig.live('nominal', 250);
    expect(rig.live('critical', 5_000)).toEqual([]);
    expect(rig.live('elevated', 600_000)).toEqual([]);
    expect(rig.ladder.active).toBe(false);
  });

  it('lowers the lowest cohort notch by notch, cuts it, then takes the next', () => {
    const steps = new Rig().live('critical', 5_000 + 5 * 2_000);
    expect(steps).toEqual([
      { at: 5_000, direction: 'shed', priority: 10, cohort: 0, ceiling: 0.75 },
      { at: 7_000, direction: 'shed', priority: 10, cohort: 0, ceiling: 0.5 },
      { at: 9_000, direction: 'shed', priority: 10, cohort: 0, ceiling: 0.25 },
      { at: 11_000, direction: 'shed', priority: 10, cohort: 0, ceiling: 0 },
      { at: 13_000, direction: 'shed', priority: 10, cohort: 1, ceiling: 0.75 },
    ]);
  });

  it('never touches the protected share, however long it lasts', () => {
    const rig = new Rig();
    rig.live('critical', 600_000);
    expect(rig.ladder.rungs().map(({ priority, cohort, ceiling }) => [priority, cohort, ceiling])).toEqual([
      [10, 0, 0],
      [10, 1, 0],
      [50, 0, 0],
      [50, 1, 0],
      // 10 of 60 would be less than the fifth that is protected.
    ]);
    expect(rig.ladder.ceilingOf({ priority: 90, cohort: 0 })).toBe(1);
  });

  it('does not spend its time on a cohort that has become empty', () => {
    const rig = new Rig();
    rig.live('critical', 5_250);
    rig.census = CENSUS.slice(1);
    expect(rig.live('critical', 2_000)).toMatchObject([{ at: 7_000, cohort: 1, ceiling: 0.75 }]);
    expect(rig.ladder.ceilingOf(CENSUS[0]!)).toBe(0);
    const back = rig.live('nominal', 600_000);
    expect(back).toMatchObject([{ direction: 'recover', priority: 10, cohort: 1, ceiling: 1 }]);
    expect(rig.ladder.ceilingOf(CENSUS[0]!)).toBe(1);
  });

  it('stops half-way in a cohort when so many of those above it have left that it is the protected share', () => {
    const rig = new Rig();
    rig.live('critical', 7_250);
    expect(rig.ladder.rungs()).toMatchObject([{ cohort: 0, ceiling: 0.5 }]);
    rig.census = CENSUS.slice(0, 2);
    expect(rig.live('critical', 60_000)).toEqual([]);
    expect(rig.ladder.rungs()).toMatchObject([{ cohort: 0, ceiling: 0.5 }]);
    rig.census = CENSUS;
    expect(rig.live('critical', 2_000)).toMatchObject([{ priority: 10, cohort: 0, ceiling: 0.25 }]);
  });

  it('stays where it is when its cohort has become empty and all others are protected', () => {
    const rig = new Rig();
    rig.live('critical', 5_250);
    rig.census = CENSUS.slice(5);
    expect(rig.live('critical', 60_000)).toEqual([]);
    expect(rig.ladder.rungs()).toMatchObject([{ priority: 10, cohort: 0, ceiling: 0.75 }]);
  });

  it('keeps out what is below the cohort it reached, though none of it was there', () => {
    const rig = new Rig();
    rig.census = CENSUS.filter(({ priority }) => priority > 10);
    rig.live('critical', 6_000);
    expect(rig.ladder.ceilingOf({ priority: 50, cohort: 0 })).toBe(0.75);
    expect(rig.ladder.ceilingOf({ priority: 10, cohort: 7 })).toBe(0);
    expect(rig.ladder.ceilingOf({ priority: 50, cohort: 1 })).toBe(1);
  });

  it('goes back the way it came', () => {
    const rig = new Rig();
    const down = rig.live('critical', 20_000);
    const up = rig.live('nominal', 600_000);
    const told = ({ priority, cohort }: ShedStep) => [priority, cohort];
    expect(up.map(told)).toEqual(down.map(told).reverse());
    expect(up.at(-1)).toMatchObject({ direction: 'recover', ceiling: 1 });
    expect(rig.ladder.active).toBe(false);
  });

  it('recovers more slowly after every relapse, up to a bound, and as fast as ever once it has stayed well', () => {
    const rig = new Rig();
    rig.live('critical', 20_000);
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) {
      waits.push(rig.ladder.backoffMs);
      rig.live('nominal', rig.ladder.backoffMs + 500);
      rig.live('critical', 6_000);
    }
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    rig.live('nominal', 3_600_000);
    expect(rig.ladder.backoffMs).toBe(5_000);
  });

  it('takes a relapse soon after a whole recovery for one, so that a single notch does not flap for ever', () => {
    const rig = new Rig();
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) {
      waits.push(rig.ladder.backoffMs);
      expect(rig.live('critical', 5_250).map(({ direction }) => direction)).toEqual(['shed']);
      rig.live('nominal', rig.ladder.backoffMs + 250);
      expect(rig.ladder.active).toBe(false);
    }
    expect(waits).toEqual([5_000, 5_000, 10_000, 20_000, 40_000, 60_000]);
    rig.live('nominal', 60_000);
    expect(rig.ladder.backoffMs).toBe(5_000);
  });

  it('rests while the pressure is elevated: neither better nor worse', () => {
    const rig = new Rig();
    rig.live('critical', 8_000);
    const before = rig.ladder.rungs();
    expect(rig.live('elevated', 600_000)).toEqual([]);
    expect(rig.ladder.rungs()).toEqual(before);
  });

  it('recovers at half the pace while something is not known, and counts on that', () => {
    const rig = new Rig();
    rig.live('critical', 9_250);
    const subject = { priority: 5, cohort: 0 };
    rig.live('nominal', 250, false);
    expect(rig.ladder.backoffMs).toBe(10_000);
    const due = rig.now + rig.ladder.waitMs(subject, rig.now);
    const back = rig.live('nominal', 60_000, false);
    expect(back.map(({ ceiling }) => ceiling)).toEqual([0.5, 0.75, 1]);
    expect(back.at(-1)!.at - back[0]!.at).toBe(20_000);
    expect(Math.abs(back.at(-1)!.at - due)).toBeLessThanOrEqual(250);
    expect(rig.ladder.waitMs(subject, rig.now)).toBe(0);
    rig.live('nominal', 250);
    expect(rig.ladder.backoffMs).toBe(5_000);
  });

  it('never takes longer for a step than it may, known or not', () => {
    const rig = new Rig({ backoff: { min: 40_000, max: 60_000 } });
    rig.live('critical', 6_000);
    rig.live('nominal', 250, false);
    expect(rig.ladder.backoffMs).toBe(60_000);
  });

  it('promises a publisher that it keeps out the very instant it is let in, if all goes well', () => {
    for (const subject of [
      { priority: 10, cohort: 0 },
      { priority: 10, cohort: 1 },
      { priority: 5, cohort: 3 },
    ]) {
      const rig = new Rig();
      rig.live('critical', 30_000);
      rig.live('nominal', 1_000);
      const wait = rig.ladder.waitMs(subject, rig.now);
      expect(wait).toBeGreaterThan(0);
      const due = rig.now + wait;
      while (rig.now < due) {
        expect(rig.ladder.waitMs(subject, rig.now)).toBeGreaterThan(0);
        rig.live('nominal', 250);
      }
      rig.live('nominal', 250);
      expect(rig.ladder.waitMs(subject, rig.now)).toBe(0);
    }
  });

  it('a stream is always in the same cohort, and cohorts are of like size', () => {
    const sizes = new Array<number>(COHORTS).fill(0);
    for (let i = 0; i < 8_000; i++) {
      const cohort = cohortOf(`/live/cam${i}`);
      expect(cohortOf(`/live/cam${i}`)).toBe(cohort);
      sizes[cohort]! += 1;
    }
    for (const size of sizes) expect(Math.abs(size - 1_000)).toBeLessThan(150);
  });
});
