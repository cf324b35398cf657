import { STREAM } from '../core/meter/slab-layout.ts';
import type { GovernorSnapshot } from '../core/pressure/governor-snapshot.ts';
import type { Reason } from '../core/reasons.ts';
import type { HistoryPort } from '../http/ports.ts';
import type { LiveStream } from '../ingest/live-stream.ts';
import { monotonicMs, wallMs } from '../lib/clock.ts';
import { NodeHistoryRing, type NodeReading } from '../telemetry/history/node.ts';
import { StreamHistories, type StreamReading } from '../telemetry/history/streams.ts';
import type { Instant } from '../telemetry/history/view.ts';

/** What of the server is remembered. */
export interface Remembered {
  readonly registry: { find(id: string): LiveStream | undefined };
  readonly governance: { readonly extras: boolean; snapshot(now: number): GovernorSnapshot };
  readonly connections: number;
}

/** Remembers the last minutes of the server and of its streams, as the control loop goes round. */
export class History implements HistoryPort {
  readonly #remembered: Remembered;
  readonly #denied: () => Readonly<Partial<Record<Reason, number>>>;
  readonly #node = new NodeHistoryRing();
  readonly #streams = new StreamHistories<LiveStream>({
    keyframes: (stream) => stream.read(STREAM.KEYFRAMES),
    reading: readingOf,
  });

  /** Nothing of `remembered` is touched before the first round. */
  constructor(remembered: Remembered, denied: () => Readonly<Partial<Record<Reason, number>>>) {
    this.#remembered = remembered;
    this.#denied = denied;
  }

  /** A round of the control loop begins. */
  begin(now: number): void {
    this.#node.begin(now);
    this.#streams.forget(now);
  }

  /** One stream of the round, after its own step. */
  step(stream: LiveStream, now: number): void {
    if (this.#node.adding) this.#node.add(stream.ring.bitrateBps());
    this.#streams.step(stream, this.#remembered.governance.extras, now);
  }

  /** The round is over. */
  finish(now: number): void {
    if (!this.#node.adding) return;
    const { governance, connections } = this.#remembered;
    this.#node.finish(nodeReading(governance.snapshot(now), connections, this.#denied()));
  }

  /** A stream goes; its rows of the slab are still its own. */
  ended(stream: LiveStream): void {
    this.#streams.ended(stream, monotonicMs());
  }

  node(): ReturnType<HistoryPort['node']> {
    return this.#node.view(instant());
  }

  stream(id: string): ReturnType<HistoryPort['stream']> {
    const live = this.#remembered.registry.find(id);
    return this.#streams.find(id, live?.slot ?? null, instant());
  }
}

function instant(): Instant {
  return { now: monotonicMs(), wallMs: wallMs() };
}

function readingOf(stream: LiveStream, now: number): StreamReading {
  const { ring, limits, ceiling } = stream;
  const wallFps = ring.wallFps();
  return {
    bitrate_bps: ring.bitrateBps(),
    limit_bps: limits.max_bitrate,
    ceiling_bps: ceiling?.bps ?? Number.NaN,
    // As in the stream's snapshot: media time tells nothing in the first second.
    fps: ring.mediaFps() ?? wallFps,
    wall_fps: wallFps,
    packets_per_sec: ring.packetsPerSec(),
    dropped_frames: stream.read(STREAM.DROPPED_FRAMES),
    throttled_ms: stream.connection.throttledMs(now),
  };
}

function nodeReading(
  { resources, shares, adaptive }: GovernorSnapshot,
  connections: number,
  denied: NodeReading['denied'],
): NodeReading {
  return {
    budget_bps: shares.budget_bps ?? Number.NaN,
    connections,
    cpu: resources.cpu.value ?? Number.NaN,
    heap: resources.heap.value ?? Number.NaN,
    memory: resources.memory.value ?? Number.NaN,
    event_loop: resources.event_loop.value ?? Number.NaN,
    adaptive_factor: adaptive.factor,
    denied,
  };
}
