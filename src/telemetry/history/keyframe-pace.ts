/**
 * How far apart a stream's keyframes are, found by looking at their count a few
 * times a second: one look is off by the time between two looks, so it is
 * averaged over several keyframes.
 */

/** Keyframes of this stretch are averaged, ms: looks 250 ms apart are then 3 % at the most. */
const SPAN_MS = 8_000;

export class KeyframePace {
  #count = 0;
  /** when the last one was seen, and one further back from which the average is taken; NaN = none yet */
  #lastAt = Number.NaN;
  #anchorAt = Number.NaN;
  #anchorCount = 0;

  /** `count`: keyframes since the stream began. */
  see(count: number, now: number): void {
    if (count === this.#count) return;
    if (!(now - this.#anchorAt < SPAN_MS)) {
      // The first that is seen came at an unknown time before; from the next on, the last one is the anchor.
      this.#anchorAt = Number.isNaN(this.#lastAt) ? now : this.#lastAt;
      this.#anchorCount = Number.isNaN(this.#lastAt) ? count : this.#count;
    }
    this.#count = count;
    this.#lastAt = now;
  }

  /** ms between two keyframes; since the last one when it has been longer; NaN before there were two. */
  intervalMs(now: number): number {
    const keyframes = this.#count - this.#anchorCount;
    const sinceMs = now - this.#lastAt;
    return keyframes <= 0 ? Number.NaN : Math.max((this.#lastAt - this.#anchorAt) / keyframes, sinceMs);
  }
}
