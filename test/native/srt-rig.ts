import { FLAG, STREAM, STREAM_STRIDE } from '../../src/core/meter/slab-layout.ts';
import {
  loadSrt,
  type NativeSrtListener,
  SRT_MEDIA,
  SRT_RECORD,
  SRT_STATS,
  type SrtEntry,
  type SrtEvent,
  type SrtListenerOptions,
  type SrtRules,
} from '../../src/native/srt.ts';
import { until } from '../support/server.ts';

/** A native SRT listener without a server around it: what it tells is kept, and nothing is decided. */

const STREAMS = 64;
/** Doubles of a node row table nobody limits with. */
const NODES = 64;
const UNLIMITED = -1;

export const OPEN_RULES: SrtRules = {
  mode: 'open',
  ipv6Prefix: 64,
  passphrase: '',
  allow: [],
  deny: [],
  keys: [],
  policies: [],
};

export type EventOf<T extends SrtEvent['type']> = Extract<SrtEvent, { type: T }>;

export interface RigOptions extends Partial<Omit<SrtListenerOptions, 'slab' | 'records' | 'clockMs'>> {
  readonly slabBytes?: number;
  readonly rules?: Partial<SrtRules> | null;
  readonly entries?: readonly SrtEntry[];
}

export class SrtRig {
  readonly native: NativeSrtListener;
  readonly streams = new Float64Array(STREAMS * STREAM_STRIDE);
  readonly events: SrtEvent[] = [];
  /** payload by id, joined */
  readonly media = new Map<
    number,
    { bytes: number; records: number; gaps: number; starts: number; last: Buffer }
  >();
  batches = 0;
  /** called with each batch before it is kept */
  onBatch: (events: readonly SrtEvent[]) => void = () => {};
  readonly #stats = new Float64Array(SRT_STATS.LENGTH);

  constructor({ slabBytes = 4 * 1024 * 1024, rules = {}, entries = [], ...options }: RigOptions = {}) {
    const slab = new Uint8Array(slabBytes);
    const records = new Float64Array(8_192 * SRT_RECORD.STRIDE);
    const fixed = { slab, records, clockMs: performance.now() };
    const given = { host: '127.0.0.1', port: 0, latencyMs: 120, connectionsMax: 1_000, ...options };
    const nodes = new Float64Array(NODES * 8);
    this.native = new (loadSrt().SrtListener)(
      nodes,
      this.streams,
      { ...given, ...fixed },
      (events, count, first) => {
        this.batches += 1;
        for (let record = first; record < first + count; record++) {
          const [id = 0, offset = 0, length = 0, flags = 0] = records.subarray(record * SRT_RECORD.STRIDE);
          this.#keep(id, slab.subarray(offset, offset + length), flags);
        }
        this.onBatch(events);
        this.events.push(...events);
      },
    );
    if (rules !== null) this.native.setRules({ ...OPEN_RULES, ...rules });
    this.native.setEntries(entries, 1);
  }

  #keep(id: number, payload: Uint8Array, flags: number): void {
    const kept = this.media.get(id) ?? { bytes: 0, records: 0, gaps: 0, starts: 0, last: Buffer.alloc(0) };
    kept.bytes += payload.length;
    kept.records += 1;
    if (flags & SRT_MEDIA.GAP) kept.gaps += 1;
    if (flags & SRT_MEDIA.RANDOM_ACCESS) kept.starts += 1;
    kept.last = Buffer.from(payload);
    this.media.set(id, kept);
  }

  get port(): number {
    return this.native.port;
  }

  of<T extends SrtEvent['type']>(type: T): EventOf<T>[] {
    return this.events.filter((event): event is EventOf<T> => event.type === type);
  }

  /** Waits for the nth event of a type, from 1. */
  event<T extends SrtEvent['type']>(type: T, nth = 1): Promise<EventOf<T>> {
    return until(() => this.of(type)[nth - 1], `event ${type}, number ${nth}`);
  }

  /** Attaches with a row of nobody's limits. */
  attach(id: number, slot: number, consumed = true): boolean {
    this.row(slot).fill(0);
    this.row(slot)[STREAM.FLAGS] = FLAG.IN_USE | (consumed ? FLAG.CONSUMED : 0);
    this.row(slot).fill(UNLIMITED, STREAM.NODE_BITRATE, STREAM.NODE_GLOBAL + 1);
    return this.native.attach(id, slot);
  }

  row(slot: number): Float64Array {
    return this.streams.subarray(slot * STREAM_STRIDE, (slot + 1) * STREAM_STRIDE);
  }

  stats(id: number, place: number): number {
    return this.native.stats(id, this.#stats) ? this.#stats[place]! : Number.NaN;
  }

  /** Waits until a stream of that slot has had so many bytes. */
  async flows(slot: number, bytes: number): Promise<void> {
    await until(() => this.row(slot)[STREAM.BYTES]! >= bytes, `${bytes} bytes on slot ${slot}`);
  }
}
