/**
 * The port of the limiter family, and the words its members share.
 *
 * A limiter answers one question, "may `cost` units pass now?", with a number,
 * so that a decision allocates nothing:
 *
 * - `0`: yes. `take` has charged it, `peek` has not.
 * - `n > 0`: not yet. The answer is honest to the last bit of a double: at
 *   `now + n` it passes if nothing else happened, and at any instant below that
 *   which `now` plus a delay can name, it does not.
 * - `NEVER` (Infinity): more than the limiter ever lets through at once.
 * - `AT_RELEASE` (-1): not yet, and no clock can tell when, because room comes
 *   back by somebody's leaving (`Concurrency` only).
 *
 * A denied `take` charges nothing. Time is passed in as monotonic milliseconds
 * (0 or more, fractions welcome). Costs are 0 or more, fractions welcome; a
 * cost of 0 always passes. A NaN or negative cost is a mistake of the program
 * and throws a RangeError.
 */
import type { EventRate } from '../limits.ts';

/** Verdict: this cost exceeds what the limiter ever lets through at once. */
export const NEVER = Number.POSITIVE_INFINITY;

/** Verdict: denied until something held is released; when is not known. */
export const AT_RELEASE = -1;

/**
 * The parameters of every rate limiter: `count` units per `periodMs`. `burst`
 * is what may pass at one instant after a rest, in units; it defaults to
 * `count`, and to 1 where `count` lies between 0 and 1, so that one event a
 * period can pass at all. A count of 0 admits nothing; an infinite count or
 * burst admits everything.
 */
export interface RateLimit extends EventRate {
  readonly burst?: number;
}

/** One limiter on one thing. Times are monotonic ms; verdicts as above. */
export interface Limiter {
  /** The verdict `take` would give now; consumes nothing. */
  peek(cost: number, now: number): number;
  /** Charges `cost` if it conforms. */
  take(cost: number, now: number): number;
  /** The largest whole cost that would pass now. */
  remaining(now: number): number;
}

/**
 * One rate algorithm, apart from where its state lives and how time is kept:
 * `stride` doubles from index `at` of `state`, all zero when fresh. That makes
 * one limiter and a table of a million keyed ones the same code.
 *
 * The heart is `earliest`: the instant from which a cost conforms depends on
 * the state alone and not on the present, so a decision is the comparison
 * `earliest <= now`, and a promise cannot disagree with the decision that is
 * later made on it.
 */
export interface RateAlgorithm {
  readonly stride: number;
  /** the largest cost that ever conforms, units */
  readonly burst: number;
  readonly periodMs: number;
  /**
   * The first instant at which `cost` conforms (0 < cost <= burst, or any burst
   * of 0). Asked for the whole burst, it is the instant from which the state
   * cannot be told from a fresh one.
   */
  earliest(state: Float64Array, at: number, cost: number): number;
  /** Charges a cost that conforms at `now`, which is never before an earlier charge. */
  charge(state: Float64Array, at: number, cost: number, now: number): void;
  /** Units charged and not yet given back at `now`. */
  outstanding(state: Float64Array, at: number, now: number): number;
  /** Moves every instant in the state, because the clock stepped. */
  shift(state: Float64Array, at: number, byMs: number): void;
  /**
   * Rewrites state kept under `previous` for this algorithm's rate: what was
   * consumed stays consumed, up to the whole new burst, so that nobody waits for
   * longer than the new limit takes to fill.
   */
  adopt(state: Float64Array, at: number, previous: RateAlgorithm, now: number): void;
}

/** Builds an algorithm for a rate; how a limiter changes its rate live. */
export type AlgorithmOf = (limit: RateLimit) => RateAlgorithm;

/**
 * A `now` older than the latest charge by up to this much is taken for a stale
 * reading, say of a batch stamped before a stall of the loop: time stands still
 * for it, nothing is refunded. A greater step back can only be a clock that was
 * set back, and the state moves along with it so that nobody is locked out for
 * the length of the step.
 */
export const CLOCK_STALE_MS = 1000;

/** The burst of a limit as its documentation defines it; throws on values that mean nothing. */
export function burstOf(limit: RateLimit): number {
  const { count, periodMs } = limit;
  if (!(count >= 0)) throw new RangeError(`a rate's count is 0 or more, not ${count}`);
  if (!(periodMs > 0 && periodMs < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`a rate's period is a finite number of ms above 0, not ${periodMs}`);
  }
  if (count === 0) return 0;
  if (count === Number.POSITIVE_INFINITY) return count;
  const burst = limit.burst ?? Math.max(1, count);
  if (!(burst > 0)) throw new RangeError(`a rate's burst is above 0, not ${burst}`);
  return burst;
}

/**
 * The burst of a window limit. A window has no burst apart from its count; a
 * limit that asks for another is refused rather than half kept.
 */
export function windowCountOf(limit: RateLimit): number {
  const burst = burstOf(limit);
  if (limit.count > 0 && limit.count !== burst) {
    throw new RangeError(`a window admits whole counts: a burst of ${burst} needs a count of ${burst}`);
  }
  return burst;
}

/** Throws for a cost that can only be a mistake of the program. */
export function assertCost(cost: number): void {
  if (!(cost >= 0)) throw new RangeError(`a cost is 0 or more, not ${cost}`);
}
