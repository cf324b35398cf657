/**
 * How long decisions take, counted in fixed buckets. Observing costs a few
 * nanoseconds and no allocation, so every decision can be observed, not a
 * sample; prom-client's own histogram hashes labels on each observation.
 */
export class DurationHistogram {
  /** upper bounds, seconds, ascending; what is longer falls into the last, unbounded bucket */
  readonly bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** Counts one duration, seconds. A negative one (the clock was wrong) counts as 0. */
  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < this.bounds.length && seconds > this.bounds[bucket]!) bucket++;
    this.#counts[bucket]! += 1;
    if (seconds > 0) this.#sum += seconds;
  }

  get sum(): number {
    return this.#sum;
  }

  /** Observations at or under each bound, then all of them: Prometheus buckets are cumulative. */
  cumulative(): number[] {
    let total = 0;
    return Array.from(this.#counts, (count) => (total += count));
  }
}
