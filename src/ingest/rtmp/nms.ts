import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import { HeadgateError } from '../../lib/errors.ts';
import { AUDIO, DATA_AMF0, VIDEO } from './message-types.ts';

/**
 * The fence around node-media-server: the only file that imports it.
 *
 * It is kept for what reaches players: the framing of RTMP chunks and FLV
 * tags, the digest handshake, and the WebSocket library it brings. All of that
 * is called as plain functions on complete, admitted messages; no session,
 * store, listener or timer of it ever exists, so its process-wide `Context`
 * stays empty and nothing is written to `./data`.
 *
 * Its `BroadcastServer` is not used: it frames every packet for both protocols
 * whether or not anybody plays, keeps both copies without a byte bound,
 * decodes metadata with an unbounded decoder, and writes to sockets without
 * looking at their queues. Its internals move between minor versions, hence
 * the exact version and the checks in `inspect`.
 */

const VERSION = '4.4.3';

/**
 * Chunk size of everything we send, bytes: node-media-server frames with this
 * number and no other. Announced once per connection, before the first
 * message that is longer than the 128 bytes of RTMP's default.
 */
export const OUT_CHUNK_BYTES = 65_535;

/** C1, S1 and S2: 1,536 bytes each (RTMP 1.0, section 5.2.3). */
export const HANDSHAKE_PART_BYTES = 1_536;

interface Chunkable {
  readonly header: {
    readonly fmt: number;
    readonly cid: number;
    readonly timestamp: number;
    readonly length: number;
    readonly type: number;
    readonly stream_id: number;
  };
  readonly payload: Buffer;
}

interface Taggable {
  readonly codec_type: number;
  readonly size: number;
  readonly dts: number;
  readonly data: Buffer;
}

interface RtmpInstance {
  handshakeState: number;
  readonly outChunkSize: number;
  onOutputCallback: (bytes: Buffer) => void;
  parserData(bytes: Buffer): string | null;
}

interface RtmpClass {
  new (): RtmpInstance;
  chunksCreate(packet: Chunkable): Buffer;
}

interface FlvClass {
  createHeader(hasAudio: boolean, hasVideo: boolean): Buffer;
  createMessage(packet: Taggable): Buffer;
}

/** What is used of a connection of the `ws` package. */
export interface WebSocketLike {
  readonly bufferedAmount: number;
  readonly OPEN: number;
  readonly readyState: number;
  send(bytes: Buffer): void;
  pong(bytes: Buffer): void;
  close(code: number, reason?: string): void;
  terminate(): void;
  on(event: 'message' | 'ping', listener: (bytes: Buffer) => void): unknown;
  on(event: 'close' | 'error', listener: () => void): unknown;
}

/** What is used of the `WebSocketServer` of the `ws` package. */
export interface WebSocketUpgrader {
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    accept: (socket: WebSocketLike) => void,
  ): void;
}

interface WebSocketModule {
  readonly WebSocketServer: new (options: Record<string, unknown>) => WebSocketUpgrader;
}

/** The parts of node-media-server that are relied on. Exported for the test that takes them apart. */
export interface NmsParts {
  readonly version: string;
  readonly Rtmp: RtmpClass;
  readonly Flv: FlvClass;
  readonly ws: WebSocketModule;
}

interface Nms extends NmsParts {
  /** one parser for all handshakes: each instance holds a megabyte */
  readonly handshaker: RtmpInstance;
}

let loaded: Nms | null = null;

/**
 * Loads node-media-server and makes sure that it is the one whose internals
 * are known. Called once at start, so that a changed dependency is an error
 * message and not a corrupt stream.
 * @throws HeadgateError HG_NMS_CHANGED
 */
export function assertNodeMediaServer(): void {
  nms();
}

/** @throws HeadgateError HG_NMS_CHANGED, naming the first thing that is not as it was */
export function inspect(parts: NmsParts): void {
  if (parts.version !== VERSION) {
    throw changed(`version ${VERSION} is needed, ${parts.version} is installed; run npm ci`);
  }
  const hex = (make: () => Buffer): string => {
    try {
      return make().toString('hex');
    } catch (error) {
      return String(error);
    }
  };
  const payload = Buffer.of(0xaf, 0x01, 0x21);
  const checks: ReadonlyArray<readonly [what: string, actual: string, expected: string]> = [
    ['Flv.createHeader', hex(() => parts.Flv.createHeader(true, false)), '464c5601040000000900000000'],
    [
      'Flv.createMessage',
      hex(() => parts.Flv.createMessage({ codec_type: 8, size: 3, dts: 0x8a123456, data: payload })),
      '080000031234568a000000af01210000000e',
    ],
    [
      'Rtmp.chunksCreate',
      hex(() => parts.Rtmp.chunksCreate(chunkable(4, 8, 0x01000000, 1, payload))),
      '04ffffff000003080100000001000000af0121',
    ],
    ['Rtmp.outChunkSize', hex(() => Buffer.from([new parts.Rtmp().outChunkSize >> 8])), 'ff'],
    [
      'Rtmp.parserData',
      hex(() => replyTo(new parts.Rtmp(), Buffer.alloc(HANDSHAKE_PART_BYTES, 7)).subarray(0, 9)),
      '030707070707070707',
    ],
    ['ws.WebSocketServer', typeof parts.ws.WebSocketServer, 'function'],
  ];
  for (const [what, actual, expected] of checks) {
    if (actual !== expected) throw changed(`${what} is not as it was in ${VERSION} (${actual})`);
  }
}

