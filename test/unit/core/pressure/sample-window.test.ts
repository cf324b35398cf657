import { describe, expect, it } from 'vitest';
import { SampleWindow } from '../../../../src/core/pressure/sample-window.ts';

describe('a window of samples', () => {
  it.each([
    [1_000, 500],
    [5_000, 250],
    [60_000, 500],
    [60_000, 700],
    [60_000, 950],
    [60_000, 10],
  ])('of %d ms is averaged over as long, with a sample every %d ms', (windowMs, periodMs) => {
    const window = new SampleWindow(windowMs);
    for (let now = 0; now <= windowMs; now += periodMs) window.push(1, now);
    const { lastAt } = window;
    for (let now = periodMs; now <= windowMs / 2; now += periodMs) window.push(0, lastAt + now);
    expect(Math.abs(window.value - 0.5)).toBeLessThan(0.05);
  });

  it('can be made longer or shorter over the samples that it has', () => {
    const window = new SampleWindow(5_000);
    for (let now = 0; now <= 5_000; now += 500) window.push(now < 4_000 ? 1 : 0, now);
    window.resize(1_500);
    expect(window.value).toBe(0);
    window.resize(5_000);
    expect(window.value).toBeCloseTo(0.7);
    expect(() => window.resize(0)).toThrow(RangeError);
  });
});
