/** How long the last round took and the longest of the last minute, from buckets of ten seconds. */

const BUCKETS = 6;

/** ms */
const BUCKET_MS = 10_000;

export class RoundTimes {
  readonly #longest = new Float64Array(BUCKETS);
  #bucket = Number.NaN;
  #last = 0;

  /** ms */
  get lastMs(): number {
    return this.#last;
  }

  took(ms: number, now: number): void {
    this.#turn(now);
    this.#last = ms;
    const at = this.#bucket % BUCKETS;
    this.#longest[at] = Math.max(this.#longest[at]!, ms);
  }

  longestMs(now: number): number {
    this.#turn(now);
    return this.#longest.reduce((longest, ms) => Math.max(longest, ms), 0);
  }

  /** Empties the buckets that time has passed over. */
  #turn(now: number): void {
    const bucket = Math.floor(now / BUCKET_MS);
    if (Number.isNaN(this.#bucket)) this.#bucket = bucket;
    const passed = Math.min(BUCKETS, bucket - this.#bucket);
    for (let i = 1; i <= passed; i++) this.#longest[(this.#bucket + i) % BUCKETS] = 0;
    this.#bucket = Math.max(this.#bucket, bucket);
  }
}
