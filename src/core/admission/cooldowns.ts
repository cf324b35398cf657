import { delayUntil } from '../limiter/instants.ts';

/** A key is refused until this instant, and why. */
export interface Cooldown {
  readonly untilMs: number;
  /** the reason word of the cut that started it */
  readonly cause: string;
}

/** Entries looked at for each new one: more than one, so that expired ones go faster than new ones come. */
const SWEPT_PER_START = 2;

/**
 * Keys that are refused for a while, in bounded memory. When it is full of
 * running cooldowns, the one started longest ago is forgotten and counted: each
 * entry cost its owner a live stream, so nobody fills the table for free.
 */
export class Cooldowns {
  readonly capacity: number;
  readonly #entries = new Map<string, Cooldown>();
  /** A Map's iterator stays valid while entries come and go, so the sweep resumes where it stopped. */
  #sweep: Iterator<[string, Cooldown]> | null = null;
  #forgotten = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Running cooldowns dropped for want of room. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Starts one or makes a running one longer; a shorter one changes nothing. 0 ms starts none, Infinity has no end. */
  start(key: string, ms: number, cause: string, now: number): void {
    const untilMs = now + ms;
    if (!(ms > 0) || (this.#entries.get(key)?.untilMs ?? 0) >= untilMs) return;
    this.evictIdle(now, SWEPT_PER_START);
    this.#entries.delete(key);
    if (this.#entries.size >= this.capacity) this.#forgetOldest();
    this.#entries.set(key, { untilMs, cause });
  }

  /** ms until the key is let in again, exact to the last bit; 0 when it is now. */
  remainingMs(key: string, now: number): number {
    const entry = this.#entries.get(key);
    if (entry === undefined) return 0;
    if (entry.untilMs === Number.POSITIVE_INFINITY) return entry.untilMs;
    return entry.untilMs > now ? delayUntil(entry.untilMs, now) : 0;
  }

  /** Drops expired entries, looking at no more than `maxSteps`; later calls go on from there. */
  evictIdle(now: number, maxSteps: number): void {
    for (let step = 0; step < maxSteps && this.#entries.size > 0; step++) {
      this.#sweep ??= this.#entries.entries();
      const next = this.#sweep.next();
      if (next.done === true) this.#sweep = null;
      else if (next.value[1].untilMs <= now) this.#entries.delete(next.value[0]);
    }
  }

  /** Those still running. */
  *running(now: number): Generator<readonly [key: string, cooldown: Cooldown]> {
    for (const entry of this.#entries) if (entry[1].untilMs > now) yield entry;
  }

  #forgetOldest(): void {
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key);
      this.#forgotten++;
      return;
    }
  }
}
