/**
 * How one stream ran over the last minutes: what the server kept of it, and
 * every reading that came after. Times are the server's wall clock, which each
 * reading tells by itself (its start and how long it runs), so that a browser
 * whose clock is wrong draws no gap.
 */
import type { StreamSnapshot } from '../../src/core/stream.ts';
import { KeyframePace } from '../../src/telemetry/history/keyframe-pace.ts';
import {
  STREAM_COLUMNS,
  type StreamColumn,
  type StreamHistory,
} from '../../src/telemetry/history/streams.ts';

/** What is shown, seconds: as long as the server keeps. */
export const COURSE_SPAN_S = 300;

/** Points kept: five minutes of four readings a second, the fastest that the API gives. */
const POINTS_MAX = 1_200;

/** A pause between two readings that is no mere delay, seconds: the line is broken there. */
export const GAP_S = 6;

type Columns = Record<StreamColumn, (number | null)[]>;

type Reading = Pick<StreamSnapshot, 'started_at' | 'uptime_ms' | 'usage' | 'limits' | 'share'>;

/** Seconds since 1970 at which a reading was taken. */
export function readAtS({ started_at, uptime_ms }: Pick<Reading, 'started_at' | 'uptime_ms'>): number {
  return (Date.parse(started_at) + uptime_ms) / 1_000;
}

export class StreamCourse {
  /** seconds since 1970, ascending */
  readonly times: number[] = [];
  readonly columns: Columns = emptyColumns();
  readonly #pace = new KeyframePace();
  /** totals at the last reading; null before the first */
  #before: { dropped: number; throttledMs: number } | null = null;

  /** Begins with what the server kept; readings are then appended. */
  static of(history: StreamHistory | null): StreamCourse {
    const course = new StreamCourse();
    if (history === null) return course;
    const { from, interval_ms, columns } = history;
    const startS = Date.parse(from) / 1_000;
    course.times.push(...columns.bitrate_bps.map((_value, i) => startS + (i * interval_ms) / 1_000));
    for (const name of STREAM_COLUMNS) course.columns[name].push(...columns[name]);
    return course;
  }

  /** Of a reading that is no newer than the last nothing is taken, and false answered. */
  append(reading: Reading): boolean {
    const at = readAtS(reading);
    const { usage } = reading;
    this.#pace.see(usage.keyframes, at * 1_000);
    const last = this.times.at(-1);
    if (last !== undefined && at <= last) {
      this.#before ??= totalsOf(usage);
      return false;
    }
    if (last !== undefined && at - last > GAP_S) this.#push(last + 0.001, null);
    this.#push(at, this.#rowOf(reading, at));
    this.#before = totalsOf(usage);
    this.#trim(at);
    return true;
  }

  /** The newest value that is known. */
  latest(name: StreamColumn): number | null {
    return this.columns[name].findLast((value) => value !== null) ?? null;
  }

  #rowOf({ usage, limits, share }: Reading, at: number): Record<StreamColumn, number | null> {
    const before = this.#before;
    const paceMs = this.#pace.intervalMs(at * 1_000);
    return {
      bitrate_bps: usage.bitrate_bps,
      limit_bps: limits.max_bitrate_bps,
      ceiling_bps: share.ceiling_bps,
      fps: usage.fps,
      wall_fps: usage.wall_fps,
      packets_per_sec: usage.packets_per_sec,
      dropped_frames: before === null ? 0 : Math.max(0, usage.dropped_frames - before.dropped),
      throttled_ms: before === null ? 0 : Math.max(0, usage.throttled_ms - before.throttledMs),
      keyframe_interval_ms: Number.isNaN(paceMs) ? this.latest('keyframe_interval_ms') : paceMs,
    };
  }

  #push(at: number, row: Record<StreamColumn, number | null> | null): void {
    this.times.push(at);
    for (const name of STREAM_COLUMNS) this.columns[name].push(row?.[name] ?? null);
  }

  #trim(now: number): void {
    const old = this.times.findIndex((at) => at >= now - COURSE_SPAN_S);
    const excess = Math.max(old, this.times.length - POINTS_MAX);
    if (excess <= 0) return;
    this.times.splice(0, excess);
    for (const name of STREAM_COLUMNS) this.columns[name].splice(0, excess);
  }
}

function totalsOf(usage: Reading['usage']): { dropped: number; throttledMs: number } {
  return { dropped: usage.dropped_frames, throttledMs: usage.throttled_ms };
}

function emptyColumns(): Columns {
  return Object.fromEntries(STREAM_COLUMNS.map((name) => [name, []])) as unknown as Columns;
}

/** Stretches of the time axis in which a stream was slowed, or lost frames. */
export interface Mark {
  readonly kind: 'throttled' | 'dropped';
  /** seconds since 1970 */
  readonly from: number;
  readonly to: number;
  /** ms held back, or frames lost, in all of it */
  readonly amount: number;
}

/** The marks of one kind; intervals that touch are one stretch. */
export function marksOf({ times, columns }: StreamCourse, kind: Mark['kind']): Mark[] {
  const amounts = kind === 'throttled' ? columns.throttled_ms : columns.dropped_frames;
  const marks: Mark[] = [];
  let open = false;
  amounts.forEach((value, i) => {
    const amount = value ?? 0;
    const to = times[i] ?? 0;
    if (amount <= 0) {
      open = false;
      return;
    }
    // An amount is of the interval that ends at its time.
    const from = times[i - 1] ?? to;
    const last = open ? marks.pop() : undefined;
    marks.push({ kind, from: last?.from ?? from, to, amount: (last?.amount ?? 0) + amount });
    open = true;
  });
  return marks;
}
