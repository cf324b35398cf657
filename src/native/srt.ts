import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * What a listener is made of. `slab` and `records` are shared with its thread
 * for as long as the listener lives and must not be detached.
 */
export interface SrtListenerOptions {
  /** address to bind, numeric; `::` takes IPv4 too */
  readonly host: string;
  /** 0 = any free one, see `NativeSrtListener.port` */
  readonly port: number;
  /** time that lost packets have to be sent again, ms; the peer's own wish holds when it is longer */
  readonly latencyMs: number;
  /** connections at once, 1..65,536; handshakes past it are refused with 1402 */
  readonly connectionsMax: number;
  /** `performance.now()`, taken as late as possible before the call: the thread goes on from there */
  readonly clockMs: number;
  /** payload on its way to JavaScript, bytes; 4 MiB hold a second of 30 Mbit/s */
  readonly slab: Uint8Array;
  /** SRT_RECORD.STRIDE doubles per record; a record is some datagrams of one connection */
  readonly records: Float64Array;
}

/** Places in a record of `SrtListenerOptions.records`. */
export const SRT_RECORD = {
  ID: 0,
  /** where the payload starts in the slab */
  OFFSET: 1,
  /** bytes: whole transport stream packets */
  LENGTH: 2,
  /** bits of SRT_MEDIA */
  FLAGS: 3,
  /** doubles per record */
  STRIDE: 4,
} as const;

/** Bits of a media record's flags. */
export const SRT_MEDIA = {
  /** starts with the first packet of an access unit that a decoder can start at */
  RANDOM_ACCESS: 1,
  /** payload of this connection before it was dropped for want of room in the slab */
  GAP: 2,
} as const;

/** Why the door refused: values of `cause`; 1 and more is the number of an entry of `version`, counted from 1. */
export const SRT_CAUSE = {
  BAD_STREAM_ID: -1,
  UNKNOWN_KEY: -2,
  DENIED: -3,
  /** more handshakes were let in than are confirmed yet, or all `connectionsMax` are taken */
  BEHIND: -4,
  /** no rules yet */
  NOT_READY: -5,
  /** a player asked for what nobody publishes */
  NO_SUCH_STREAM: -6,
  /** the passphrase is wrong, missing, or there where none is wanted */
  PASSPHRASE: -7,
} as const;

/** Places in the view that `NativeSrtListener.stats` fills. */
export const SRT_STATS = {
  /** smoothed round trip time, ms */
  RTT_MS: 0,
  /** packets received, none twice */
  RECEIVED: 1,
  /** packets found missing, most of which came later */
  LOST: 2,
  /** packets that came again */
  RETRANSMITTED: 3,
  /** packets given up because they came too late or not at all */
  DROPPED: 4,
  /** media time waiting in the receive buffer, ms */
  BUFFER_MS: 5,
  /** bytes waiting in the receive buffer */
  BUFFER_BYTES: 6,
  /** latency that both sides agreed on, ms; of a player, that of its side */
  LATENCY_MS: 7,
  /** jumps of the transport stream's continuity counters */
  CONTINUITY_ERRORS: 8,
  /** bytes that were no transport stream packet */
  SKIPPED_BYTES: 9,
  /** picture size from the sequence parameter set, pixels; 0 = not seen */
  WIDTH: 10,
  HEIGHT: 11,
  /** bytes of the AES key: 0, 16, 24 or 32 */
  KEY_BYTES: 12,
  /** packets that could not be decrypted */
  UNDECRYPTED: 13,
  /** packets sent again to a player */
  SENT_AGAIN: 14,
  /** places in the view */
  LENGTH: 15,
} as const;

/** A key of `keys` mode as the door knows it. */
export interface SrtDoorKey {
  readonly secret: string;
  readonly client: string;
  readonly tier: string;
  /** public name */
  readonly name: string;
  /** the key's own public identity: what cooldowns and duplicates of this key are filed under */
  readonly keyId: string;
  /** '' = none of its own */
  readonly passphrase: string;
}

/** A policy that sets a passphrase; '' matches anything. */
export interface SrtDoorPolicy {
  /** globs, with `*` for any characters */
  readonly app: string;
  readonly stream: string;
  /** CIDR text, '' = any address */
  readonly network: string;
  readonly client: string;
  readonly tier: string;
  readonly passphrase: string;
}

/** What the config says about who comes in: pushed at start and at each reload. */
export interface SrtRules {
  readonly mode: 'open' | 'keys';
  /** bits of an IPv6 address that make one publisher, 0..128 */
  readonly ipv6Prefix: number;
  /** the listener's, '' = none */
  readonly passphrase: string;
  /** CIDR texts */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly keys: readonly SrtDoorKey[];
  /** the first that matches holds */
  readonly policies: readonly SrtDoorPolicy[];
}

/** Whom an entry refuses, as EntryKind in native/srt_door.h. */
export type SrtEntryKind =
  /** everybody */
  | 'all'
  /** callers of `address` */
  | 'address'
  /** publishers of the client `name`; in open mode of `address` */
  | 'client'
  /** publishers with the keyId `name` */
  | 'key'
  /** publishers of a path `/app/name`, bar its owner; a path with an entry is live */
  | 'path'
  /** everybody who would publish, bar the owner of the path */
  | 'publishers'
  /** everybody who would play */
  | 'players';

/**
 * One refusal in force now; of those that hold for a caller the first is told.
 * Number and version come back as `cause` and `version` of what it refuses.
 */
