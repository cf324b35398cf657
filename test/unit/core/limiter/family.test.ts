import { describe, expect, it } from 'vitest';
import { FixedWindow } from '../../../../src/core/limiter/fixed-window.ts';
import { Gcra } from '../../../../src/core/limiter/gcra.ts';
import { LeakyBucket } from '../../../../src/core/limiter/leaky-bucket.ts';
import type { Limiter, RateLimit } from '../../../../src/core/limiter/limiter.ts';
import { SlidingWindow } from '../../../../src/core/limiter/sliding-window.ts';
import { TokenBucket } from '../../../../src/core/limiter/token-bucket.ts';

/** Rows of [ms, cost, verdict]. */
type Row = readonly [at: number, cost: number, verdict: number];

function expectRows(limiter: Limiter, rows: readonly Row[]): void {
  expect(rows.map(([at, cost]) => [at, cost, limiter.take(cost, at)])).toEqual(rows);
}

const TEN = { count: 10, periodMs: 1000 };

const BUCKET_ROWS: readonly Row[] = [
  [0, 10, 0],
  [0, 1, 100],
  [50, 1, 50],
  [100, 1, 0],
  [100, 2, 200],
  [300, 2, 0],
  [1300, 10, 0],
  [9000, 10, 0],
  [9000, 10, 1000],
];

describe('what each member does', () => {
  it.each([
    ['GCRA', (limit: RateLimit) => new Gcra(limit)],
    ['token bucket', (limit: RateLimit) => new TokenBucket(limit)],
    ['leaky bucket', (limit: RateLimit) => new LeakyBucket(limit)],
  ] as const)('%s gives units back evenly', (_name, make) => {
    expectRows(make(TEN), BUCKET_ROWS);
  });

  it.each([
    ['GCRA', (limit: RateLimit) => new Gcra(limit)],
    ['token bucket', (limit: RateLimit) => new TokenBucket(limit)],
    ['leaky bucket', (limit: RateLimit) => new LeakyBucket(limit)],
  ] as const)('%s holds a burst that differs from the count', (_name, make) => {
    expectRows(make({ ...TEN, burst: 3 }), [
      [0, 4, Number.POSITIVE_INFINITY],
      [0, 3, 0],
      [0, 1, 100],
    ]);
    expect(make({ count: 0.5, periodMs: 1000 }).take(1, 0)).toBe(0);
    expect(make({ ...TEN, burst: Number.POSITIVE_INFINITY }).take(1e9, 0)).toBe(0);
  });

  it('regression: a rate raised by 5 % and truncated stuck below 20', () => {
    const admittedInAMinute = (count: number): number => {
      const limiter = new Gcra({ count, periodMs: 1000, burst: 1 });
      let admitted = 0;
      for (let now = 0; now < 60_000; now += 1) if (limiter.take(1, now) === 0) admitted += 1;
      return admitted;
    };
    // 95.2 ms between units, asked for each ms: one passes every 95 or 96 ms.
    expect(admittedInAMinute(10.5)).toBeGreaterThan(admittedInAMinute(10) * 1.04);
  });

  it('a leaky bucket says when what was poured in has flowed out', () => {
    const bucket = new LeakyBucket(TEN);
    expect(bucket.drainMs(0)).toBe(0);
    bucket.take(4, 0);
    expect(bucket.drainMs(0)).toBe(400);
    expect(bucket.drainMs(150)).toBe(250);
    bucket.take(1, 150);
    expect(bucket.drainMs(150)).toBe(350);
    expect(bucket.drainMs(600)).toBe(0);
    expect(new LeakyBucket({ count: Number.POSITIVE_INFINITY, periodMs: 1000 }).drainMs(0)).toBe(0);
  });

  it('a fixed window opens with its first unit and gives everything back at its end', () => {
    expectRows(new FixedWindow(TEN), [
      [300, 4, 0],
      [1200, 6, 0],
      [1299, 1, 1],
      [1300, 10, 0],
      [1300, 1, 1000],
    ]);
  });

  it('a sliding window gives units back a slice after they are a period old', () => {
    expectRows(new SlidingWindow({ count: 10, periodMs: 1600 }), [
      [0, 4, 0],
      [850, 6, 0],
      [1500, 1, 200],
      [1699, 4, 1],
      [1700, 4, 0],
      [1700, 6, 800],
      [2500, 6, 0],
    ]);
  });

  it('a sliding window is not fooled at the edge of a window', () => {
    const limiter = new SlidingWindow({ count: 100, periodMs: 1000 });
    let admitted = 0;
    for (let now = 990; now <= 1010; now += 0.1) if (limiter.take(1, now) === 0) admitted += 1;
    expect(admitted).toBe(100);
  });

  it.each([
    ['fixed', (limit: RateLimit) => new FixedWindow(limit)],
    ['sliding', (limit: RateLimit) => new SlidingWindow(limit)],
  ] as const)('a %s window refuses a burst that it could not keep', (_name, make) => {
    expect(() => make({ ...TEN, burst: 20 })).toThrow(RangeError);
    expect(() => make({ ...TEN, burst: 10 })).not.toThrow();
    expect(() => make({ count: 0.5, periodMs: 1000 })).toThrow(RangeError);
  });

  it('a sliding window whose period changes counts what it holds as of now', () => {
    const limiter = new SlidingWindow({ count: 10, periodMs: 1600 });
    limiter.take(10, 0);
    limiter.setRate({ count: 10, periodMs: 800 }, 400);
    expect(limiter.peek(1, 400)).toBe(850);
    expect(limiter.take(10, 1250)).toBe(0);
  });

  it('a sliding window moved by a clock that was set back counts rather too long than too short', () => {
    const limiter = new SlidingWindow({ count: 1, periodMs: 1000 });
    limiter.take(1, 1_000_060);
    expect(limiter.peek(1, 1_000_060 - 1001)).toBeGreaterThanOrEqual(1000);
  });
});
