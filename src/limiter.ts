/**
 * The limiter family, for anything: each member answers "may `cost` units pass
 * now?" with a number. 0 is yes, n is "in n ms and not one instant earlier",
 * `NEVER` is more than it ever lets through. Time is passed in; `now` reads the
 * monotonic clock for those who have no other.
 *
 * ```ts
 * import { Gcra, KeyedLimiter, ALGORITHMS, now, rate } from 'headgate/limiter';
 *
 * const mails = new Gcra({ ...rate('100/min'), burst: 10 });
 * const waitMs = mails.take(1, now());
 *
 * const perUser = new KeyedLimiter({ ...rate('5/s'), capacity: 10_000 }, ALGORITHMS['sliding-window']);
 * if (perUser.take('alice', 1, now()) > 0) throw new Error('slow down, alice');
 * ```
 *
 * @module headgate/limiter
 */
import type { EventRate } from './core/limits.ts';
import { parseEventRate } from './core/units.ts';

export { ALGORITHM_NAMES, ALGORITHMS, type AlgorithmName } from './core/limiter/algorithms.ts';
export { Concurrency } from './core/limiter/concurrency.ts';
export { FixedWindow } from './core/limiter/fixed-window.ts';
export { Gcra } from './core/limiter/gcra.ts';
export { KeyedGcra, KeyedLimiter, type KeyedRateLimit } from './core/limiter/keyed.ts';
export { LeakyBucket } from './core/limiter/leaky-bucket.ts';
export {
  type AlgorithmOf,
  AT_RELEASE,
  type Limiter,
  NEVER,
  type RateAlgorithm,
  type RateLimit,
} from './core/limiter/limiter.ts';
export { RateLimiter } from './core/limiter/rate-limiter.ts';
export { SlidingWindow } from './core/limiter/sliding-window.ts';
export { TokenBucket } from './core/limiter/token-bucket.ts';
export type { EventRate } from './core/limits.ts';
export type { Lease } from './core/verdict.ts';
export { monotonicMs as now } from './lib/clock.ts';

/** Reads a rate as the config writes it: `'100/min'`, `'2000/s'`, `'10/h'`. Throws a RangeError for anything else. */
export function rate(text: string): EventRate {
  const parsed = parseEventRate(text);
  if (!parsed.ok) throw new RangeError(parsed.problem);
  return parsed.value;
}
