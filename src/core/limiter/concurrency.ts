/**
 * Concurrency: at most `limit` units held at once, each until it is given
 * back. Room returns when somebody leaves, which no clock can tell, so a denial
 * says AT_RELEASE and promises no time.
 *
 * Units are whole numbers: sums of whole numbers come back to exactly zero.
 */
import type { Lease } from '../verdict.ts';
import { AT_RELEASE, type Limiter, NEVER } from './limiter.ts';

export class Concurrency implements Limiter {
  #limit: number;
  #held = 0;

  /** @param limit units held at once: a whole number, or Infinity for no limit */
  constructor(limit: number) {
    this.#limit = checkedLimit(limit);
  }

  /** Units held now. */
  get held(): number {
    return this.#held;
  }

  peek(cost: number): number {
    assertUnits(cost);
    if (cost === 0) return 0;
    if (cost > this.#limit) return NEVER;
    return this.#held + cost <= this.#limit ? 0 : AT_RELEASE;
  }

  /** Holds `cost` units if there is room. Each take that passed needs one `release` of as much. */
  take(cost: number): number {
    const verdict = this.peek(cost);
    if (verdict === 0) this.#held += cost;
    return verdict;
  }

  /** Gives back `cost` units taken before; throws when that is more than is held. */
  release(cost: number): void {
    assertUnits(cost);
    if (cost > this.#held) throw new RangeError(`released ${cost} of ${this.#held} held`);
    this.#held -= cost;
  }

  /** `take` with its release tied to it, or null when denied (`peek` says why). */
  acquire(cost: number): Lease | null {
    if (this.take(cost) !== 0) return null;
    let held = true;
    return {
      release: () => {
        if (held) this.release(cost);
        held = false;
      },
    };
  }

  remaining(): number {
    return Math.max(0, this.#limit - this.#held);
  }

  /** Changes the limit live. Nothing held is taken back; a lower limit bites as holders leave. */
  setLimit(limit: number): void {
    this.#limit = checkedLimit(limit);
  }
}

function checkedLimit(limit: number): number {
  if (limit === Number.POSITIVE_INFINITY || (Number.isInteger(limit) && limit >= 0)) return limit;
  throw new RangeError(`a concurrency limit is a whole number or Infinity, not ${limit}`);
}

function assertUnits(cost: number): void {
  if (!(Number.isInteger(cost) && cost >= 0)) throw new RangeError(`held units are whole, not ${cost}`);
}
