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
});
