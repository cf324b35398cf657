import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AdaptiveFactor, type AdaptiveSettings } from '../../../../src/core/adaptive/adaptive-factor.ts';

const SETTINGS: AdaptiveSettings = {
  targets: { cpu: 0.8, event_loop: 50 },
  decrease: 0.8,
  increase: 0.05,
  min: 0.2,
  max: 1,
  interval: 1000,
  hysteresis: 0.1,
};

const CALM = { cpu: 0.3, event_loop: 5 };
const BUSY = { cpu: 0.95, event_loop: 5 };

describe('the adaptive factor', () => {
  it('starts at the top and stays there while all is well', () => {
    const factor = new AdaptiveFactor(SETTINGS);
    for (let now = 0; now < 60_000; now += 250) expect(factor.step(CALM, now)).toBe(null);
    expect(factor.value).toBe(1);
  });

  it('falls by a part, names the signal that made it fall, and waits before it falls again', () => {
    const factor = new AdaptiveFactor(SETTINGS);
    expect(factor.step({ cpu: 0.95, event_loop: 60 }, 0)).toEqual({
      direction: 'down',
      from: 1,
      to: 0.8,
      signal: 'event_loop',
      value: 60,
      target: 50,
    });
    expect(factor.step(BUSY, 999)).toBe(null);
    expect(factor.step(BUSY, 1000)).toMatchObject({ signal: 'cpu', from: 0.8 });
    expect(factor.value).toBeCloseTo(0.64);
  });

  it('never falls below its minimum, and recovers to the very top', () => {
    const factor = new AdaptiveFactor(SETTINGS);
    let now = 0;
    for (; now < 60_000; now += 1000) factor.step(BUSY, now);
    expect(factor.value).toBe(0.2);
    for (; now < 120_000; now += 1000) factor.step(CALM, now);
    expect(factor.value).toBe(1);
  });

  it('rests in the band around its targets', () => {
    const factor = new AdaptiveFactor(SETTINGS);
    factor.step(BUSY, 0);
    for (const cpu of [0.73, 0.8, 0.87]) expect(factor.step({ cpu, event_loop: 5 }, 10_000)).toBe(null);
    expect(factor.step({ cpu: 0.71, event_loop: 5 }, 10_000)).toMatchObject({ direction: 'up' });
  });

  it('does not grow on half the truth: a signal that is missing may be the bad one', () => {
    const factor = new AdaptiveFactor(SETTINGS);
    factor.step(BUSY, 0);
    expect(factor.step({ cpu: 0.1 }, 5000)).toBe(null);
    expect(factor.step({ cpu: 0.1, event_loop: Number.NaN }, 5000)).toBe(null);
    expect(factor.step({ event_loop: 500 }, 5000)).toMatchObject({ direction: 'down' });
    expect(factor.step({}, 9000)).toBe(null);
  });

  it('a reload moves the factor only into the new bounds', () => {
    const factor = new AdaptiveFactor(SETTINGS);
    factor.step(BUSY, 0);
    factor.configure({ ...SETTINGS, min: 0.9 });
    expect(factor.value).toBe(0.9);
    factor.configure({ ...SETTINGS, max: 0.5 });
    expect(factor.value).toBe(0.5);
  });

  it('whatever it is shown, it stays in its bounds and changes once an interval at most', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(2000), fc.double({ min: 0, max: 2 }), fc.double({ min: 0, max: 500 })), {
          maxLength: 300,
        }),
        (steps) => {
          const factor = new AdaptiveFactor(SETTINGS);
          let now = 0;
          let changedAt = Number.NEGATIVE_INFINITY;
          for (const [ms, cpu, event_loop] of steps) {
            now += ms;
            const change = factor.step({ cpu, event_loop }, now);
            expect(factor.value).toBeGreaterThanOrEqual(SETTINGS.min);
            expect(factor.value).toBeLessThanOrEqual(SETTINGS.max);
            if (change === null) continue;
            expect(now - changedAt).toBeGreaterThanOrEqual(SETTINGS.interval);
            expect(Math.sign(change.to - change.from)).toBe(change.direction === 'up' ? 1 : -1);
            changedAt = now;
          }
        },
      ),
    );
  });
});
