/**
 * What one more stream of a class costs, out of a total that others add to.
 *
 * Nobody can measure the CPU of one stream; what can be seen is the total, and
 * how many streams of each class are running:
 *
 *     total = other + sum over classes (cost * activity) + noise
 *
 * `other` (processes that are not ours, and what we burn ourselves at rest)
 * wanders, costs stay nearly the same. That is a linear regression whose
 * intercept drifts, and a Kalman filter (R. E. Kalman, 1960) solves it one
 * sample at a time: a rise of the total that goes along with activity is put
 * down to the class that rose, in proportion to how unsure its cost still is;
 * a rise without it goes to `other`. (Samples that leap are learned from like
 * all others: to put those down to `other` was tried, and took the first load
 * of a storm for somebody else's.)
 *
 * How unsure an estimate is, is part of it: `upper` is what to reserve while
 * several streams are on their way, and falls to the mean as evidence comes in;
 * `lower` is what a single one may be tried at. Memory and time are fixed by
 * the number of classes.
 */

/** Variance of one sample of the total: the clock that CPU time is counted by ticks 25 times in 250 ms. */
const SAMPLE_VARIANCE = 0.02 ** 2;

/** Variance that `other` gains per second: a few percent in ten. */
const OTHER_VARIANCE_PER_S = 0.01 ** 2;

/** Share of its first uncertainty (as a variance) that a cost regains per second: an hour old knowledge is half forgotten. */
const FORGETTING_PER_S = 0.25 / 3600;

/** First uncertainty of a cost as a part of its first guess: what players will add is not known, and costs most. */
const GUESS_DEVIATION = 4;

/** How many deviations `upper` and `lower` lie from the mean: with `GUESS_DEVIATION`, a guess eight times too low is still safe. */
const CONFIDENCE = 2;

/**
 * How far off the activity of a stream on its way may be, as a part of the
 * stream: the deviation of what lies anywhere between nothing and all of it.
 */
const MOVING_DEVIATION = 0.3;

/** Time over which a lull is remembered, seconds: as long as the load is averaged over before it is judged. */
const LULL_S = 5;

/** A total from here on is all there is, whatever was wanted. */
const SATURATED = 0.98;

/** Time between samples that counts at most, seconds: after a longer gap `other` may be anything anyway. */
const GAP_MAX_S = 30;

/** Variance of `other` when nothing was ever seen: it lies somewhere in 0..1. */
const OTHER_VARIANCE = 0.5 ** 2;

export interface CostBounds {
  /** no estimate is ever below, > 0 */
  readonly floor: number;
  /** no estimate is ever above */
  readonly ceiling: number;
}

export class MarginalCosts {
  readonly #classes: number;
  readonly #size: number;
  readonly #bounds: CostBounds;
  /** `other`, then a cost per class */
  readonly #mean: Float64Array;
  /** how the errors of these vary together, row by row */
  readonly #covariance: Float64Array;
  readonly #forgetting: Float64Array;
  readonly #most: Float64Array;
  /** scratch: the covariance times what is being observed */
  readonly #gain: Float64Array;
  #sampledAt = Number.NaN;
  #lull = 0;

