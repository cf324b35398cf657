/**
 * Sliding window in constant memory: no span of `periodMs`, wherever it
 * begins, sees more than `count` units.
 *
 * Time is cut into slices of a sixteenth of the period, and a unit counts
 * from its arrival until the whole slice it came in is older than the period.
 * So the limit is never exceeded, and the price of not keeping a log of every
 * arrival is a unit that counts up to one slice too long: a steady source
 * gets no less than 16/17 of the count. The common two-window estimate takes
 * less memory and lets a burst at the edge of a window through; a log of
 * arrivals is exact and takes memory by the count, which an operator may set in
 * the thousands.
 *
 * Slices are told apart by number, not by the time of an entry, so any number
 * of units may come in one millisecond, and a period may be shorter than one.
 */
import { nextAbove, nextBelow } from './instants.ts';
import { type RateAlgorithm, type RateLimit, windowCountOf } from './limiter.ts';
import { RateLimiter } from './rate-limiter.ts';

/** Slices per period: a power of two, so that cutting time by it rounds once only. */
const SLICES = 16;
/** The slice being filled, and those that the window still reaches into. */
const RING = SLICES + 1;

/** State: the number of the newest slice, then the units of the RING latest, each at its number modulo RING. */
const NEWEST = 0;
const UNITS = 1;

export class SlidingWindowAlgorithm implements RateAlgorithm {
  readonly stride = UNITS + RING;
  readonly burst: number;
  readonly periodMs: number;

  constructor(limit: RateLimit) {
    this.burst = windowCountOf(limit);
    this.periodMs = limit.periodMs;
  }

  earliest(state: Float64Array, at: number, cost: number): number {
    const newest = state[at + NEWEST]!;
    const first = at + UNITS;
    let index = first + placeOf(newest);
    let units = cost;
    for (let age = 0; age < RING; age += 1) {
      units += state[index]!;
      if (units > this.burst) return this.#startOf(newest - age + RING);
      index = index === first ? first + SLICES : index - 1;
    }
    return Number.NEGATIVE_INFINITY;
  }

  charge(state: Float64Array, at: number, cost: number, now: number): void {
    const newest = state[at + NEWEST]!;
    // After a step of the clock the newest slice may lie a little ahead of now.
    const slice = Math.max(newest, this.#sliceOf(now));
    const first = at + UNITS;
    const place = first + placeOf(slice);
    let index = place;
    for (let stale = Math.min(slice - newest, RING); stale > 0; stale -= 1) {
      state[index] = 0;
      index = index === first ? first + SLICES : index - 1;
    }
    state[at + NEWEST] = slice;
    state[place] = state[place]! + cost;
  }

  outstanding(state: Float64Array, at: number, now: number): number {
    const newest = state[at + NEWEST]!;
    const oldest = Math.max(newest - RING, this.#sliceOf(now) - RING) + 1;
    let units = 0;
    for (let slice = newest; slice >= oldest; slice -= 1) units += state[at + UNITS + placeOf(slice)]!;
    return units;
  }

  /** Slices move whole, and rather late than early: units may count a slice longer, never shorter. */
  shift(state: Float64Array, at: number, byMs: number): void {
    const by = Math.ceil((byMs * SLICES) / this.periodMs);
    const from = state.slice(at + UNITS, at + UNITS + RING);
    const newest = state[at + NEWEST]!;
    for (let slice = newest; slice > newest - RING; slice -= 1) {
      state[at + UNITS + placeOf(slice + by)] = from[placeOf(slice)]!;
    }
    state[at + NEWEST] = newest + by;
  }

  /** With the period unchanged every unit keeps its slice; otherwise all count as if they came now. */
  adopt(state: Float64Array, at: number, previous: RateAlgorithm, now: number): void {
    if (previous.periodMs === this.periodMs) return;
    const units = previous.outstanding(state, at, now);
    state.fill(0, at + UNITS, at + UNITS + RING);
    const slice = this.#sliceOf(now);
    state[at + NEWEST] = slice;
    state[at + UNITS + placeOf(slice)] = units;
  }

  #sliceOf(now: number): number {
    return Math.floor((now * SLICES) / this.periodMs);
  }

  /** The first instant that `#sliceOf` counts to `slice`, rounding and all. */
  #startOf(slice: number): number {
    let instant = (slice * this.periodMs) / SLICES;
    while (this.#sliceOf(instant) < slice) instant = nextAbove(instant);
    while (this.#sliceOf(nextBelow(instant)) >= slice) instant = nextBelow(instant);
    return instant;
  }
}

/** Where a slice is kept in its ring: its number modulo RING, which a shifted clock may make negative. */
function placeOf(slice: number): number {
  const rest = slice % RING;
  return rest < 0 ? rest + RING : rest;
}

/** One sliding window on one thing. */
export class SlidingWindow extends RateLimiter {
  constructor(limit: RateLimit) {
    super(limit, (rate) => new SlidingWindowAlgorithm(rate));
  }
}
