import { monotonicMs } from '../../lib/clock.ts';
import type { LiveStream } from '../live-stream.ts';

/**
 * Turns a debt into a pause: reading stops for as long as the debt takes to
 * repay, TCP's window closes, and the encoder feels it. Nothing is lost.
 */

/** Shorter debts are carried over to the next read: a timer cannot keep them, and none is forgotten. */
const PAUSE_MIN_MS = 1;

/** A long debt is looked at again this often, so that raised limits and freed budgets are felt within a second. */
const PAUSE_MAX_MS = 1_000;

export class Pacer {
  readonly #setPaused: (paused: boolean) => void;
  readonly #owed: (now: number) => number;
  #timer: NodeJS.Timeout | null = null;
  #since = 0;
  #until = 0;
  #totalMs = 0;
  #stream: LiveStream | null = null;

  /** `owed` answers the ms that the stream still has to wait at `now`. */
  constructor(setPaused: (paused: boolean) => void, owed: (now: number) => number) {
    this.#setPaused = setPaused;
    this.#owed = owed;
  }

  get paused(): boolean {
    return this.#timer !== null;
  }

  /** ms held back so far, the pause going on included. */
  totalMs(now: number): number {
    return this.#totalMs + this.heldMs(now);
  }

  /** ms the pause going on has lasted, 0 while there is none. */
  heldMs(now: number): number {
    return this.paused ? now - this.#since : 0;
  }

  pauseFor(delayMs: number, now: number, stream: LiveStream | null): void {
    if (delayMs < PAUSE_MIN_MS || this.#timer !== null) return;
    this.#since = now;
    this.#until = now + delayMs;
    this.#stream = stream;
    this.#setPaused(true);
    this.#wakeIn(delayMs);
  }

  /** The limits changed: a pause that is no longer owed ends now, one that is owed is measured anew. */
  recheck(now: number): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    const owedMs = this.#owed(now);
    this.#until = now + owedMs;
    this.#goOn(owedMs, now);
  }

  /** Forgets the pause without resuming: the connection is over. */
  clear(now: number): void {
    if (this.#timer === null) return;
    const heldMs = this.heldMs(now);
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#totalMs += heldMs;
    this.#stream?.heldBack(heldMs, now);
    this.#stream = null;
  }

  /** Whoever has charged a shared budget since the pause began comes after this stream, so it never waits for them. */
  #wake(now: number): void {
    this.#goOn(Math.min(this.#owed(now), this.#until - now), now);
  }

  #goOn(leftMs: number, now: number): void {
    if (leftMs >= PAUSE_MIN_MS) {
      this.#wakeIn(leftMs);
      return;
    }
    this.clear(now);
    this.#setPaused(false);
  }

  #wakeIn(delayMs: number): void {
    this.#timer = setTimeout(() => this.#wake(monotonicMs()), Math.min(delayMs, PAUSE_MAX_MS));
  }
}