function changed(detail: string): HeadgateError {
  return new HeadgateError('HG_NMS_CHANGED', `node-media-server: ${detail}`);
}

function nms(): Nms {
  loaded ??= load();
  return loaded;
}

function load(): Nms {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve('node-media-server/package.json');
  const own = createRequire(manifest);
  const logger: { log: () => void } = own('./src/core/logger.js');
  // It prints to the console, without a bound, on what strangers send.
  logger.log = () => {};
  const parts: NmsParts = {
    version: own('./package.json').version,
    Rtmp: own('./src/protocol/rtmp.js'),
    Flv: own('./src/protocol/flv.js'),
    ws: own('ws'),
  };
  inspect(parts);
  return { ...parts, handshaker: new parts.Rtmp() };
}

/** Chunk stream ids of what we send: any but 2 would do, these are node-media-server's. */
const CHUNK_STREAM_OF_MEDIA: ReadonlyMap<number, number> = new Map([
  [AUDIO, 4],
  [VIDEO, 5],
  [DATA_AMF0, 6],
]);

/**
 * Frames one RTMP message in chunks of OUT_CHUNK_BYTES, copying the payload.
 * Its own `createMessage` is passed by because it always writes message
 * stream 0, which strict players ignore.
 * @param payload at least one byte: an empty one would be framed a byte short
 * @param timestamp ms, modulo 2^32
 */
export function frameRtmp(
  chunkStreamId: number,
  type: number,
  timestamp: number,
  streamId: number,
  payload: Uint8Array,
): Buffer {
  return nms().Rtmp.chunksCreate(chunkable(chunkStreamId, type, timestamp, streamId, asBuffer(payload)));
}

/** Frames a media message for a player of the message stream `streamId`. */
export function frameRtmpMedia(
  type: number,
  timestamp: number,
  streamId: number,
  payload: Uint8Array,
): Buffer {
  return frameRtmp(CHUNK_STREAM_OF_MEDIA.get(type) ?? 6, type, timestamp, streamId, payload);
}

/** Frames one FLV tag with its trailing size, copying the payload. */
export function frameFlv(type: number, timestamp: number, payload: Uint8Array): Buffer {
  return nms().Flv.createMessage({
    codec_type: type,
    size: payload.byteLength,
    dts: timestamp,
    data: asBuffer(payload),
  });
}

/** The 13 bytes before the first FLV tag. */
export function flvHeader(hasAudio: boolean, hasVideo: boolean): Buffer {
  return nms().Flv.createHeader(hasAudio, hasVideo);
}

/**
 * S0, S1 and S2 for a client's C1: with digests when C1 carries a valid one
 * (Flash Player 9 and later, schema 0 and 1), else the plain echo of RTMP 1.0.
 */
export function handshakeReply(c1: Uint8Array): Buffer {
  return replyTo(nms().handshaker, asBuffer(c1));
}

/** A WebSocket endpoint without a listener of its own. */
export function webSocketUpgrader(options: Record<string, unknown>): WebSocketUpgrader {
  return new (nms().ws.WebSocketServer)({ ...options, noServer: true });
}

/** Runs the first half of a handshake, synchronously, on an instance that is put back to the start. */
function replyTo(rtmp: RtmpInstance, c1: Buffer): Buffer {
  let reply: Buffer = Buffer.alloc(0);
  rtmp.onOutputCallback = (bytes) => {
    reply = bytes;
  };
  rtmp.handshakeState = 0;
  rtmp.parserData(Buffer.of(3));
  rtmp.parserData(c1);
  rtmp.onOutputCallback = () => {};
  return reply;
}

function chunkable(
  chunkStreamId: number,
  type: number,
  timestamp: number,
  streamId: number,
  payload: Buffer,
): Chunkable {
  return {
    header: { fmt: 0, cid: chunkStreamId, timestamp, length: payload.length, type, stream_id: streamId },
    payload,
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
