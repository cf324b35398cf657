import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';
import { be } from './rtmp-wire.ts';

/**
 * SRT on the wire, written for tests from the public protocol draft
 * (draft-sharabayko-srt-01, section 3) and sharing nothing with libsrt: every
 * field may be set to nonsense, which no library would send.
 */

export const CONTROL = {
  HANDSHAKE: 0,
  KEEPALIVE: 1,
  ACK: 2,
  NAK: 3,
  CONGESTION: 4,
  SHUTDOWN: 5,
  ACKACK: 6,
  DROPREQ: 7,
  PEER_ERROR: 8,
  USER: 0x7fff,
} as const;

/** Handshake types (3.2.1). What an answer holds from 1000 on is a refusal and its code. */
export const HANDSHAKE = {
  WAVEHAND: 0,
  INDUCTION: 1,
  CONCLUSION: 0xffffffff,
  AGREEMENT: 0xfffffffe,
  DONE: 0xfffffffd,
} as const;

/** Handshake extensions (3.2.1): the same numbers are subtypes of user control packets. */
export const EXTENSION = {
  HSREQ: 1,
  HSRSP: 2,
  KMREQ: 3,
  KMRSP: 4,
  SID: 5,
  CONGESTION: 6,
  FILTER: 7,
  GROUP: 8,
} as const;

/** Extension field of a conclusion: which kinds of extension follow. */
export const EXTENSION_FLAG = { HSREQ: 1, KMREQ: 2, CONFIG: 4 } as const;

/** What a caller says it can do (3.2.1.1.1). */
const HS_FLAG = {
  TSBPD_SEND: 1,
  TSBPD_RECEIVE: 2,
  CRYPT: 4,
  TOO_LATE_DROP: 8,
  PERIODIC_NAK: 16,
  REXMIT: 32,
} as const;

const HEADER_BYTES = 16;
const HANDSHAKE_BYTES = 48;
const SRT_VERSION = 0x010501;

/** A refusal on the wire is its API code and a thousand. */
const REFUSAL_BASE = 1_000;

const sum = (parts: Record<string, number>): number =>
  Object.values(parts).reduce((all, part) => all | part, 0);

export interface ControlPacket {
  readonly type: number;
  readonly subtype?: number;
  /** type-specific field */
  readonly info?: number;
  /** microseconds since the connection began */
  readonly timestamp?: number;
  /** socket id of the peer; 0 is the listener */
  readonly destination: number;
  readonly body?: Buffer;
}

export function controlPacket(packet: ControlPacket): Buffer {
  const { type, subtype = 0, info = 0, timestamp = 0, destination, body = Buffer.alloc(0) } = packet;
  const header = [
    be((0x8000 | type) & 0xffff, 2),
    be(subtype, 2),
    be(info >>> 0, 4),
    be(timestamp >>> 0, 4),
    be(destination >>> 0, 4),
  ];
  return Buffer.concat([...header, body]);
}

export interface DataPacket {
  readonly sequence: number;
  readonly message: number;
  readonly timestamp: number;
  readonly destination: number;
  readonly payload: Buffer;
  /** position of the packet in its message: 3 is a message of one */
  readonly position?: number;
  readonly inOrder?: boolean;
  /** 0 in clear, 1 and 2 the even and odd key, 3 is reserved */
  readonly key?: number;
  readonly retransmitted?: boolean;
}

export function dataPacket(packet: DataPacket): Buffer {
  const { position = 3, inOrder = true, key = 0, retransmitted = false } = packet;
  const flags = (position << 6) | (Number(inOrder) << 5) | (key << 3) | (Number(retransmitted) << 2);
  const message = ((flags << 24) | (packet.message & 0x3ffffff)) >>> 0;
  const header = [
    be(packet.sequence & 0x7fffffff, 4),
    be(message, 4),
    be(packet.timestamp >>> 0, 4),
    be(packet.destination >>> 0, 4),
  ];
  return Buffer.concat([...header, packet.payload]);
}

/** What a handshake packet holds; unset fields are those of a sound caller. */
export interface Handshake {
  readonly version: number;
  readonly encryption: number;
  readonly extensionField: number;
  readonly sequence: number;
  readonly mss: number;
  readonly flowWindow: number;
  readonly type: number;
  readonly socketId: number;
  readonly cookie: number;
}

export function handshakePacket(handshake: Handshake, extensions: Buffer = Buffer.alloc(0)): Buffer {
  const fields = [
    be(handshake.version, 4),
    be(handshake.encryption, 2),
    be(handshake.extensionField, 2),
    ...[
      handshake.sequence,
      handshake.mss,
      handshake.flowWindow,
      handshake.type,
      handshake.socketId,
      handshake.cookie,
    ].map((field) => be(field >>> 0, 4)),
    Buffer.from([1, 0, 0, 127]),
    Buffer.alloc(12),
  ];
  return controlPacket({
    type: CONTROL.HANDSHAKE,
    destination: 0,
    body: Buffer.concat([...fields, extensions]),
  });
}

