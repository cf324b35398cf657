/**
 * Fixed window: the first unit opens a window of `periodMs`, in which at most
 * `count` units pass; the first unit after its end opens the next.
 *
 * Guarantee: at most `count` units per window. Two windows may meet, so any
 * span of `periodMs` may see up to twice the count; use it where the count per
 * accounting period is the point, and another member where the rate is.
 */
import { type RateAlgorithm, type RateLimit, windowCountOf } from './limiter.ts';
import { RateLimiter } from './rate-limiter.ts';

/** Fields of the state. */
const OPENED_AT = 0;
const USED = 1;

export class FixedWindowAlgorithm implements RateAlgorithm {
  readonly stride = 2;
  readonly burst: number;
  readonly periodMs: number;

  constructor(limit: RateLimit) {
    this.burst = windowCountOf(limit);
    this.periodMs = limit.periodMs;
  }

  earliest(state: Float64Array, at: number, cost: number): number {
    if (state[at + USED]! + cost <= this.burst) return Number.NEGATIVE_INFINITY;
    return this.#end(state, at);
  }

  charge(state: Float64Array, at: number, cost: number, now: number): void {
    const used = this.outstanding(state, at, now);
    if (used === 0) state[at + OPENED_AT] = now;
    state[at + USED] = used + cost;
  }

  outstanding(state: Float64Array, at: number, now: number): number {
    return now >= this.#end(state, at) ? 0 : state[at + USED]!;
  }

  shift(state: Float64Array, at: number, byMs: number): void {
    state[at + OPENED_AT] = state[at + OPENED_AT]! + byMs;
  }

  /** The window that is open stays open, so that frequent changes cannot keep it from ending. */
  adopt(state: Float64Array, at: number, previous: RateAlgorithm, now: number): void {
    state[at + USED] = previous.outstanding(state, at, now);
  }

  #end(state: Float64Array, at: number): number {
    return state[at + OPENED_AT]! + this.periodMs;
  }
}

/** One fixed window on one thing. */
export class FixedWindow extends RateLimiter {
  constructor(limit: RateLimit) {
    super(limit, (rate) => new FixedWindowAlgorithm(rate));
  }
}
