/**
 * The slab: one Float64Array shared by the control plane (JavaScript), the
 * data plane (the native addon) and its TypeScript twin. The control plane
 * writes rates and flags, the data plane writes counters and arrival times.
 * Nothing else passes between the two for a packet.
 *
 * It holds two tables. A *node* is one GCRA (generic cell rate algorithm,
 * ITU-T I.371) with bounded debt. A *stream* is one publisher: its counters,
 * and the nodes that each of its packets is charged to.
 *
 * `native/slab_layout.h` mirrors these numbers; the addon exports what it was
 * compiled with and a test holds the two equal. All times are milliseconds of
 * the monotonic clock that is passed in as `now`.
 */

/** Fields of a node row. */
export const NODE = {
  /** theoretical arrival time, ms; the bucket is empty of debt when tat <= now */
  TAT: 0,
  /** ms per unit of cost (1000 / rate per second); 0 = unlimited */
  INTERVAL: 1,
  /** burst tolerance, ms: conforming while tat <= now + tau */
  TAU: 2,
  /** debt beyond tau is forgiven past this, ms: tat never exceeds now + tau + debtMax */
  DEBT_MAX: 3,
  /** units charged since the node was taken */
  CHARGED: 4,
  /** charges that did not conform */
  VIOLATIONS: 5,
  /** `now` of the last charge (on the media FPS node: its DTS), for eviction of what is idle */
  LAST_AT: 6,
  /** 1 while the row is taken */
  IN_USE: 7,
} as const;

/** Doubles per node row: one cache line, so that two threads' nodes never share one. */
export const NODE_STRIDE = 8;

/** What a stream's own excess does, in the MODE field. */
export const MODE = { OBSERVE: 0, THROTTLE: 1, DROP: 2, DISCONNECT: 3 } as const;

/** Bits of the FLAGS field; written by the control plane. */
export const FLAG = {
  /** row is taken */
  IN_USE: 1,
  /** somebody consumes this stream: hand admitted messages to JavaScript */
  CONSUMED: 2,
  /** never limited, still counted (the address is on the `allow` list) */
  EXEMPT: 4,
  /** the transport cannot be slowed (SRT): where a publisher would be held back for a budget it shares, video is dropped */
  LOSSY: 8,
} as const;

/**
 * The constraints a packet meets, in the order they are named when several
 * are exceeded at once. The bit of constraint i in EXCEEDED is `1 << i`.
 */
export const CONSTRAINTS = [
  'stream_bitrate',
  'stream_packet_rate',
  'stream_fps_wall',
  'stream_fps_media',
  'client_bandwidth',
  'ip_bandwidth',
  'global_bandwidth',
] as const;

export type Constraint = (typeof CONSTRAINTS)[number];

/** Fields of a stream row. */
export const STREAM = {
  MODE: 0,
  FLAGS: 1,
  /** row numbers in the node table, in the order of CONSTRAINTS; -1 = none */
  NODE_BITRATE: 2,
  NODE_PACKETS: 3,
  NODE_FPS_WALL: 4,
  NODE_FPS_MEDIA: 5,
  NODE_CLIENT: 6,
  NODE_IP: 7,
  NODE_GLOBAL: 8,
  /** admitted: media payload bytes, messages, video access units */
  BYTES: 9,
  PACKETS: 10,
  FRAMES: 11,
  KEYFRAMES: 12,
  DROPPED_BYTES: 13,
  DROPPED_PACKETS: 14,
  DROPPED_FRAMES: 15,
  /** messages (drop; the dropped ones too) or reads (other modes) that exceeded any constraint */
  VIOLATIONS: 16,
  /** bit set of constraints exceeded since the control plane last wrote 0 here */
  EXCEEDED: 17,
  /** `now` of the last exceeded charge */
  LAST_VIOLATION_AT: 18,
  /** `now` of the last media message, admitted or not */
  LAST_PACKET_AT: 19,
  /** DTS of the last video access unit, admitted or not, ms, unwrapped past 2^32; -1 before the first */
  LAST_DTS: 20,
  /** access units of the fastest video track, admitted or dropped: what media FPS is measured on */
  TRACK_FRAMES: 21,
  /** 1 while dropping video until the next keyframe */
  DROPPING: 22,
  /** numbers of VIDEO_CODECS and AUDIO_CODECS; 0 = not seen yet */
  VIDEO_CODEC: 23,
  AUDIO_CODEC: 24,
  /** admitted messages by kind */
  VIDEO_PACKETS: 25,
  AUDIO_PACKETS: 26,
  DATA_PACKETS: 27,
  /** bytes and messages held for players that join */
  GOP_BYTES: 28,
  GOP_PACKETS: 29,
  /** payload bytes offered, admitted or not: what `observed` says in a receipt */
  OFFERED_BYTES: 30,
  OFFERED_PACKETS: 31,
  /** counted but not yet charged: what the messages of the current read cost, charged at its end */
  PENDING_BYTES: 32,
  PENDING_PACKETS: 33,
  PENDING_FRAMES: 34,
  /** constraints exceeded by the current read and not yet counted as a violation */
  PENDING_EXCEEDED: 35,
  /** bit set of constraints the last dropped message was dropped for; kept while DROPPING lasts */
  DROP_CAUSE: 36,
} as const;

/** Doubles per stream row: five cache lines, so that two threads' rows never share one. */
export const STREAM_STRIDE = 40;

/** Names by number, as the VIDEO_CODEC and AUDIO_CODEC fields hold them. Append only. */
export const VIDEO_CODECS = [
  '',
  'h264',
  'hevc',
  'av1',
  'vp9',
  'vp8',
  'h263',
  'vp6',
  'screen',
  'vvc',
  'mpeg2',
] as const;
export const AUDIO_CODECS = [
  '',
  'aac',
  'mp3',
  'opus',
  'flac',
  'ac3',
  'eac3',
  'pcm',
  'adpcm',
  'speex',
  'g711a',
  'g711u',
  'nellymoser',
  'mp2',
] as const;

/** Index of a field of node row `node` in the node table. */
export function nodeAt(node: number, field: number): number {
  return node * NODE_STRIDE + field;
}

/** Index of a field of stream row `slot` in the stream table. */
export function streamAt(slot: number, field: number): number {
  return slot * STREAM_STRIDE + field;
}
