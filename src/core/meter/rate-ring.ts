import { STREAM, streamAt } from './slab-layout.ts';

/** Columns of a sample: its time, and counters of the stream as they stood then. */
const AT = 0;
const BYTES = 1;
const OFFERED = 2;
const PACKETS = 3;
const FRAMES = 4;
const TRACK_FRAMES = 5;
const DTS = 6;
const COLUMNS = 7;

/** The control loop pushes a sample this often, ms; more often only shortens the reach. */
const SAMPLE_PERIOD_MS = 250;

/** Reach of the ring whatever the window: media FPS wants 5 s, the default grace 10 s. ms. */
const REACH_MIN_MS = 12_000;

/** The longest window the config allows, ms. */
const REACH_MAX_MS = 60_000;

/** A stretch of time shorter than this says nothing about a rate: a single read is a peak. ms. */
const RATE_SPAN_MIN_MS = 200;

/** Span of DTS that makes media FPS exact to 1 % with integer-ms timestamps at any rate, ms. */
const MEDIA_SPAN_MS = 5000;

/** With less than this one late frame is several FPS; nothing is said. ms. */
const MEDIA_SPAN_MIN_MS = 1000;

/** A larger step of the DTS between two samples is a new timeline. ms. */
const MEDIA_JUMP_MAX_MS = 10_000;

/** Excess is sustained when every stretch of this length exceeds: a keyframe alone does not. ms. */
const STRETCH_MS = 500;

/**
 * The recent past of one stream: a ring of samples of its counters, from which
 * every reported rate is taken. Between two samples a counter is taken to have
 * grown evenly. A window longer than the stream's life is cut to what there
 * is. 12 s of samples are 50 rows of 56 bytes, 2.8 kB per stream; a window of
 * a minute takes 13.6 kB. No query allocates.
 */
export class RateRing {
  #samples = new Float64Array(0);
  #capacity = 0;
  #count = 0;
  #newest = -1;
  #windowMs = 0;
  #peakBps = 0;

  /** @param windowMs averaging window of bitrate, packet rate and wall FPS, at most a minute */
  constructor(windowMs: number) {
    this.setWindow(windowMs);
  }

