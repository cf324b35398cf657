/**
 * The recent samples of one resource, and the one value that is judged.
 *
 * A mean over seconds says where a resource stands and misses how fast it
 * rises: a step from idle to full takes most of the window to show. Single
 * samples show it at once and cry wolf at every collection of garbage. So the
 * value is the larger of the mean and of what the latest samples *all* reached:
 * up within two samples, down with the mean. It grows with every sample it is
 * made of, and no jump in it is larger than the samples' own.
 *
 * Each sample stands for the time since the one before it, so samples may come
 * at any period; more than fit in are folded into their neighbours.
 */

/** Samples that must agree before they count without the mean: one alone may be a collection of garbage. */
const PULSES = 2;

/** Rows kept, whatever the period: 5 s at the usual 500 ms take 10. */
const ROWS = 64;

/** Part of the window up to which a row is filled. Two that follow each other hold more, so half as many pairs span it. */
const ROW_PART = 2 / ROWS;

export class SampleWindow {
  #windowMs = 0;
  readonly #values = new Float64Array(ROWS);
  readonly #weights = new Float64Array(ROWS);
  readonly #pulses = new Float64Array(PULSES);
  #newest = 0;
  #rows = 0;
  #taken = 0;
  #lastAt = 0;
  #value = 0;

  /** @param windowMs averaging window, above 0 */
  constructor(windowMs: number) {
    this.resize(windowMs);
  }

  /** False until there are enough samples to tell a state from an accident. */
  get settled(): boolean {
    return this.#taken >= PULSES;
  }

  /** Time of the latest sample, ms; 0 before the first. */
  get lastAt(): number {
    return this.#lastAt;
  }

  /** Takes in a sample of the time since the last one. One that is not later than the last is ignored. */
  push(value: number, now: number): void {
    // What the first sample stands for is not known: it weighs as much as the second.
    const sinceMs = this.#taken === 0 ? 0 : now - this.#lastAt;
    if (this.#taken > 0 && sinceMs <= 0) return;
    if (this.#taken === 1) this.#weights[this.#newest] = Math.min(sinceMs, this.#windowMs);
    this.#append(value, Math.min(sinceMs, this.#windowMs));
    this.#pulses[this.#taken % PULSES] = value;
    this.#taken++;
    this.#lastAt = now;
    this.#value = this.#judge();
  }

  /** Averages over another window from now on: a longer one fills up as samples come. */
  resize(windowMs: number): void {
    if (!(windowMs > 0)) throw new RangeError(`a window is above 0 ms, not ${windowMs}`);
    if (windowMs === this.#windowMs) return;
    this.#windowMs = windowMs;
    if (this.settled) this.#value = this.#judge();
  }

  /** Forgets everything: there was a gap, and what lies before it says nothing. */
  clear(): void {
    this.#rows = 0;
    this.#taken = 0;
  }

  /** The value that is judged, see above; 0 while unsettled. */
  get value(): number {
    return this.settled ? this.#value : 0;
  }

  /** The latest sample as it came; 0 before the first. */
  get latest(): number {
    return this.#taken === 0 ? 0 : this.#pulses[(this.#taken - 1) % PULSES]!;
  }

  #append(value: number, weightMs: number): void {
    const row = this.#newest;
    const held = this.#weights[row]!;
    // A row is filled up to its part of the window before the next is begun.
    if (this.#taken > 1 && held + weightMs <= this.#windowMs * ROW_PART) {
      this.#values[row] = (this.#values[row]! * held + value * weightMs) / (held + weightMs);
      this.#weights[row] = held + weightMs;
      return;
    }
    this.#newest = (row + 1) % ROWS;
    this.#values[this.#newest] = value;
    this.#weights[this.#newest] = weightMs;
    this.#rows = Math.min(this.#rows + 1, ROWS);
  }

  #judge(): number {
    let pulse = Number.POSITIVE_INFINITY;
    for (const value of this.#pulses) pulse = Math.min(pulse, value);
    return Math.max(this.#mean(), pulse);
  }

  /** The mean over the window; the latest sample alone when there is but one. */
  #mean(): number {
    let sum = 0;
    let leftMs = this.#windowMs;
    for (let age = 0; age < this.#rows && leftMs > 0; age++) {
      const row = (this.#newest - age + ROWS) % ROWS;
      const weightMs = Math.min(this.#weights[row]!, leftMs);
      sum += this.#values[row]! * weightMs;
      leftMs -= weightMs;
    }
    const coveredMs = this.#windowMs - leftMs;
    return coveredMs > 0 ? sum / coveredMs : this.#values[this.#newest]!;
  }
}
