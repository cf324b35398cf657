/**
 * Token bucket: a bucket of `burst` tokens gains `count` tokens each
 * `periodMs`, and a cost takes as many tokens as it has units.
 *
 * Guarantee: over any window of W ms at most `burst + W * count / periodMs`
 * units pass. That is GCRA's guarantee too, and the two agree on every decision
 * up to rounding; they differ in what they keep. This one keeps the tokens that
 * were missing after the latest charge (so that zeroes mean a full bucket) and
 * refills by the exact time since, as a fraction. Whole tokens would starve a
 * busy caller: each call would round the fraction of a token it waited for away.
 */
import { burstOf, type RateAlgorithm, type RateLimit } from './limiter.ts';
import { RateLimiter } from './rate-limiter.ts';

/** Fields of the state. */
const CHARGED_AT = 0;
const MISSING = 1;

export class TokenBucketAlgorithm implements RateAlgorithm {
  readonly stride = 2;
  readonly burst: number;
  readonly periodMs: number;
  readonly #count: number;

  constructor(limit: RateLimit) {
    this.burst = burstOf(limit);
    this.periodMs = limit.periodMs;
    this.#count = limit.count;
  }

  earliest(state: Float64Array, at: number, cost: number): number {
    if (this.burst === Number.POSITIVE_INFINITY) return Number.NEGATIVE_INFINITY;
    const lacking = state[at + MISSING]! + cost - this.burst;
    if (lacking <= 0) return Number.NEGATIVE_INFINITY;
    if (this.#count === 0) return Number.POSITIVE_INFINITY;
    return state[at + CHARGED_AT]! + (lacking * this.periodMs) / this.#count;
  }

  charge(state: Float64Array, at: number, cost: number, now: number): void {
    if (this.burst === Number.POSITIVE_INFINITY) return;
    state[at + MISSING] = this.outstanding(state, at, now) + cost;
    state[at + CHARGED_AT] = now;
  }

  outstanding(state: Float64Array, at: number, now: number): number {
    if (this.burst === Number.POSITIVE_INFINITY) return 0;
    const gained = ((now - state[at + CHARGED_AT]!) * this.#count) / this.periodMs;
    return Math.max(0, state[at + MISSING]! - gained);
  }

  shift(state: Float64Array, at: number, byMs: number): void {
    state[at + CHARGED_AT] = state[at + CHARGED_AT]! + byMs;
  }

  adopt(state: Float64Array, at: number, previous: RateAlgorithm, now: number): void {
    const missing = previous.outstanding(state, at, now);
    state[at + CHARGED_AT] = now;
    // A closed limiter (count 0) holds what it was given, for the rate that opens it again.
    state[at + MISSING] = this.#count === 0 ? missing : Math.min(missing, this.burst);
  }
}

/** One token bucket on one thing. */
export class TokenBucket extends RateLimiter {
  constructor(limit: RateLimit) {
    super(limit, (rate) => new TokenBucketAlgorithm(rate));
  }
}
