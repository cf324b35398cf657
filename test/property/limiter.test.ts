import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Gcra } from '../../src/core/limiter/gcra.ts';
import { LeakyBucket } from '../../src/core/limiter/leaky-bucket.ts';
import { TokenBucket } from '../../src/core/limiter/token-bucket.ts';

/**
 * Moments in whole ms, and intervals that are no whole number of 1/64 ms: a
 * decision is then never closer to its edge than rounding can reach.
 */
const asks = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 5 })), {
  maxLength: 200,
});

describe('the bucket algorithms', () => {
  it('property: agree with one another on every decision, and on when, within a microsecond', () => {
    fc.assert(
      fc.property(asks, fc.integer({ min: 5, max: 30 }), (played, count) => {
        const limit = { count, periodMs: 1000.7 };
        const gcra = new Gcra(limit);
        const others = [new TokenBucket(limit), new LeakyBucket(limit)];
        let now = 0;
        for (const [waitMs, cost] of played) {
          now += waitMs + 1 / 64;
          const verdict = gcra.take(cost, now);
          for (const other of others) expect(other.take(cost, now)).toBeCloseTo(verdict, 3);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('property: a limiter that is told to change nothing decides as one that is left alone', () => {
    fc.assert(
      fc.property(asks, fc.integer({ min: 5, max: 30 }), (played, count) => {
        const limit = { count, periodMs: 1000.7 };
        const told = new Gcra(limit);
        const alone = new Gcra(limit);
        let now = 0;
        for (const [waitMs, cost] of played) {
          now += waitMs + 1 / 64;
          told.setRate(limit, now);
          expect(told.take(cost, now)).toBeCloseTo(alone.take(cost, now), 3);
        }
      }),
      { numRuns: 300 },
    );
  });
});
