import { describe, expect, it } from 'vitest';
import { Machine } from './machine.ts';

/**
 * Admission and load as one loop with seconds of delay in it: what is let in now
 * is seen as load only later. Publishers come all the time, twice as many as
 * there is room for, and streams end.
 */

const SEEDS = [1, 2, 3];
const TARGET = 0.8;
const PEAK_MAX = 0.85;

const percent = (share: number) => (100 * share).toFixed(1);

describe('the loop from admission to load', () => {
  it.each([2000, 3500, 5000])('comes to rest at the target with a delay of %d ms', (rampMs) => {
    for (const seed of SEEDS) {
      const machine = new Machine({ seed, rampMs, lifeMs: 120_000, othersSpread: 0.005 });
      machine.run(5000);
      machine.storm(3000, 180_000);
      machine.run(60_000);
      const rest = machine.run(120_000);
      console.log(
        `loop of ${rampMs} ms, seed ${seed}: load ${percent(rest.lowest)}..${percent(rest.peak)} %,`,
        `mean ${percent(rest.mean)} %, ${rest.levelChanges} changes of level in 2 min`,
      );
      expect(rest.peak - rest.lowest, `seed ${seed}`).toBeLessThan(0.12);
      expect(rest.peak, `seed ${seed}`).toBeLessThanOrEqual(PEAK_MAX);
      expect(rest.mean, `seed ${seed}`).toBeGreaterThan(TARGET - 0.1);
      expect(rest.levelChanges, `seed ${seed}`).toBeLessThanOrEqual(6);
    }
  });

  it('would swing without reservations', () => {
    for (const seed of SEEDS) {
      const machine = new Machine({ seed, lifeMs: 120_000, othersSpread: 0.005, reserving: false });
      machine.run(5000);
      machine.storm(3000, 180_000);
      machine.run(60_000);
      const { peak, lowest } = machine.run(120_000);
      expect(peak - lowest, `seed ${seed}`).toBeGreaterThan(0.3);
    }
  });

  it('keeps newcomers out while other processes burn a third, and learns nothing wrong of it', () => {
    for (const seed of SEEDS) {
      const machine = new Machine({ seed, lifeMs: 60_000 });
      machine.run(5000);
      machine.storm(500, 10_000);
      machine.run(60_000);
      machine.burst = 0.33;
      machine.run(2000);
      const during = machine.run(18_000);
      expect(during.admitted, `seed ${seed}`).toBeLessThanOrEqual(3);
      machine.burst = 0;
      machine.storm(300, 10_000);
      machine.run(30_000);
      const after = machine.run(30_000);
      expect(after.peak, `seed ${seed}`).toBeLessThanOrEqual(PEAK_MAX);
      expect(after.mean, `seed ${seed}`).toBeGreaterThan(0.65);
    }
  });
});