  /** @param guesses the cost of one stream of each class as long as nothing is known, same unit as the total */
  constructor(guesses: readonly number[], bounds: CostBounds) {
    this.#classes = guesses.length;
    this.#size = guesses.length + 1;
    this.#bounds = bounds;
    this.#mean = Float64Array.of(0, ...guesses.map((guess) => this.#bounded(guess)));
    this.#most = this.#mean.map((guess) => (guess * GUESS_DEVIATION) ** 2);
    this.#most[0] = OTHER_VARIANCE;
    this.#forgetting = this.#most.map((variance) => variance * FORGETTING_PER_S);
    this.#forgetting[0] = OTHER_VARIANCE_PER_S;
    this.#gain = new Float64Array(this.#size);
    this.#covariance = new Float64Array(this.#size * this.#size);
    for (let i = 0; i < this.#size; i++) this.#covariance[i * this.#size + i] = this.#most[i]!;
  }

  /** What is not streams, 0..1 of the total's unit. */
  get other(): number {
    return this.#mean[0]!;
  }

  /**
   * By how much the total has lately fallen without anybody leaving. Others
   * rest and begin again: who let streams in at every dip of theirs would ratchet
   * the load up by their highest.
   */
  get lull(): number {
    return this.#lull;
  }

  /** The best estimate of one stream of a class. */
  mean(index: number): number {
    return this.#mean[index + 1]!;
  }

  /** How far off that may well be. */
  deviation(index: number): number {
    return Math.sqrt(this.#covariance[(index + 1) * (this.#size + 1)]!);
  }

  /** What one stream will hardly exceed. */
  upper(index: number): number {
    return this.#bounded(this.mean(index) + CONFIDENCE * this.deviation(index));
  }

  /** What one stream will hardly stay below. */
  lower(index: number): number {
    return this.#bounded(this.mean(index) - CONFIDENCE * this.deviation(index));
  }

  /** What the total should be at this activity. */
  expected(activity: Float64Array): number {
    let total = this.other;
    for (let i = 0; i < this.#classes; i++) total += this.mean(i) * activity[i]!;
    return total;
  }

  /**
   * Learns from a total seen while `activity[i]` streams' worth of class i were
   * running, of which `moving[i]` streams were still on their way to it.
   */
  sample(total: number, activity: Float64Array, moving: Float64Array, now: number): void {
    const keep = this.#forget(now);
    const foreseen = this.expected(activity);
    const surprise = total - foreseen;
    if (surprise < 0 && total >= SATURATED) return;
    const variance = this.#spread(activity) + SAMPLE_VARIANCE + this.#blur(moving);
    this.#correct(surprise / variance, variance);
    this.#mean[0] = Math.min(1, Math.max(0, this.#mean[0]!));
    for (let i = 1; i < this.#size; i++) this.#mean[i] = this.#bounded(this.#mean[i]!);
    this.#lull = Math.max(0, keep * this.#lull + foreseen - this.expected(activity));
  }

  /** Time makes everything less certain, costs by no more than they were at first. Returns what is left of a lull. */
  #forget(now: number): number {
    const gap = (now - this.#sampledAt) / 1000;
    this.#sampledAt = now;
    if (!(gap > 0)) return 1;
    const seconds = Math.min(gap, GAP_MAX_S);
    for (let i = 0; i < this.#size; i++) {
      const at = i * (this.#size + 1);
      const grown = this.#covariance[at]! + this.#forgetting[i]! * seconds;
      this.#covariance[at] = Math.max(this.#covariance[at]!, Math.min(grown, this.#most[i]!));
    }
    return Math.exp(-seconds / LULL_S);
  }

  /** Variance that comes of not knowing how far streams on their way have come. */
  #blur(moving: Float64Array): number {
    let deviation = 0;
    for (let i = 0; i < this.#classes; i++) deviation += MOVING_DEVIATION * this.mean(i) * moving[i]!;
    return deviation ** 2;
  }

  /** Fills the gain for this activity, and returns the variance of what is expected at it. */
  #spread(activity: Float64Array): number {
    let variance = 0;
    for (let row = 0; row < this.#size; row++) {
      let sum = this.#covariance[row * this.#size]!;
      for (let i = 0; i < this.#classes; i++) {
        sum += this.#covariance[row * this.#size + i + 1]! * activity[i]!;
      }
      this.#gain[row] = sum;
      variance += row === 0 ? sum : sum * activity[row - 1]!;
    }
    return Math.max(0, variance);
  }

  #correct(step: number, variance: number): void {
    for (let row = 0; row < this.#size; row++) {
      this.#mean[row]! += this.#gain[row]! * step;
      for (let column = 0; column < this.#size; column++) {
        this.#covariance[row * this.#size + column]! -= (this.#gain[row]! * this.#gain[column]!) / variance;
      }
      const at = row * (this.#size + 1);
      this.#covariance[at] = Math.max(0, this.#covariance[at]!);
    }
  }

  #bounded(cost: number): number {
    return Math.min(this.#bounds.ceiling, Math.max(this.#bounds.floor, cost));
  }
}