  /** Changes the averaging window; what was sampled stays. A new window has its own peak. */
  setWindow(windowMs: number): void {
    const nextMs = Math.min(windowMs, REACH_MAX_MS);
    if (nextMs !== this.#windowMs) this.#peakBps = 0;
    this.#windowMs = nextMs;
    this.#reach(Math.max(REACH_MIN_MS, nextMs));
  }

  /** Samples stream row `slot`. A time not later than the last sample's is ignored. */
  push(streams: Float64Array, slot: number, now: number): void {
    if (this.#count > 0 && now <= this.#cell(this.#newest, AT)) return;
    this.#newest = (this.#newest + 1) % this.#capacity;
    this.#count = Math.min(this.#count + 1, this.#capacity);
    const row = this.#newest * COLUMNS;
    this.#samples[row + AT] = now;
    this.#samples[row + BYTES] = streams[streamAt(slot, STREAM.BYTES)]!;
    this.#samples[row + OFFERED] = streams[streamAt(slot, STREAM.OFFERED_BYTES)]!;
    this.#samples[row + PACKETS] = streams[streamAt(slot, STREAM.PACKETS)]!;
    this.#samples[row + FRAMES] = streams[streamAt(slot, STREAM.FRAMES)]!;
    this.#samples[row + TRACK_FRAMES] = streams[streamAt(slot, STREAM.TRACK_FRAMES)]!;
    this.#samples[row + DTS] = streams[streamAt(slot, STREAM.LAST_DTS)]!;
    if (this.#spanMs() >= this.#windowMs) this.#peakBps = Math.max(this.#peakBps, this.bitrateBps());
  }

  /** Admitted payload over the window, bits/s; 0 before there is anything to tell. */
  bitrateBps(): number {
    return this.#ratePerSec(BYTES, this.#windowMs) * 8;
  }

  /** Payload that came in, admitted or not, over the same window, bits/s. */
  offeredBps(): number {
    return this.#ratePerSec(OFFERED, this.#windowMs) * 8;
  }

  /** The highest bitrate of any whole window; of what there is, before there was a whole one. */
  peakBps(): number {
    return Math.max(this.#peakBps, this.bitrateBps());
  }

  /** Admitted messages per second over the window. */
  packetsPerSec(): number {
    return this.#ratePerSec(PACKETS, this.#windowMs);
  }

  /** Admitted access units per second of arrival, over the window. */
  wallFps(): number {
    return this.#ratePerSec(FRAMES, this.#windowMs);
  }

  /**
   * Frames per second of media time, of the fastest track, dropped ones too:
   * intervals between frames over the DTS they span, 5 s of it or what there
   * is. Null before one second of video on the present timeline; 0 when no
   * frame has come for 5 s.
   */
  mediaFps(): number | null {
    if (this.#count === 0 || this.#cell(this.#newest, DTS) < 0) return null;
    const stopped = this.#spanMs() >= MEDIA_SPAN_MS && this.#ratePerSec(TRACK_FRAMES, MEDIA_SPAN_MS) === 0;
    if (stopped) return 0;
    const first = this.#firstOfMediaSpan();
    const spanMs = this.#cell(this.#newest, DTS) - this.#cell(first, DTS);
    if (spanMs < MEDIA_SPAN_MIN_MS) return null;
    return ((this.#cell(this.#newest, TRACK_FRAMES) - this.#cell(first, TRACK_FRAMES)) * 1000) / spanMs;
  }

  /**
   * Whether more than `limitBps` came in, admitted or not, during every half
   * second of the last `windowMs`. False while the ring holds no such past:
   * at first, and for windows beyond its reach.
   */
  sustainedAbove(limitBps: number, windowMs: number): boolean {
    if (this.#count === 0 || windowMs > this.#spanMs()) return false;
    const end = this.#cell(this.#newest, AT);
    const stretches = Math.max(1, Math.floor(windowMs / STRETCH_MS));
    const stretchMs = windowMs / stretches;
    let later = this.#cell(this.#newest, OFFERED);
    for (let stretch = 1; stretch <= stretches; stretch++) {
      const earlier = this.#valueAt(OFFERED, end - stretch * stretchMs);
      if (((later - earlier) * 8000) / stretchMs <= limitBps) return false;
      later = earlier;
    }
    return true;
  }

  /** Makes room for `reachMs` of samples, keeping those there are; never shrinks. */
  #reach(reachMs: number): void {
    const capacity = Math.ceil(reachMs / SAMPLE_PERIOD_MS) + 2;
    if (capacity <= this.#capacity) return;
    const samples = new Float64Array(capacity * COLUMNS);
    for (let age = this.#count - 1, to = 0; age >= 0; age--, to++) {
      const from = this.#row(age) * COLUMNS;
      samples.set(this.#samples.subarray(from, from + COLUMNS), to * COLUMNS);
    }
    this.#samples = samples;
    this.#capacity = capacity;
    this.#newest = this.#count - 1;
  }

  /** Ring row of the youngest sample that is 5 s of DTS back, or of the oldest of this timeline. */
  #firstOfMediaSpan(): number {
    const dtsLast = this.#cell(this.#newest, DTS);
    let first = this.#newest;
    for (let age = 1; age < this.#count && dtsLast - this.#cell(first, DTS) < MEDIA_SPAN_MS; age++) {
      const older = this.#row(age);
      const stepMs = this.#cell(first, DTS) - this.#cell(older, DTS);
      if (this.#cell(older, DTS) < 0 || stepMs < 0 || stepMs > MEDIA_JUMP_MAX_MS) break;
      first = older;
    }
    return first;
  }

  #ratePerSec(column: number, windowMs: number): number {
    const spanMs = this.#spanMs();
    if (spanMs < Math.min(windowMs, RATE_SPAN_MIN_MS)) return 0;
    const overMs = Math.min(windowMs, spanMs);
    const earlier = this.#valueAt(column, this.#cell(this.#newest, AT) - overMs);
    return ((this.#cell(this.#newest, column) - earlier) * 1000) / overMs;
  }

  /** Time between the oldest and the newest sample, ms. */
  #spanMs(): number {
    if (this.#count < 2) return 0;
    return this.#cell(this.#newest, AT) - this.#cell(this.#row(this.#count - 1), AT);
  }

  /** Ring row of the sample that is `age` samples older than the newest. */
  #row(age: number): number {
    return (this.#newest - age + this.#capacity) % this.#capacity;
  }

  #cell(row: number, column: number): number {
    return this.#samples[row * COLUMNS + column]!;
  }

  /** A counter at time `at`, which lies within the samples: halving search, then interpolation. */
  #valueAt(column: number, at: number): number {
    let younger = 0;
    let older = this.#count - 1;
    while (older - younger > 1) {
      const middle = (younger + older) >> 1;
      if (this.#cell(this.#row(middle), AT) > at) younger = middle;
      else older = middle;
    }
    const before = this.#row(older);
    const after = this.#row(younger);
    const share = (at - this.#cell(before, AT)) / (this.#cell(after, AT) - this.#cell(before, AT));
    return this.#cell(before, column) + share * (this.#cell(after, column) - this.#cell(before, column));
  }
}
