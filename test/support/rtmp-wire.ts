import { createHmac, randomBytes } from 'node:crypto';

/**
 * RTMP on the wire, written for tests from the specification and sharing
 * nothing with `src`: what encodes here cannot hide what decodes there.
 */

// -- AMF 0 ------------------------------------------------------------------------------------------

/** A Buffer stands for itself: bytes to be put into the message as they are. */
export type Amf = number | boolean | string | null | undefined | Buffer | Amf[] | { [key: string]: Amf };

export class Ecma {
  readonly members: Record<string, Amf>;
  constructor(members: Record<string, Amf>) {
    this.members = members;
  }
}

/** Encodes values one after the other. Arrays are strict arrays, objects objects. */
export function amf(...values: (Amf | Ecma)[]): Buffer {
  return Buffer.concat(values.map(amfValue));
}

function amfValue(value: Amf | Ecma): Buffer {
  if (Buffer.isBuffer(value)) return value;
  if (value === null) return Buffer.from([5]);
  if (value === undefined) return Buffer.from([6]);
  if (typeof value === 'boolean') return Buffer.from([1, Number(value)]);
  if (typeof value === 'number') {
    const out = Buffer.alloc(9);
    out.writeDoubleBE(value, 1);
    return out;
  }
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return text.length > 0xffff
      ? Buffer.concat([Buffer.from([12]), be(text.length, 4), text])
      : Buffer.concat([Buffer.from([2]), be(text.length, 2), text]);
  }
  if (Array.isArray(value)) return Buffer.concat([Buffer.from([10]), be(value.length, 4), amf(...value)]);
  const ecma = value instanceof Ecma;
  const members = Object.entries(ecma ? (value as Ecma).members : (value as Record<string, Amf>));
  return Buffer.concat([
    ecma ? Buffer.concat([Buffer.from([8]), be(members.length, 4)]) : Buffer.from([3]),
    ...members.flatMap(([key, member]) => [
      be(Buffer.byteLength(key), 2),
      Buffer.from(key),
      amfValue(member),
    ]),
    Buffer.from([0, 0, 9]),
  ]);
}

/** Decodes the AMF 0 that servers send; throws on anything else. Objects have no prototype. */
export function decodeAmf(bytes: Buffer): unknown[] {
  const values: unknown[] = [];
  let at = 0;
  const text = (length: number): string => {
    at += length;
    return bytes.toString('utf8', at - length, at);
  };
  const members = (): Record<string, unknown> => {
    const out: Record<string, unknown> = Object.create(null);
    for (;;) {
      const length = bytes.readUInt16BE(at);
      at += 2;
      if (length === 0 && bytes[at] === 9) {
        at += 1;
        return out;
      }
      out[text(length)] = one();
    }
  };
  const one = (): unknown => {
    const marker = bytes.readUInt8(at);
    at += 1;
    switch (marker) {
      case 0:
        at += 8;
        return bytes.readDoubleBE(at - 8);
      case 1:
        at += 1;
        return bytes[at - 1] !== 0;
      case 2:
        at += 2;
        return text(bytes.readUInt16BE(at - 2));
      case 3:
        return members();
      case 5:
        return null;
      case 6:
        return undefined;
      case 8:
        at += 4;
        return members();
      case 10:
        at += 4;
        return Array.from({ length: bytes.readUInt32BE(at - 4) }, one);
      case 12:
        at += 4;
        return text(bytes.readUInt32BE(at - 4));
      default:
        throw new Error(`AMF 0 marker ${marker} at ${at - 1}`);
    }
  };
  while (at < bytes.length) values.push(one());
  return values;
}

// -- chunks -----------------------------------------------------------------------------------------

export interface MessageToSend {
  readonly type: number;
  readonly payload: Buffer;
  /** message stream id */
  readonly streamId?: number;
  readonly timestamp?: number;
  /** chunk stream id, 2..65599 */
  readonly csid?: number;
  /** chunk type of the first chunk; 1 and 2 write `timestamp` as the delta */
  readonly fmt?: 0 | 1 | 2 | 3;
  readonly chunkSize?: number;
  /** length to declare in place of the true one */
  readonly declaredLength?: number;
}

