/**
 * The last five minutes of every live stream, and of the hundred that ended
 * last, so that somebody who comes too late still sees what led to it.
 *
 * Each stream is looked at with its control step and sampled every two seconds;
 * when depends on its row in the stream table, so that an eighth of all streams
 * falls into one round. A stream costs 5.8 kB once it is five minutes old (node --expose-gc
 * bench/micro/snapshot.ts), 1 kB in its first half minute.
 */
import { KeyframePace } from './keyframe-pace.ts';
import { HISTORY_INTERVAL_MS, HISTORY_ROWS, HistoryRing } from './ring.ts';
import { columnsOf, type HistoryColumns, type Instant, isoOf, rowNumber, spanOf } from './view.ts';

/** Ended streams that are still told of, and for how long, ms: half a megabyte at the most. */
const ENDED_KEPT = 100;
const ENDED_KEPT_MS = HISTORY_ROWS * HISTORY_INTERVAL_MS;

/** The streams are spread over so many rounds of the control loop, which are so far apart. */
const PHASES = 8;
const PHASE_MS = HISTORY_INTERVAL_MS / PHASES;

/** What is kept of a stream. Counts (`dropped_frames`, `throttled_ms`) are of one interval each. */
export const STREAM_COLUMNS = [
  'bitrate_bps',
  /** its own limit, overrides included; null = unlimited */
  'limit_bps',
  /** what it was held to below that; null = its own limit held */
  'ceiling_bps',
  'fps',
  'wall_fps',
  'packets_per_sec',
  'dropped_frames',
  'throttled_ms',
  'keyframe_interval_ms',
] as const;

export type StreamColumn = (typeof STREAM_COLUMNS)[number];

/** A stream's past as the API tells it. */
export interface StreamHistory extends HistoryColumns<StreamColumn> {
  id: string;
  path: string;
  /** ISO time; null while it lives */
  ended_at: string | null;
}

/** A stream as it stands; `dropped_frames` and `throttled_ms` are totals. NaN = none. */
export interface StreamReading {
  bitrate_bps: number;
  limit_bps: number;
  ceiling_bps: number;
  fps: number;
  wall_fps: number;
  packets_per_sec: number;
  dropped_frames: number;
  throttled_ms: number;
}

export interface RecordedStream {
  readonly id: string;
  readonly path: string;
  /** its row in the stream table: no two live streams have the same */
  readonly slot: number;
}

/** How a stream is asked. */
export interface StreamReader<S extends RecordedStream> {
  /** since it began */
  keyframes(stream: S): number;
  reading(stream: S, now: number): StreamReading;
}

interface Track {
  readonly id: string;
  readonly path: string;
  readonly phaseMs: number;
  readonly ring: HistoryRing;
  readonly keyframes: KeyframePace;
  droppedFrames: number;
  throttledMs: number;
  /** monotonic ms; NaN while the stream lives */
  endedAt: number;
}

export class StreamHistories<S extends RecordedStream> {
  readonly #reader: StreamReader<S>;
  /** by row of the stream table */
  readonly #live: (Track | undefined)[] = [];
  /** oldest first */
  readonly #ended: Track[] = [];
  /** one row on its way into a ring */
  readonly #row = new Float32Array(STREAM_COLUMNS.length);

  constructor(reader: StreamReader<S>) {
    this.#reader = reader;
  }

  /** Looks at a live stream; a few times a second. `sampling` false: no rows are written, which leaves a gap. */
  step(stream: S, sampling: boolean, now: number): void {
    let track = this.#live[stream.slot];
    if (track?.id !== stream.id) track = this.#begin(stream);
    track.keyframes.see(this.#reader.keyframes(stream), now);
    if (sampling) this.#sample(track, stream, now);
  }

  /** The stream goes: its row may be another's at once. */
  ended(stream: S, now: number): void {
    const track = this.#live[stream.slot];
    if (track?.id !== stream.id) return;
    this.#live[stream.slot] = undefined;
    if (track.ring.isEmpty) return;
    this.#sample(track, stream, now);
    track.endedAt = now;
    this.#ended.push(track);
    if (this.#ended.length > ENDED_KEPT) this.#ended.shift();
  }

  /** Forgets what ended too long ago. */
  forget(now: number): void {
    while (this.#ended.length > 0 && now - this.#ended[0]!.endedAt > ENDED_KEPT_MS) this.#ended.shift();
  }

  /** The past of a live stream, which has one row of the stream table, or of one that ended lately. */
  find(id: string, slot: number | null, at: Instant): StreamHistory | null {
    const live = slot === null ? undefined : this.#live[slot];
    const track = live?.id === id ? live : this.#ended.find((ended) => ended.id === id);
    if (track === undefined) return null;
    const ended = Number.isFinite(track.endedAt);
    const span = spanOf(track.ring, track.phaseMs, ended, at);
    return {
      id,
      path: track.path,
      ended_at: ended ? isoOf(at, track.endedAt) : null,
      ...columnsOf(track.ring, STREAM_COLUMNS, span),
    };
  }

  /** Bytes that rings hold now, those of ended streams included. */
  get bytes(): number {
    let bytes = 0;
    for (const track of this.#live) bytes += track?.ring.bytes ?? 0;
    for (const track of this.#ended) bytes += track.ring.bytes;
    return bytes;
  }

  #begin({ id, path, slot }: S): Track {
    const track = {
      id,
      path,
      phaseMs: (slot % PHASES) * PHASE_MS,
      ring: new HistoryRing(STREAM_COLUMNS.length),
      keyframes: new KeyframePace(),
      droppedFrames: 0,
      throttledMs: 0,
      endedAt: Number.NaN,
    };
    this.#live[slot] = track;
    return track;
  }

  #sample(track: Track, stream: S, now: number): void {
    const number = rowNumber(now, track.phaseMs);
    if (number < track.ring.next) return;
    const reading = this.#reader.reading(stream, now);
    const row = this.#row;
    row[0] = reading.bitrate_bps;
    row[1] = reading.limit_bps;
    row[2] = reading.ceiling_bps;
    row[3] = reading.fps;
    row[4] = reading.wall_fps;
    row[5] = reading.packets_per_sec;
    row[6] = reading.dropped_frames - track.droppedFrames;
    row[7] = reading.throttled_ms - track.throttledMs;
    row[8] = track.keyframes.intervalMs(now);
    track.droppedFrames = reading.dropped_frames;
    track.throttledMs = reading.throttled_ms;
    track.ring.write(number, row);
  }
}
