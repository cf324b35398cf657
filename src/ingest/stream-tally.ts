import { STREAM } from '../core/meter/slab-layout.ts';
import type { Reason } from '../core/reasons.ts';
import type { Protocol } from '../core/stream.ts';
import type { LiveStream } from './live-stream.ts';
import type { StreamRegistry } from './registry.ts';

/** Admitted media of one protocol since the start. */
export interface IngestTally {
  bytes: number;
  frames: number;
  packets: { video: number; audio: number; data: number };
}

/** Sums of everything that ever streamed: what the metrics call `_total`. */
export interface Tally {
  ingest: Partial<Record<Protocol, IngestTally>>;
  heldMs: { stream: number; client: number; ip: number; global: number };
  droppedFrames: Partial<Record<Reason, number>>;
}

/**
 * Totals over live and ended streams. A live stream is read from its own row;
 * one that ends leaves its counts here, so that a counter never goes down.
 */
export class StreamTally {
  readonly #registry: StreamRegistry;
  readonly #retired: Tally = emptyTally();

  constructor(registry: StreamRegistry) {
    this.#registry = registry;
  }

  /** Takes over the counts of a stream that ends; before its rows are given back. */
  retire(stream: LiveStream): void {
    add(this.#retired, stream);
  }

  read(): Tally {
    const total = structuredClone(this.#retired);
    for (const stream of this.#registry.all()) add(total, stream);
    return total;
  }
}

function emptyTally(): Tally {
  return { ingest: {}, heldMs: { stream: 0, client: 0, ip: 0, global: 0 }, droppedFrames: {} };
}

function add(tally: Tally, stream: LiveStream): void {
  const { protocol } = stream.identity;
  const ingest = tally.ingest[protocol] ?? { bytes: 0, frames: 0, packets: { video: 0, audio: 0, data: 0 } };
  tally.ingest[protocol] = ingest;
  ingest.bytes += stream.read(STREAM.BYTES);
  ingest.frames += stream.read(STREAM.FRAMES);
  ingest.packets.video += stream.read(STREAM.VIDEO_PACKETS);
  ingest.packets.audio += stream.read(STREAM.AUDIO_PACKETS);
  ingest.packets.data += stream.read(STREAM.DATA_PACKETS);
  for (const scope of ['stream', 'client', 'ip', 'global'] as const)
    tally.heldMs[scope] += stream.heldMs[scope];
  for (const [reason, frames] of stream.droppedByReason()) {
    tally.droppedFrames[reason] = (tally.droppedFrames[reason] ?? 0) + frames;
  }
}
