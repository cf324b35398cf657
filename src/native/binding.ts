import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { HeadgateError } from '../lib/errors.ts';
import type { SrtEntry, SrtRules } from './srt.ts';

/** Caps on the memory that GOPs kept for joining players take, bytes; 0 keeps none. */
export interface EngineOptions {
  readonly gopBytesPerStream: number;
  readonly gopBytesTotal: number;
}

/**
 * Places in the `io` view, by which `feed` and `gop` answer more than one
 * number without making an object.
 */
export const IO = {
  /** bytes of the input that were read */
  CONSUMED: 0,
  /** records in the outbox */
  EVENTS: 1,
  /** number of a protocol error in `NativeAddon.errors`; 0 = none */
  ERROR: 2,
  /** bytes used in the outbox */
  OUTBOX_BYTES: 3,
  /** 1 when messages wait for the outbox to be drained: feed again, if with no input */
  MORE: 4,
} as const;

/** Doubles in the `io` view. */
export const IO_LENGTH = 16;

/** Bytes of an outbox: the longest message (8 MiB), and room for the small ones of the same read. */
export const OUTBOX_BYTES = 9 * 1024 * 1024;

export interface EngineStats {
  readonly connections: number;
  /** memory held by GOPs, bytes, bookkeeping included */
  readonly gopBytes: number;
  /** memory held by half-sent messages, bytes */
  readonly pendingBytes: number;
  /** GOPs given up because a cap was reached */
  readonly gopEvictions: number;
}

/**
 * The RTMP data plane of one server. Arguments of the wrong type, an unknown
 * connection or slot throw a TypeError: they are mistakes of the caller.
 */
export interface NativeEngine {
  /** A new demuxer for a connection whose handshake is done; numbers are reused after `close`. Throws a RangeError at 65,536. */
  open(): number;
  /** Frees all it held, its GOP included; idempotent. */
  close(id: number): void;
  /** Media of this message stream is metered on `slot` from now on, and its GOP kept. */
  attach(id: number, slot: number, messageStreamId: number): void;
  /** Late media is skipped silently; GOP and headers are freed at once. Idempotent. */
  detach(id: number): void;
  /**
   * Reads `length` bytes of chunk stream at `offset`; `now` is monotonic ms.
   * Returns the delay before the next read, ms: 0 = conforming, Infinity =
   * a limit of rate 0, -1 = protocol error, now or before (io[IO.ERROR]).
   * Stops early after a command, so that what it brings about holds for the
   * bytes behind it, and when the outbox is full: drain it, feed the rest.
   */
  feed(id: number, input: Uint8Array, offset: number, length: number, now: number): number;
  /** Counts and charges without reading anything; returns a delay like `feed`. */
  account(slot: number, bytes: number, packets: number, frames: number, now: number): number;
  /** What is still owed on a slot that is held back, ms like `feed`; counts and charges nothing. */
  owed(slot: number, now: number): number;
  /**
   * Writes what a joining player needs into the outbox: at cursor 0 the
   * headers, then the GOP. Returns the cursor to go on from once the outbox is
   * drained, or -1 when all is written.
   */
  gop(slot: number, cursor: number): number;
  reconfigure(options: EngineOptions): void;
  stats(): EngineStats;
  /**
   * Hands what was freed back to the system, wherever it lies in the heap (malloc_trim(3), glibc; elsewhere nothing
   * is done). Returns whether anything was. Takes some ten ms for every hundred MB.
   */
  giveBack(): boolean;
}

/** The accounting by itself, for the contract suite and benchmarks; a message is ten doubles. */
export interface AccountingProbe {
  admit(slot: number, message: Float64Array, now: number): boolean;
  refuse(slot: number, bytes: number, packets: number, now: number): void;
  settle(slot: number, now: number): number;
  account(slot: number, bytes: number, packets: number, frames: number, now: number): number;
  owed(slot: number, now: number): number;
  replay(slot: number, messages: Float64Array, reads: number, stepMs: number, now: number): number;
}

/**
 * From transport stream to RTMP message bodies (native/ts_flv.h). Of the
 * program the first H.264 video and the first AAC audio are carried.
 */
