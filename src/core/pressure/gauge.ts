import { CLOCK_STALE_MS } from '../limiter/limiter.ts';
import { Latch } from './latch.ts';
import { harder, type PressureLevel } from './levels.ts';
import { DEFAULT_WINDOW_MS } from './resources.ts';
import { SampleWindow } from './sample-window.ts';
import { strainOf, type WatermarkConfig, type Watermarks, watermarksOf } from './watermarks.ts';

/**
 * One resource: samples in, level and pressure out.
 *
 * Two latches on the same value make the level, one for each written
 * watermark. As both marks of one lie below those of the other and they hold
 * equally long, critical implies elevated without anybody seeing to it.
 *
 * Whoever does not know how a resource fares must not take that for "well": a
 * sampler that failed or fell silent makes its resource elevated, and says why.
 */

/** A sampler that has been silent for so long hangs, ms: three times the longest period that is sensible. */
export const STALE_AFTER_MS = 3000;

/** Pressure of a resource of which nothing is known, 0..1: enough to be felt, too little to close anything. */
export const UNKNOWN_PRESSURE = 0.25;

const NO_SAMPLE = 'no sample yet';

export class Gauge {
  #marks: Watermarks;
  #windowMs: number;
  readonly #window: SampleWindow;
  readonly #elevated: Latch;
  readonly #critical: Latch;
  /** why nothing is known, as the sampler said it; null while it works */
  #fault: string | null = NO_SAMPLE;
  #level: PressureLevel = 'elevated';
  #since = 0;
  #changes = 0;

  constructor(config: WatermarkConfig, reopenAfterMs: number, now: number) {
    this.#marks = watermarksOf(config);
    this.#windowMs = config.window ?? DEFAULT_WINDOW_MS;
    this.#window = new SampleWindow(this.#windowMs);
    const { degrade, relax, close, reopen } = this.#marks;
    this.#elevated = new Latch(degrade, relax, reopenAfterMs, STALE_AFTER_MS);
    this.#critical = new Latch(close, reopen, reopenAfterMs, STALE_AFTER_MS);
    this.#since = now;
  }

  get marks(): Watermarks {
    return this.#marks;
  }

  get windowMs(): number {
    return this.#windowMs;
  }

  /** Changes of level since the start. */
  get changes(): number {
    return this.#changes;
  }

  /** Puts new marks in force. Samples and levels stay, of another window too as far as there are samples for it. */
  configure(config: WatermarkConfig, reopenAfterMs: number): void {
    this.#marks = watermarksOf(config);
    const { degrade, relax, close, reopen } = this.#marks;
    Object.assign(this.#elevated, { enter: degrade, leave: relax });
    Object.assign(this.#critical, { enter: close, leave: reopen });
    this.#elevated.setHold(reopenAfterMs);
    this.#critical.setHold(reopenAfterMs);
    this.#windowMs = config.window ?? DEFAULT_WINDOW_MS;
    this.#window.resize(this.#windowMs);
  }

  /** A sample of the time since the last one. What is not a number of 0 or more is a fault of the sampler. */
  sample(value: number, now: number): void {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) {
      this.fail(`the sampler gave ${value}`, now);
      return;
    }
    const window = this.#window;
    if (this.#silent(now) || window.lastAt - now > CLOCK_STALE_MS) window.clear();
    window.push(value, now);
    // Blindness is held like any other reason to be careful, so that a sampler that comes and goes does not flap.
    if (window.settled) {
      if (this.#fault !== null && this.#fault !== NO_SAMPLE) this.#elevated.heat(now);
      this.#fault = null;
      this.#elevated.step(window.value, now);
      this.#critical.step(window.value, now);
    } else {
      this.#fault ??= 'the sampler was silent';
    }
    this.level(now);
  }

  /** The sampler could not tell. What it said before is void. */
  fail(cause: string, now: number): void {
    this.#fault = cause;
    this.#window.clear();
    this.level(now);
  }

  level(now: number): PressureLevel {
    const level = this.#levelAt(now);
    if (level !== this.#level) {
      this.#level = level;
      this.#since = now;
      this.#changes++;
    }
    return level;
  }

  /** When the present level was first noticed, monotonic ms. */
  since(now: number): number {
    this.level(now);
    return this.#since;
  }

  /** Why nothing is known of the resource, null while it is known. */
  fault(now: number): string | null {
    if (this.#fault !== null) return this.#fault;
    return this.#silent(now) ? `no sample for ${STALE_AFTER_MS} ms` : null;
  }

  /** The value that is judged, in base units; null while nothing is known. */
  value(now: number): number | null {
    return this.fault(now) === null ? this.#window.value : null;
  }

  /** How hard the resource is pressed: below 0 at ease, 0 at `degrade`, 1 at `close`, and on from there. */
  strain(now: number): number {
    const value = this.value(now);
    return value === null ? UNKNOWN_PRESSURE : strainOf(this.#marks, value);
  }

  /** The instant critical ends if nothing else happens; in the past when it is not critical. */
  get closedUntilMs(): number {
    return this.#critical.untilMs;
  }

  /** True while it is past the mark at which critical is entered, and not merely held critical. */
  isHot(now: number): boolean {
    const value = this.value(now);
    return value !== null && this.#critical.isOn(now) && value >= this.#marks.close;
  }

  /** The instant it is nominal if it is calm from now on; in the past when it is. */
  get calmAtMs(): number {
    return Math.max(this.#elevated.untilMs, this.#critical.untilMs);
  }

  /** The level by what was known last, for as long as that is held. */
  felt(now: number): PressureLevel {
    if (this.#critical.isOn(now)) return 'critical';
    return this.#elevated.isOn(now) ? 'elevated' : 'nominal';
  }

  #levelAt(now: number): PressureLevel {
    const felt = this.felt(now);
    return this.fault(now) === null ? felt : harder(felt, 'elevated');
  }

  #silent(now: number): boolean {
    return this.#fault === null && now - this.#window.lastAt >= STALE_AFTER_MS;
  }
}
