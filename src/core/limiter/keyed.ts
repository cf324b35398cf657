/**
 * One rate limit held on each of many keys (addresses, clients) in bounded
 * memory.
 *
 * A key has a row in one flat array from its first admitted take until its
 * state cannot be told from a fresh one; only then may the row go to another
 * key, so that eviction never refunds anything. Denied and peeked keys get no
 * row: strangers cannot fill the table by being refused.
 *
 * When every row is held by a key that still owes, a new key is refused until
 * the first of them is fresh again, and is told exactly when that is. Letting it
 * in at the price of another's state would hand a flood of addresses a way
 * around the limit. `refusedFull` counts these answers.
 *
 * Which row is fresh first is kept in a heap of instants. A take makes its key
 * fresh later, and the heap is left to find that out when the key comes up: an
 * entry is never later than the truth.
 */
import { GcraAlgorithm } from './gcra.ts';
import { delayUntil } from './instants.ts';
import {
  type AlgorithmOf,
  assertCost,
  CLOCK_STALE_MS,
  NEVER,
  type RateAlgorithm,
  type RateLimit,
} from './limiter.ts';
import { remainingOf, verdictOf } from './rate-limiter.ts';
import { SlotHeap } from './slot-heap.ts';

/** A rate on each of at most `capacity` keys at once. */
export interface KeyedRateLimit extends RateLimit {
  readonly capacity: number;
}

/** Rows looked at for each new key: more than one, so that a table past its rush hour shrinks. */
const CLEARED_PER_CLAIM = 2;

export class KeyedLimiter {
  readonly capacity: number;
  readonly #algorithmOf: AlgorithmOf;
  #algorithm: RateAlgorithm;
  readonly #state: Float64Array;
  readonly #slotOf = new Map<string, number>();
  readonly #keyOf: string[] = [];
  readonly #free: number[] = [];
  readonly #byFreshness: SlotHeap;
  #latest = 0;
  #refusedFull = 0;
  #evicted = 0;

  constructor(limit: KeyedRateLimit, algorithmOf: AlgorithmOf) {
    if (!(Number.isInteger(limit.capacity) && limit.capacity > 0)) {
      throw new RangeError(`a capacity is a whole number above 0, not ${limit.capacity}`);
    }
    this.capacity = limit.capacity;
    this.#algorithmOf = algorithmOf;
    this.#algorithm = algorithmOf(limit);
    // Untouched pages cost nothing: the system backs them when a key first uses them.
    this.#state = new Float64Array(limit.capacity * this.#algorithm.stride);
    this.#byFreshness = new SlotHeap(limit.capacity);
  }

  /** Keys that hold a row now. */
  get size(): number {
    return this.#slotOf.size;
  }

  /** The largest cost that can ever pass for one key, units. */
  get burst(): number {
    return this.#algorithm.burst;
  }

  /** Verdicts that were denials only because no row was free, peeks included. */
  get refusedFull(): number {
    return this.#refusedFull;
  }

  /** Rows taken back from keys whose state was as good as fresh. */
  get evicted(): number {
    return this.#evicted;
  }

  /** The verdict `take` would give now; consumes nothing and holds no row. */
  peek(key: string, cost: number, now: number): number {
    return this.#verdict(this.#slotOf.get(key), cost, now, this.#time(now));
  }

  /** Charges `cost` to `key` if it conforms. Verdicts as in `limiter.ts`. */
  take(key: string, cost: number, now: number): number {
    const time = this.#time(now);
    const held = this.#slotOf.get(key);
    const verdict = this.#verdict(held, cost, now, time);
    if (verdict !== 0 || cost === 0 || this.burst === Number.POSITIVE_INFINITY) return verdict;
    const slot = held ?? this.#claim(key, time);
    this.#algorithm.charge(this.#state, this.#at(slot), cost, time);
    if (held === undefined) this.#byFreshness.push(slot, this.#freshAt(slot));
    this.#latest = time;
    return 0;
  }

