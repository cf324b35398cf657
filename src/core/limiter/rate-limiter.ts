/**
 * One rate algorithm on one thing: what turns the instant of `earliest` into a
 * verdict, and keeps time from running backwards. Every rate limiter of the
 * family is this class with its own algorithm.
 */
import { delayUntil } from './instants.ts';
import {
  type AlgorithmOf,
  assertCost,
  CLOCK_STALE_MS,
  type Limiter,
  NEVER,
  type RateAlgorithm,
  type RateLimit,
} from './limiter.ts';

/** The verdict on `cost` for the state at `at`, asked at `now`, decided as of `time` (>= now). */
export function verdictOf(
  algorithm: RateAlgorithm,
  state: Float64Array,
  at: number,
  cost: number,
  now: number,
  time: number,
): number {
  assertCost(cost);
  if (cost > algorithm.burst) return NEVER;
  if (cost === 0) return 0;
  const instant = algorithm.earliest(state, at, cost);
  if (instant <= time) return 0;
  return instant === Number.POSITIVE_INFINITY ? NEVER : delayUntil(instant, now);
}

/** The largest whole cost that conforms at `time`. */
export function remainingOf(algorithm: RateAlgorithm, state: Float64Array, at: number, time: number): number {
  const { burst } = algorithm;
  if (burst === Number.POSITIVE_INFINITY) return burst;
  let whole = Math.max(0, Math.floor(burst - algorithm.outstanding(state, at, time)));
  // The estimate is rounded; `earliest` decides, as it will for the take.
  while (whole > 0 && algorithm.earliest(state, at, whole) > time) whole -= 1;
  while (whole + 1 <= burst && algorithm.earliest(state, at, whole + 1) <= time) whole += 1;
  return whole;
}

export abstract class RateLimiter implements Limiter {
  readonly #algorithmOf: AlgorithmOf;
  #algorithm: RateAlgorithm;
  readonly #state: Float64Array;
  /** time of the latest charge, ms: time does not run backwards from here */
  #latest = 0;

  constructor(limit: RateLimit, algorithmOf: AlgorithmOf) {
    this.#algorithmOf = algorithmOf;
    this.#algorithm = algorithmOf(limit);
    this.#state = new Float64Array(this.#algorithm.stride);
  }

  /** The largest cost that can ever pass, units. */
  get burst(): number {
    return this.#algorithm.burst;
  }

  peek(cost: number, now: number): number {
    return verdictOf(this.#algorithm, this.#state, 0, cost, now, this.#time(now));
  }

  take(cost: number, now: number): number {
    const time = this.#time(now);
    const verdict = verdictOf(this.#algorithm, this.#state, 0, cost, now, time);
    if (verdict === 0 && cost > 0) {
      this.#algorithm.charge(this.#state, 0, cost, time);
      this.#latest = time;
    }
    return verdict;
  }

  remaining(now: number): number {
    return remainingOf(this.#algorithm, this.#state, 0, this.#time(now));
  }

  /** Changes the rate live. What was consumed stays consumed, up to the whole new burst. */
  setRate(limit: RateLimit, now: number): void {
    const next = this.#algorithmOf(limit);
    const time = this.#time(now);
    next.adopt(this.#state, 0, this.#algorithm, time);
    this.#algorithm = next;
    this.#latest = time;
  }

  /** `now` as the state understands it; see CLOCK_STALE_MS. */
  #time(now: number): number {
    return now >= this.#latest ? now : this.#wentBack(now);
  }

  #wentBack(now: number): number {
    if (Number.isNaN(now)) throw new RangeError('time is a number');
    if (this.#latest - now <= CLOCK_STALE_MS) return this.#latest;
    this.#algorithm.shift(this.#state, 0, now - this.#latest);
    this.#latest = now;
    return now;
  }
}