export interface SrtEntry {
  readonly kind: SrtEntryKind;
  /** 1400.. as told to the peer */
  readonly code: number;
  /** monotonic ms at which it ends, Infinity = until the next push */
  readonly until: number;
  readonly name?: string;
  /** an address as `ipKey` writes it: a trailing `/64` is understood */
  readonly address?: string;
  /** it holds for addresses on the allow list too; `key`, `path` and `players` always do */
  readonly evenExempt?: boolean;
  /** path: the keyId that may come back */
  readonly ownerKey?: string;
}

export type SrtEvent =
  /** A connection that passed the door; nothing of it is read before `attach`. */
  | {
      readonly type: 'accepted';
      readonly id: number;
      readonly ip: string;
      readonly port: number;
      readonly play: boolean;
      /** false: the stream id said neither publish nor request */
      readonly modeGiven: boolean;
      readonly app: string;
      /** in keys mode a secret, unless `key` is given */
      readonly name: string;
      /** stream key, a secret; '' = none */
      readonly key: string;
      readonly encrypted: boolean;
    }
  /** The door refused; equal refusals of one batch are told once, with their `count`. */
  | {
      readonly type: 'refused';
      readonly ip: string;
      readonly port: number;
      /** SRT_CAUSE, or the number of an entry of `version` */
      readonly cause: number;
      readonly version: number;
      /** what the peer was told, 1400..; 0 = libsrt's own refusal */
      readonly code: number;
      readonly play: boolean;
      /** public `/app/name`, '' = not known */
      readonly path: string;
      /** '' = not known */
      readonly client: string;
      /** '' or what was wrong with the stream id, in words without any of its bytes */
      readonly streamIdError: string;
      readonly count: number;
    }
  /**
   * The connection is gone and its id with it. `peer` = it said goodbye, `timeout` = nothing was heard of it,
   * `broken` = the protocol failed, `local` = `close` or `stop`.
   */
  | { readonly type: 'closed'; readonly id: number; readonly how: 'peer' | 'timeout' | 'broken' | 'local' }
  /** A line of libsrt's own log. */
  | { readonly type: 'log'; readonly level: 'error' | 'warn' | 'info' | 'debug'; readonly text: string }
  /** Refusals and log lines that found the queue full, and payload that found the slab full, since the last batch. */
  | { readonly type: 'lost'; readonly events: number; readonly mediaBytes: number };

/**
 * Called at most some 100 times a second. The media is older than the events:
 * go through it first. It is `mediaRecords` records from record `firstRecord`
 * of `records` on; payload and records are the thread's again when this
 * returns. What it throws is caught and told as an event `log`.
 */
export type SrtBatch = (events: readonly SrtEvent[], mediaRecords: number, firstRecord: number) => void;

/**
 * One UDP port and its thread. Ids carry a generation: calls with the id of a
 * connection that is gone do nothing and answer false. Arguments of the wrong
 * type throw a TypeError.
 */
export interface NativeSrtListener {
  readonly port: number;
  /** what the kernel granted for datagrams waiting to be read, bytes; 8 MiB are asked for */
  readonly receiveBufferBytes: number;
  /** the packets that can kill libsrt are filtered out by the kernel */
  readonly guarded: boolean;
  /** Before the first call every handshake is refused with 1503. */
  setRules(rules: SrtRules): void;
  /** `version` > 0 is the caller's to count. */
  setEntries(entries: readonly SrtEntry[], version: number): void;
  /** Publisher: read and metered on `slot` from now on; false: gone already, or attached. */
  attach(id: number, slot: number): boolean;
  /** When it returns, the thread never touches the slot again. Idempotent. */
  detach(id: number): void;
  /** Also detaches; the event `closed` with `local` follows. Idempotent. */
  close(id: number): void;
  /** Player: whole transport stream packets. False: not a byte of it was taken, the send buffer is full or the player gone. */
  send(id: number, payload: Uint8Array): boolean;
  /** Fills at least SRT_STATS.LENGTH places; false: gone. */
  stats(id: number, out: Float64Array): boolean;
  /** The last PAT and PMT as whole packets; empty before they are known. */
  tables(id: number): Uint8Array;
  /** Closes all; resolves when the thread has ended and the port is free. No batch follows. Idempotent. */
  stop(): Promise<void>;
}

export interface SrtAddon {
  /** false: `SrtListener` throws, and `reason` says why, and what to do */
  readonly available: boolean;
  /** of libsrt, '' when not available */
  readonly version: string;
  readonly reason: string;
  /** Throws an Error with `code` EADDRINUSE, EACCES, EADDRNOTAVAIL, ... when it cannot listen. */
  readonly SrtListener: new (
    nodes: Float64Array,
    streams: Float64Array,
    options: SrtListenerOptions,
    onBatch: SrtBatch,
  ) => NativeSrtListener;
}

/** From `src/native` as from `dist/native` this is the package's root. */
const ADDON = fileURLToPath(new URL('../../build/Release/headgate_srt.node', import.meta.url));

class AbsentListener {
  constructor() {
    throw new Error('SRT is not available');
  }
}

function absent(reason: string): SrtAddon {
  return { available: false, version: '', reason, SrtListener: AbsentListener as never };
}

/**
 * Loads the SRT half of the addon, which is a file of its own: the machine may
 * lack libsrt, and RTMP must not fall with it. Never throws.
 */
export function loadSrt(): SrtAddon {
  try {
    return createRequire(import.meta.url)(ADDON) as SrtAddon;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'MODULE_NOT_FOUND')
      return absent(
        'its addon is not built: run "npm rebuild headgate", or in a checkout "node scripts/build-addon.js"',
      );
    return absent(
      `its addon does not load (${message}): on Debian and Ubuntu, apt-get install libsrt1.5-gnutls`,
    );
  }
}