  /** Keys that hold a row and for which a cost of 1 would not pass now. */
  *exhausted(now: number): Generator<string> {
    const time = this.#time(now);
    for (const [key, slot] of this.#slotOf) {
      if (verdictOf(this.#algorithm, this.#state, this.#at(slot), 1, now, time) !== 0) yield key;
    }
  }

  /** The largest whole cost that would pass for `key` now, a free row granted. */
  remaining(key: string, now: number): number {
    const slot = this.#slotOf.get(key);
    if (slot === undefined) return Math.floor(this.burst);
    return remainingOf(this.#algorithm, this.#state, this.#at(slot), this.#time(now));
  }

  /** How long until nothing that `key` took counts any more, ms; 0 when nothing does, Infinity when that never comes. */
  wholeInMs(key: string, now: number): number {
    const slot = this.#slotOf.get(key);
    return slot === undefined ? 0 : Math.max(0, this.#freshAt(slot) - this.#time(now));
  }

  /**
   * Gives back rows of keys that are as good as fresh, looking at no more than
   * `maxSteps` of them. Needed only to return memory early: a full table evicts
   * by itself. Returns how many rows came free.
   */
  evictIdle(now: number, maxSteps: number): number {
    const time = this.#time(now);
    const before = this.#evicted;
    for (let step = 0; step < maxSteps && this.#byFreshness.size > 0; step += 1) {
      if (this.#byFreshness.topInstant > time) break;
      const freshAt = this.#freshAt(this.#byFreshness.topSlot);
      if (freshAt <= time) this.#evictTop();
      else this.#byFreshness.postpone(freshAt);
    }
    return this.#evicted - before;
  }

  /** Changes the rate of every key live. What was consumed stays consumed, up to the whole new burst. */
  setRate(limit: RateLimit, now: number): void {
    const next = this.#algorithmOf(limit);
    const time = this.#time(now);
    for (const slot of this.#slotOf.values()) next.adopt(this.#state, this.#at(slot), this.#algorithm, time);
    this.#algorithm = next;
    this.#latest = time;
    this.#byFreshness.rebuild((slot) => this.#freshAt(slot));
  }

  #at(slot: number): number {
    return slot * this.#algorithm.stride;
  }

  #freshAt(slot: number): number {
    return this.#algorithm.earliest(this.#state, this.#at(slot), this.burst);
  }

  #verdict(slot: number | undefined, cost: number, now: number, time: number): number {
    if (slot !== undefined) return verdictOf(this.#algorithm, this.#state, this.#at(slot), cost, now, time);
    assertCost(cost);
    if (cost > this.burst) return NEVER;
    if (this.size < this.capacity || cost === 0 || this.burst === Number.POSITIVE_INFINITY) return 0;
    const freeAt = this.#firstFreeAt();
    if (freeAt <= time) return 0;
    this.#refusedFull += 1;
    return freeAt === Number.POSITIVE_INFINITY ? NEVER : delayUntil(freeAt, now);
  }

  /** The instant at which the first row of a full table can be taken back. */
  #firstFreeAt(): number {
    for (;;) {
      const freshAt = this.#freshAt(this.#byFreshness.topSlot);
      if (freshAt <= this.#byFreshness.topInstant) return freshAt;
      this.#byFreshness.postpone(freshAt);
    }
  }

  /** A row for a key that conforms; a full table has a fresh row at its top, `#verdict` made sure. */
  #claim(key: string, time: number): number {
    if (this.size === this.capacity) this.#evictTop();
    else this.evictIdle(time, CLEARED_PER_CLAIM);
    const slot = this.#free.pop() ?? this.#keyOf.length;
    this.#state.fill(0, this.#at(slot), this.#at(slot + 1));
    this.#keyOf[slot] = key;
    this.#slotOf.set(key, slot);
    return slot;
  }

  #evictTop(): void {
    const slot = this.#byFreshness.topSlot;
    this.#byFreshness.pop();
    this.#slotOf.delete(this.#keyOf[slot]!);
    this.#keyOf[slot] = '';
    this.#free.push(slot);
    this.#evicted += 1;
  }

  /** `now` as the state understands it; see CLOCK_STALE_MS. */
  #time(now: number): number {
    return now >= this.#latest ? now : this.#wentBack(now);
  }

  #wentBack(now: number): number {
    if (Number.isNaN(now)) throw new RangeError('time is a number');
    if (this.#latest - now <= CLOCK_STALE_MS) return this.#latest;
    const byMs = now - this.#latest;
    for (const slot of this.#slotOf.values()) this.#algorithm.shift(this.#state, this.#at(slot), byMs);
    this.#latest = now;
    this.#byFreshness.rebuild((slot) => this.#freshAt(slot));
    return now;
  }
}

/** A GCRA on each of many keys. */
export class KeyedGcra extends KeyedLimiter {
  constructor(limit: KeyedRateLimit) {
    super(limit, (rate) => new GcraAlgorithm(rate));
  }
}
