import { type AmfObject, type AmfValue, encodeAmf0 } from './amf.ts';
import { COMMAND_AMF0, DATA_AMF0, PEER_BANDWIDTH, USER_CONTROL, WINDOW_ACK_SIZE } from './message-types.ts';
import { frameRtmp, OUT_CHUNK_BYTES } from './nms.ts';

/**
 * Everything the server says on an RTMP connection, encoded and chunked (RTMP
 * 1.0, sections 5.4, 6.2 and 7). `setChunkSize` goes out before the first
 * command reply: replies are framed in chunks of that size.
 *
 * Of what a client sent only numbers are echoed, so no reply is longer than
 * what is written here plus a description of our own making.
 */

const SET_CHUNK_SIZE = 1;
const ACKNOWLEDGEMENT = 3;

/** Chunk stream 2 and message stream 0 are reserved for control messages (section 5.4). */
const CONTROL_CHUNK_STREAM = 2;
const CONNECTION_STREAM_ID = 0;
const COMMAND_CHUNK_STREAM = 3;
const DATA_CHUNK_STREAM = 6;

/** Bytes after which the client is asked to acknowledge; we do not wait for it. What most servers send. */
const WINDOW_BYTES = 5_000_000;
/** Limit type "dynamic" of set peer bandwidth (section 5.4.5): advice that never lowers a client's window. */
const LIMIT_DYNAMIC = 2;

/** User control event types (section 7.1.7). */
const STREAM_BEGIN = 0;
const STREAM_EOF = 1;
const PING_REQUEST = 6;
const PING_RESPONSE = 7;

export type StatusLevel = 'status' | 'warning' | 'error';

/** Announces OUT_CHUNK_BYTES; sent once, before any command reply. */
export function setChunkSize(): Buffer {
  return control(SET_CHUNK_SIZE, uint32(OUT_CHUNK_BYTES));
}

export function windowAckSize(): Buffer {
  return control(WINDOW_ACK_SIZE, uint32(WINDOW_BYTES));
}

export function setPeerBandwidth(): Buffer {
  return control(PEER_BANDWIDTH, Buffer.concat([uint32(WINDOW_BYTES), Buffer.of(LIMIT_DYNAMIC)]));
}

/** @param received bytes received so far, modulo 2^32 */
export function acknowledgement(received: number): Buffer {
  return control(ACKNOWLEDGEMENT, uint32(received));
}

export function streamBegin(streamId: number): Buffer {
  return userControl(STREAM_BEGIN, streamId);
}

export function streamEof(streamId: number): Buffer {
  return userControl(STREAM_EOF, streamId);
}

/** @param timestamp any 32-bit number; the client's answer holds it again */
export function ping(timestamp: number): Buffer {
  return userControl(PING_REQUEST, timestamp);
}

/** @param timestamp the number of the client's ping */
export function pong(timestamp: number): Buffer {
  return userControl(PING_RESPONSE, timestamp);
}

/** @param objectEncoding AMF version that the client asked for */
export function connectResult(transactionId: number, objectEncoding: 0 | 3): Buffer {
  const properties = record({ fmsVer: 'FMS/3,0,1,123', capabilities: 31 });
  const outcome = record({
    level: 'status',
    code: 'NetConnection.Connect.Success',
    description: 'Connection succeeded.',
    objectEncoding,
  });
  return command(CONNECTION_STREAM_ID, ['_result', transactionId, properties, outcome]);
}

export function createStreamResult(transactionId: number, streamId: number): Buffer {
  return command(CONNECTION_STREAM_ID, ['_result', transactionId, null, streamId]);
}

/**
 * The answer to a call that returns nothing: releaseStream, FCPublish. The
 * latter's own `onFCPublish` says `Publish.Start` before anybody was admitted,
 * and no encoder in use waits for it.
 */
export function emptyResult(transactionId: number): Buffer {
  return command(CONNECTION_STREAM_ID, ['_result', transactionId, null, undefined]);
}

/** @param streamId message stream of the publish or play it is about; 0 for the connection */
export function onStatus(streamId: number, level: StatusLevel, code: string, description: string): Buffer {
  return command(streamId, ['onStatus', 0, null, record({ level, code, description })]);
}

/** Tells a player that it may not read raw samples: players built on Flash wait for it. */
export function sampleAccess(streamId: number): Buffer {
  const payload = encodeAmf0(['|RtmpSampleAccess', false, false]);
  return frameRtmp(DATA_CHUNK_STREAM, DATA_AMF0, 0, streamId, payload);
}

function command(streamId: number, values: readonly AmfValue[]): Buffer {
  return frameRtmp(COMMAND_CHUNK_STREAM, COMMAND_AMF0, 0, streamId, encodeAmf0(values));
}

function control(type: number, payload: Buffer): Buffer {
  return frameRtmp(CONTROL_CHUNK_STREAM, type, 0, CONNECTION_STREAM_ID, payload);
}

function userControl(event: number, value: number): Buffer {
  return control(USER_CONTROL, Buffer.concat([Buffer.of(0, event), uint32(value)]));
}

function record(members: Record<string, AmfValue>): AmfObject {
  return new Map(Object.entries(members));
}

function uint32(value: number): Buffer {
  const out = Buffer.allocUnsafe(4);
  out.writeUInt32BE(value);
  return out;
}