export interface NativeTsFlv {
  /**
   * Takes `length` bytes at `offset` and writes records of type 8 and 9 into
   * the outbox: io[IO.EVENTS]. io[IO.MORE] = 1: only io[IO.CONSUMED] bytes
   * were taken; drain the outbox and feed the rest.
   */
  feed(bytes: Uint8Array, offset: number, length: number): void;
  /** Whether FLV can carry the program: -1 = not known yet, 0 = no, 1 = yes. */
  supported(): number;
  /** Units that were damaged, too long or unusable, and those that needed them. */
  skippedUnits(): number;
}

/** What a stream id says, or why it cannot be used (native/srt_stream_id.h). */
export type ParsedStreamId =
  | { readonly error: string }
  | {
      readonly error?: undefined;
      readonly app: string;
      readonly name: string;
      readonly key: string;
      readonly user: string;
      readonly play: boolean;
      readonly modeGiven: boolean;
    };

/** What the SRT door says to a caller. */
export interface DoorVerdict {
  /** 0 = come in */
  readonly code: number;
  readonly cause: number;
  readonly version: number;
  readonly play: boolean;
  readonly path: string;
  readonly client: string;
  readonly passphrase: string;
  readonly streamIdError: string;
}

/** The SRT door by itself, for tests and benchmarks. */
export interface SrtDoorProbe {
  setRules(rules: SrtRules): void;
  setEntries(entries: readonly SrtEntry[], version: number): void;
  judge(ip: string, streamId: Uint8Array, now: number): DoorVerdict;
  /** Nanoseconds per judgement, the least of all rounds. */
  time(ips: readonly string[], streamIds: readonly string[], rounds: number, now: number): number;
}

type Numbers = Readonly<Record<string, number>>;

export interface NativeAddon {
  /**
   * All views are shared with the engine for as long as it lives and must not
   * be detached. `outbox` holds at least 8 MiB + 64 KiB, `io` IO_LENGTH doubles.
   */
  readonly Engine: new (
    nodes: Float64Array,
    streams: Float64Array,
    outbox: Uint8Array,
    io: Float64Array,
    options: EngineOptions,
  ) => NativeEngine;
  /** `outbox` holds OUTBOX_BYTES, `io` IO_LENGTH doubles; both are shared for as long as the object lives. */
  readonly TsFlv: new (
    outbox: Uint8Array,
    io: Float64Array,
  ) => NativeTsFlv;
  readonly parseStreamId: (bytes: Uint8Array) => ParsedStreamId;
  readonly SrtDoorProbe: new () => SrtDoorProbe;
  readonly AccountingProbe: new (nodes: Float64Array, streams: Float64Array) => AccountingProbe;
  /** The socket is not reported readable before `bytes` have come, or its end; false where the system does not take it. */
  readonly setReceiveLowWater: (fd: number, bytes: number) => boolean;
  /**
   * The peer has closed or reset the connection, though bytes of it may still wait to be read: a reader that has
   * paused hears of neither. False where the system cannot tell.
   */
  readonly peerGone: (fd: number) => boolean;
  /**
   * Smoothed round trip time of a TCP connection, ms, and segments that this side has had to send again
   * (TCP_INFO), into the first two places of `out`; false where the system does not tell.
   */
  readonly tcpFigures: (fd: number, out: Float64Array) => boolean;
  /** names of protocol errors by number */
  readonly errors: readonly string[];
  /** the constants the addon was compiled with, to be compared with those of the TypeScript */
  readonly layout: {
    readonly NODE_STRIDE: number;
    readonly STREAM_STRIDE: number;
    readonly NODE: Numbers;
    readonly STREAM: Numbers;
    readonly MODE: Numbers;
    readonly FLAG: Numbers;
    readonly CONSTRAINT: Numbers;
    readonly VIDEO_CODEC: Numbers;
    readonly AUDIO_CODEC: Numbers;
    readonly RECORD_FLAG: Numbers;
  };
}

/** From `src/native` as from `dist/native` this is the package's root. */
const ADDON = fileURLToPath(new URL('../../build/Release/headgate.node', import.meta.url));

/** Loads the addon; throws HG_NATIVE_MISSING, with what to type, when it is absent or does not load. */
export function loadNative(): NativeAddon {
  try {
    return createRequire(import.meta.url)(ADDON) as NativeAddon;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const problem =
      code === 'MODULE_NOT_FOUND' ? 'is not built' : `does not load (${(cause as Error).message})`;
    throw new HeadgateError(
      'HG_NATIVE_MISSING',
      `the native addon ${problem}: run "npm rebuild headgate", or in a checkout "node scripts/build-addon.js"`,
      { cause },
    );
  }
}
