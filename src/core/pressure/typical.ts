/**
 * What is typical of a quantity, and how far single ones stray: two running
 * means, as TCP keeps them of round trips (Jacobson, 1988). Early observations
 * weigh as in a plain mean, later ones by a fixed part, so that it follows
 * change; one that is out of all proportion counts as the largest that is not.
 */

/** Part that an observation weighs once there are many. */
const GAIN = 1 / 16;

/** An observation counts as at most this many times what was typical, and at least that part of it. */
const PROPORTION = 4;

/** Deviations above the mean that `upper` lies. */
const MARGIN = 2;

export class Typical {
  #mean: number;
  #deviation: number;
  #observed = 0;

  /** @param guess what to go by until something was seen, > 0 */
  constructor(guess: number) {
    this.#mean = guess;
    this.#deviation = guess / 2;
  }

  get mean(): number {
    return this.#mean;
  }

  /** What few exceed. */
  get upper(): number {
    return this.#mean + MARGIN * this.#deviation;
  }

  /** What was seen of one. Nothing at all is no observation. */
  observe(value: number): void {
    if (!(value > 0)) return;
    if (this.#observed === 0) {
      this.#mean = value;
      // One says what is typical, and nothing of how others stray.
      this.#deviation = value / 2;
    } else {
      const seen = Math.min(this.#mean * PROPORTION, Math.max(this.#mean / PROPORTION, value));
      const gain = Math.max(GAIN, 1 / (this.#observed + 1));
      this.#deviation += gain * (Math.abs(seen - this.#mean) - this.#deviation);
      this.#mean += gain * (seen - this.#mean);
    }
    this.#observed++;
  }
}