/** One extension block; `words` may lie about its length. */
export function extension(type: number, body: Buffer, words = Math.ceil(body.length / 4)): Buffer {
  const padding = Buffer.alloc((4 - (body.length % 4)) % 4);
  return Buffer.concat([be(type, 2), be(words, 2), body, padding]);
}

export function helloExtension(latencyMs: number, flags = sum(HS_FLAG)): Buffer {
  const body = Buffer.concat([
    be(SRT_VERSION, 4),
    be(flags >>> 0, 4),
    be(latencyMs & 0xffff, 2),
    be(latencyMs & 0xffff, 2),
  ]);
  return extension(EXTENSION.HSREQ, body);
}

/** A stream id travels in words of four bytes, each turned round. */
export function streamIdExtension(id: Buffer | string, words?: number): Buffer {
  const bytes = Buffer.from(id);
  const padded = Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  return extension(EXTENSION.SID, padded.swap32(), words);
}

/** A key message (3.2.2) that a passphrase opens; `over` writes bytes of the head to something else. */
export function keyMaterial(
  passphrase: string,
  keyBytes = 16,
  over: readonly (readonly [at: number, byte: number])[] = [],
): Buffer {
  const salt = randomBytes(16);
  const head = Buffer.from([
    0x12,
    0x20,
    0x29,
    1,
    0,
    0,
    0,
    0,
    2,
    0,
    2,
    0,
    0,
    0,
    salt.length / 4,
    keyBytes / 4,
  ]);
  for (const [at, byte] of over) head.writeUInt8(byte, at);
  const wrappingKey = pbkdf2Sync(passphrase, salt.subarray(8), 2_048, keyBytes, 'sha1');
  const cipher = createCipheriv(`id-aes${keyBytes * 8}-wrap`, wrappingKey, Buffer.alloc(8, 0xa6));
  return Buffer.concat([head, salt, cipher.update(randomBytes(keyBytes)), cipher.final()]);
}

/** One sequence number, or a range of them, in the list of a NAK. */
export function lossList(...ranges: readonly (number | readonly [from: number, to: number])[]): Buffer {
  return Buffer.concat(
    ranges.map((range) =>
      typeof range === 'number'
        ? be(range & 0x7fffffff, 4)
        : Buffer.concat([be((range[0] | 0x80000000) >>> 0, 4), be(range[1] >>> 0, 4)]),
    ),
  );
}

// -- what the peer sends ------------------------------------------------------------------------------

export interface ReceivedControl {
  readonly type: number;
  readonly info: number;
  readonly destination: number;
  readonly body: Buffer;
}

/** Null for a data packet, and for what is too short to be a packet. */
export function readControl(bytes: Buffer): ReceivedControl | null {
  if (bytes.length < HEADER_BYTES || (bytes.readUInt8(0) & 0x80) === 0) return null;
  return {
    type: bytes.readUInt16BE(0) & 0x7fff,
    info: bytes.readUInt32BE(4),
    destination: bytes.readUInt32BE(12),
    body: bytes.subarray(HEADER_BYTES),
  };
}

/** Payload of a data packet, or null. */
export function readPayload(bytes: Buffer): Buffer | null {
  if (bytes.length < HEADER_BYTES || (bytes.readUInt8(0) & 0x80) !== 0) return null;
  return bytes.subarray(HEADER_BYTES);
}

/** Null when it is shorter than a handshake. */
export function readHandshake({ body }: ReceivedControl): Handshake | null {
  if (body.length < HANDSHAKE_BYTES) return null;
  const [sequence = 0, mss = 0, flowWindow = 0, type = 0, socketId = 0, cookie = 0] = [
    8, 12, 16, 20, 24, 28,
  ].map((at) => body.readUInt32BE(at));
  const version = body.readUInt32BE(0);
  return {
    version,
    encryption: body.readUInt16BE(4),
    extensionField: body.readUInt16BE(6),
    sequence,
    mss,
    flowWindow,
    type,
    socketId,
    cookie,
  };
}

/** The API code of a refusal, or null when the handshake is none. */
export function refusalOf({ type }: Handshake): number | null {
  if (type < REFUSAL_BASE || type >= HANDSHAKE.DONE) return null;
  return type - REFUSAL_BASE;
}

/** Sequence numbers that a NAK asks for again. */
export function* lostIn(body: Buffer): Generator<number> {
  for (let at = 0; at + 4 <= body.length; at += 4) {
    const first = body.readUInt32BE(at);
    if (first < 0x80000000) {
      yield first;
      continue;
    }
    at += 4;
    if (at + 4 > body.length) return;
    const last = body.readUInt32BE(at);
    for (let lost = first - 0x80000000; lost <= last; lost += 1) yield lost;
  }
}