/** Encodes one message in chunks: one Buffer per chunk, so that tests can interleave, cut and reorder. */
export function chunksOf(message: MessageToSend): Buffer[] {
  const { type, payload, streamId = 0, timestamp = 0, csid = 3, fmt = 0, chunkSize = 128 } = message;
  const clock = timestamp % 2 ** 32;
  const extended = clock >= 0xffffff ? be(clock, 4) : Buffer.alloc(0);
  const short = be(Math.min(clock, 0xffffff), 3);
  const lengthAndType = Buffer.concat([be(message.declaredLength ?? payload.length, 3), Buffer.from([type])]);
  const stream = Buffer.alloc(4);
  stream.writeUInt32LE(streamId);
  const headers = [
    Buffer.concat([short, lengthAndType, stream]),
    Buffer.concat([short, lengthAndType]),
    short,
    Buffer.alloc(0),
  ];
  const chunks: Buffer[] = [];
  for (let at = 0; at === 0 || at < payload.length; at += chunkSize) {
    const kind = at === 0 ? fmt : 3;
    const header = headers[kind] as Buffer;
    chunks.push(
      Buffer.concat([basicHeader(kind, csid), header, extended, payload.subarray(at, at + chunkSize)]),
    );
  }
  return chunks;
}

function basicHeader(fmt: number, csid: number): Buffer {
  if (csid < 64) return Buffer.from([(fmt << 6) | csid]);
  if (csid < 320) return Buffer.from([fmt << 6, csid - 64]);
  return Buffer.from([(fmt << 6) | 1, (csid - 64) & 0xff, (csid - 64) >> 8]);
}

export interface ReceivedMessage {
  readonly type: number;
  readonly streamId: number;
  readonly csid: number;
  readonly timestamp: number;
  readonly payload: Buffer;
}

interface ChunkStream {
  timestamp: number;
  delta: number;
  length: number;
  type: number;
  streamId: number;
  extended: boolean;
  parts: Buffer[];
  received: number;
}

/** Reads what a server sends. Throws when it breaks the protocol. */
export class ChunkReader {
  chunkSize = 128;
  #pending: Buffer = Buffer.alloc(0);
  readonly #streams = new Map<number, ChunkStream>();

  /** Bytes that are not a whole chunk yet. */
  get pendingBytes(): number {
    return this.#pending.length;
  }

  push(bytes: Buffer): ReceivedMessage[] {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    const messages: ReceivedMessage[] = [];
    for (;;) {
      const taken = this.#chunk(messages);
      if (taken === 0) return messages;
      this.#pending = this.#pending.subarray(taken);
    }
  }

