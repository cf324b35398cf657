import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALGORITHMS } from '../../../../src/core/limiter/algorithms.ts';
import { FixedWindowAlgorithm } from '../../../../src/core/limiter/fixed-window.ts';
import { Gcra } from '../../../../src/core/limiter/gcra.ts';
import { nextBelow } from '../../../../src/core/limiter/instants.ts';
import { KeyedGcra, KeyedLimiter } from '../../../../src/core/limiter/keyed.ts';
import { NEVER } from '../../../../src/core/limiter/limiter.ts';

const PER_SECOND = { count: 1, periodMs: 1000 };

describe('keyed limiter', () => {
  it('limits each key apart', () => {
    const limiter = new KeyedGcra({ ...PER_SECOND, capacity: 10 });
    expect(limiter.take('a', 1, 0)).toBe(0);
    expect(limiter.take('b', 1, 0)).toBe(0);
    expect(limiter.take('a', 1, 400)).toBe(600);
    expect(limiter.remaining('a', 400)).toBe(0);
    expect(limiter.remaining('never seen', 400)).toBe(1);
  });

  it.each([
    ['gcra', 2_000],
    ['fixed-window', 2_000],
  ] as const)('tells when nothing that a key took counts any more: %s', (algorithm, wholeMs) => {
    const limiter = new KeyedLimiter({ count: 2, periodMs: 2_000, capacity: 10 }, ALGORITHMS[algorithm]);
    expect(limiter.wholeInMs('a', 0)).toBe(0);
    limiter.take('a', 2, 0);
    expect(limiter.wholeInMs('a', 0)).toBe(wholeMs);
    expect(limiter.wholeInMs('a', 1_500)).toBe(wholeMs - 1_500);
    expect(limiter.wholeInMs('a', 9_999)).toBe(0);
  });

  it('gives no row to keys that are peeked, denied or charged nothing', () => {
    const limiter = new KeyedGcra({ ...PER_SECOND, capacity: 10 });
    limiter.peek('peeked', 1, 0);
    limiter.take('too much', 2, 0);
    limiter.take('nothing', 0, 0);
    expect(limiter.size).toBe(0);
  });

  it('keeps no rows when the rate is unlimited', () => {
    const limiter = new KeyedGcra({ count: Number.POSITIVE_INFINITY, periodMs: 1000, capacity: 2 });
    for (let key = 0; key < 100; key += 1) expect(limiter.take(`k${key}`, 1e9, key)).toBe(0);
    expect(limiter.size).toBe(0);
  });

  it('refuses a new key while every row is owed on, until exactly the first comes free', () => {
    const limiter = new KeyedGcra({ ...PER_SECOND, capacity: 2 });
    limiter.take('b', 1, 50.5);
    limiter.take('a', 1, 100.25);
    const wait = limiter.take('c', 1, 200);
    expect(200 + wait).toBe(1050.5);
    expect(limiter.peek('c', 1, nextBelow(1050.5))).toBeGreaterThan(0);
    expect(limiter.take('c', 1, 1050.5)).toBe(0);
    expect(limiter.size).toBe(2);
    expect(limiter.peek('a', 1, 1050.5)).toBeGreaterThan(0);
    expect(limiter.refusedFull).toBe(2);
    expect(limiter.evicted).toBe(1);
  });

  it('says never to a cost beyond the burst even when full', () => {
    const limiter = new KeyedGcra({ ...PER_SECOND, capacity: 1 });
    limiter.take('a', 1, 0);
    expect(limiter.take('b', 2, 0)).toBe(NEVER);
    expect(limiter.take('b', 0, 0)).toBe(0);
  });

  it('regression: a key evicted before its bucket was full again got a second burst', () => {
    const limiter = new KeyedGcra({ count: 2, periodMs: 60_000, capacity: 1 });
    limiter.take('a', 2, 0);
    expect(limiter.evictIdle(59_999.9, 100)).toBe(0);
    expect(limiter.take('a', 2, 59_999.9)).toBeGreaterThan(0);
    expect(limiter.evictIdle(60_000, 100)).toBe(1);
    expect(limiter.size).toBe(0);
    expect(limiter.take('a', 2, 60_000)).toBe(0);
  });

  it('regression: state of keys that went away piled up for ever', () => {
    const limiter = new KeyedGcra({ ...PER_SECOND, capacity: 1_000_000 });
    let most = 0;
    for (let key = 0; key < 50_000; key += 1) {
      expect(limiter.take(`k${key}`, 1, key)).toBe(0);
      most = Math.max(most, limiter.size);
    }
    expect(most).toBeLessThanOrEqual(1100);
    limiter.evictIdle(1e6, 1_000_000);
    expect(limiter.size).toBe(0);
  });

  it('evictIdle looks at no more rows than it is told', () => {
    const limiter = new KeyedGcra({ ...PER_SECOND, capacity: 100 });
    for (let key = 0; key < 50; key += 1) limiter.take(`k${key}`, 1, 0);
    expect(limiter.evictIdle(5000, 7)).toBe(7);
    expect(limiter.size).toBe(43);
  });

  it('a key that was busy since it was entered is not the one to go', () => {
    const limiter = new KeyedGcra({ count: 2, periodMs: 1000, capacity: 2 });
    limiter.take('early but busy', 1, 0);
    limiter.take('late', 1, 300);
    limiter.take('early but busy', 1, 400);
    expect(400 + limiter.peek('new', 1, 400)).toBe(800);
    limiter.take('new', 1, 800);
    expect(limiter.remaining('early but busy', 800)).toBe(1);
  });

  it('re-reckons which key is free first when the rate changes', () => {
    const limiter = new KeyedGcra({ count: 1, periodMs: 60_000, capacity: 1 });
    limiter.take('a', 1, 0);
    expect(limiter.peek('b', 1, 10)).toBe(59_990);
    limiter.setRate({ count: 1, periodMs: 1000 }, 10);
    const wait = limiter.peek('b', 1, 10);
    expect(wait).toBeLessThanOrEqual(1000);
    expect(limiter.take('b', 1, 10 + wait)).toBe(0);
  });

  it('gives rows back by the new rate, not by the one they were taken under', () => {
    const limiter = new KeyedGcra({ count: 1, periodMs: 60_000, capacity: 4 });
    limiter.take('a', 1, 0);
    limiter.take('b', 1, 5);
    limiter.setRate({ count: 1, periodMs: 1000 }, 10);
    expect(limiter.evictIdle(1010, 10)).toBe(2);
  });

  it('a clock set back by an hour locks nobody out of a full table', () => {
    const limiter = new KeyedGcra({ ...PER_SECOND, capacity: 1 });
    limiter.take('a', 1, 1e7);
    const wait = limiter.peek('b', 1, 1e7 - 3_600_000);
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(1000);
    expect(limiter.take('b', 1, 1e7 - 3_600_000 + wait)).toBe(0);
  });

  it('holds any algorithm of the family', () => {
    const limiter = new KeyedLimiter(
      { ...PER_SECOND, capacity: 1 },
      (limit) => new FixedWindowAlgorithm(limit),
    );
    limiter.take('a', 1, 5);
    expect(limiter.take('b', 1, 5)).toBe(1000);
    expect(limiter.take('b', 1, 1005)).toBe(0);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses a capacity of %d', (capacity) => {
    expect(() => new KeyedGcra({ ...PER_SECOND, capacity })).toThrow(RangeError);
  });

  it('property: decides for every key as a limiter of its own would, eviction and all', () => {
    const ask = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      waitMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 800 })),
      cost: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(ask, { maxLength: 80 }), fc.integer({ min: 1, max: 6 }), (asks, capacity) => {
        const table = new KeyedGcra({ count: 3, periodMs: 1000, capacity });
        const alone = new Map<string, Gcra>();
        let now = 0;
        for (const { key, waitMs, cost } of asks) {
          now += waitMs;
          const own = alone.get(key) ?? new Gcra({ count: 3, periodMs: 1000 });
          alone.set(key, own);
          const full = table.refusedFull;
          const verdict = table.take(key, cost, now);
          if (table.refusedFull === full) expect(verdict).toBe(own.take(cost, now));
          else {
            expect(verdict).toBeGreaterThan(0);
            const owing = [...alone.values()].filter((each) => each.remaining(now) < 3).length;
            expect(owing).toBe(capacity);
          }
          expect(table.size).toBeLessThanOrEqual(capacity);
        }
      }),
      { numRuns: 300 },
    );
  });
});
