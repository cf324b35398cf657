/**
 * GCRA, the generic cell rate algorithm (ITU-T I.371, "virtual scheduling").
 *
 * Picture a source sending evenly at exactly the rate, one unit each
 * `interval = periodMs / count`. The theoretical arrival time (TAT) is when its
 * next unit would be due. A unit that comes earlier than that is tolerated while
 * it is early by no more than the burst: `TAT + cost * interval - burst *
 * interval <= now`. Each admitted cost moves the TAT on by `cost * interval`
 * from itself or from now, whichever is later.
 *
 * Guarantee: over any window of W ms at most `burst + W * count / periodMs`
 * units pass.
 *
 * The TAT is kept as an anchor instant and the units charged since then, not as
 * a running sum of intervals. Units add up exactly, so a busy limiter does not
 * drift however long it has been up, and n units of cost 1 leave the same bits
 * as one of cost n.
 */
import { burstOf, type RateAlgorithm, type RateLimit } from './limiter.ts';
import { RateLimiter } from './rate-limiter.ts';

/** Fields of the state. */
const ANCHOR = 0;
const UNITS = 1;

export class GcraAlgorithm implements RateAlgorithm {
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
    const early = state[at + UNITS]! + cost - this.burst;
    if (this.#count === 0) return early > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    return state[at + ANCHOR]! + (early * this.periodMs) / this.#count;
  }

  charge(state: Float64Array, at: number, cost: number, now: number): void {
    if (this.burst === Number.POSITIVE_INFINITY) return;
    const units = state[at + UNITS]!;
    const tat = state[at + ANCHOR]! + (units * this.periodMs) / this.#count;
    // Strictly later: at the very TAT its own anchor is the more exact one.
    if (now > tat) {
      state[at + ANCHOR] = now;
      state[at + UNITS] = cost;
    } else {
      state[at + UNITS] = units + cost;
    }
  }

  outstanding(state: Float64Array, at: number, now: number): number {
    if (this.burst === Number.POSITIVE_INFINITY) return 0;
    return Math.max(0, state[at + UNITS]! - ((now - state[at + ANCHOR]!) * this.#count) / this.periodMs);
  }

  shift(state: Float64Array, at: number, byMs: number): void {
    state[at + ANCHOR] = state[at + ANCHOR]! + byMs;
  }

  adopt(state: Float64Array, at: number, previous: RateAlgorithm, now: number): void {
    const units = previous.outstanding(state, at, now);
    state[at + ANCHOR] = now;
    // A closed limiter (count 0) holds what it was given, for the rate that opens it again.
    state[at + UNITS] = this.#count === 0 ? units : Math.min(units, this.burst);
  }
}

/** One GCRA on one thing. */
export class Gcra extends RateLimiter {
  constructor(limit: RateLimit) {
    super(limit, (rate) => new GcraAlgorithm(rate));
  }
}