  /** Takes one chunk off the pending bytes; 0 when it is not all there. */
  #chunk(messages: ReceivedMessage[]): number {
    const bytes = this.#pending;
    const first = bytes[0] ?? 0;
    let at = (first & 0x3f) < 2 ? 2 + (first & 1) : 1;
    if (bytes.length < at) return 0;
    const fmt = first >> 6;
    let csid = first & 0x3f;
    if (csid === 0) csid = 64 + (bytes[1] as number);
    else if (csid === 1) csid = 64 + bytes.readUInt16LE(1);
    const headerLength = [11, 7, 3, 0][fmt] as number;
    if (bytes.length < at + headerLength) return 0;
    const known = this.#streams.get(csid);
    if (known === undefined && fmt !== 0) throw new Error(`chunk stream ${csid} begins with type ${fmt}`);
    const stream = known ?? newChunkStream();
    if (stream.received > 0 && fmt !== 3)
      throw new Error(`type ${fmt} inside a message of chunk stream ${csid}`);
    const next = { ...stream };
    const short = fmt < 3 ? bytes.readUIntBE(at, 3) : 0;
    if (fmt < 3) next.extended = short === 0xffffff;
    if (fmt < 2) {
      next.length = bytes.readUIntBE(at + 3, 3);
      next.type = bytes[at + 6] as number;
    }
    if (fmt === 0) next.streamId = bytes.readUInt32LE(at + 7);
    at += headerLength;
    if (next.extended && bytes.length < at + 4) return 0;
    const clock = next.extended ? bytes.readUInt32BE(at) : short;
    if (next.extended) at += 4;
    const size = Math.min(this.chunkSize, next.length - stream.received);
    if (bytes.length < at + size) return 0;
    if (stream.received === 0) {
      if (fmt < 3) next.delta = fmt === 0 ? 0 : clock;
      next.timestamp = fmt === 0 ? clock : (next.timestamp + next.delta) % 2 ** 32;
    }
    next.parts = [...stream.parts, bytes.subarray(at, at + size)];
    next.received += size;
    if (next.received === next.length) this.#complete(csid, next, messages);
    this.#streams.set(csid, next);
    return at + size;
  }

  #complete(csid: number, stream: ChunkStream, messages: ReceivedMessage[]): void {
    const { type, streamId, timestamp } = stream;
    const payload = Buffer.concat(stream.parts);
    stream.parts = [];
    stream.received = 0;
    if (type === 1) this.chunkSize = payload.readUInt32BE(0);
    messages.push({ type, streamId, csid, timestamp, payload });
  }
}

function newChunkStream(): ChunkStream {
  return { timestamp: 0, delta: 0, length: 0, type: 0, streamId: 0, extended: false, parts: [], received: 0 };
}

// -- handshake --------------------------------------------------------------------------------------

const CLIENT_KEY = Buffer.from('Genuine Adobe Flash Player 001');
const SERVER_KEY = Buffer.from('Genuine Adobe Flash Media Server 001');
const KEY_TAIL = Buffer.from('f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae', 'hex');

/** `simple`: RTMP 1.0. `digest0` and `digest1`: Flash Player 9's, with the digest in the first or second block. */
export type HandshakeKind = 'simple' | 'digest0' | 'digest1';

export function makeC1(kind: HandshakeKind): Buffer {
  const c1 = randomBytes(1536);
  c1.writeUInt32BE(0, 0);
  c1.writeUInt32BE(kind === 'simple' ? 0 : 0x80000702, 4);
  if (kind !== 'simple') {
    const at = digestOffset(c1, kind);
    digest(c1, at, CLIENT_KEY).copy(c1, at);
  }
  return c1;
}

/** True when S1 and S2 answer this C1 as its kind demands. */
export function verifyS1S2(kind: HandshakeKind, c1: Buffer, s1: Buffer, s2: Buffer): boolean {
  if (kind === 'simple') return s2.equals(c1);
  const at = digestOffset(s1, kind);
  const s1Digest = s1.subarray(at, at + 32);
  const ours = c1.subarray(digestOffset(c1, kind)).subarray(0, 32);
  const key = hmac(Buffer.concat([SERVER_KEY, KEY_TAIL]), ours);
  return (
    digest(s1, at, SERVER_KEY).equals(s1Digest) && hmac(key, s2.subarray(0, 1504)).equals(s2.subarray(1504))
  );
}

function digestOffset(part: Buffer, kind: HandshakeKind): number {
  const base = kind === 'digest0' ? 8 : 772;
  const sum = part.subarray(base, base + 4).reduce((total, byte) => total + byte, 0);
  return (sum % 728) + base + 4;
}

function digest(part: Buffer, at: number, key: Buffer): Buffer {
  return hmac(key, Buffer.concat([part.subarray(0, at), part.subarray(at + 32)]));
}

function hmac(key: Buffer, bytes: Buffer): Buffer {
  return createHmac('sha256', key).update(bytes).digest();
}

export function be(value: number, bytes: number): Buffer {
  const out = Buffer.alloc(bytes);
  out.writeUIntBE(value, 0, bytes);
  return out;
}
