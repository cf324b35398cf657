import { RECORD_FLAG } from '../../native/outbox.ts';
import { decodeMetadata } from '../rtmp/amf.ts';
import { AUDIO, DATA_AMF0, DATA_AMF3, VIDEO } from '../rtmp/message-types.ts';

/** One admitted audio, video or data message of a publisher. */
export interface MediaMessage {
  /** RTMP message type: audio 8, video 9, data 18 or 15; others are not played */
  readonly type: number;
  /** DTS in ms, modulo 2^32 */
  readonly timestamp: number;
  /** valid only during the call that hands it over */
  readonly payload: Uint8Array;
  /** bits of `RECORD_FLAG`, as the demuxer sets them */
  readonly flags: number;
}

/** AMF 0 marker of a string: what every data message begins with. */
const STRING_MARKER = 0x02;

/** `@setDataFrame` as an AMF 0 string: tells a server to keep what follows, and is not for players. */
const SET_DATA_FRAME = Buffer.concat([Buffer.of(STRING_MARKER, 0, 13), Buffer.from('@setDataFrame')]);

/**
 * The message as players may see it, or null when they may not. An empty
 * message desynchronises players; AMF 3 data is AMF 0 after its first byte.
 */
export function playable(message: MediaMessage): MediaMessage | null {
  if (message.payload.byteLength === 0) return null;
  switch (message.type) {
    case AUDIO:
    case VIDEO:
      return message;
    case DATA_AMF3:
      return message.payload[0] === 0 ? dataFor(message, message.payload.subarray(1)) : null;
    case DATA_AMF0:
      return dataFor(message, message.payload);
    default:
      return null;
  }
}

function dataFor(message: MediaMessage, payload: Uint8Array): MediaMessage | null {
  const told = startsWith(payload, SET_DATA_FRAME) ? payload.subarray(SET_DATA_FRAME.length) : payload;
  if (told[0] !== STRING_MARKER) return null;
  // FFmpeg takes onMetaData at any time but 0 for a stream of its own, of a codec that nobody knows.
  const timestamp = (message.flags & RECORD_FLAG.METADATA) !== 0 ? 0 : message.timestamp;
  return { type: DATA_AMF0, timestamp, payload: told, flags: message.flags };
}

function startsWith(bytes: Uint8Array, prefix: Buffer): boolean {
  return bytes.length >= prefix.length && prefix.equals(bytes.subarray(0, prefix.length));
}

/** Which kinds of media a stream has, as far as is known. */
export interface Tracks {
  readonly audio: boolean;
  readonly video: boolean;
}

/** What one playable message tells of the tracks of its stream: itself, or what onMetaData announces. */
export function tracksOf(message: MediaMessage): Tracks {
  if (message.type !== DATA_AMF0) return { audio: message.type === AUDIO, video: message.type === VIDEO };
  const metadata = decodeMetadata(message.payload, DATA_AMF0);
  if (metadata === null) return { audio: false, video: false };
  return {
    audio: metadata.audioCodec !== null,
    video: (metadata.videoCodec ?? 0) > 0 || (metadata.width ?? 0) > 0,
  };
}

/** A message without which nothing decodes, or that says what the stream is: always passed on. */
export function isHeader(message: MediaMessage): boolean {
  return (message.flags & (RECORD_FLAG.HEADER | RECORD_FLAG.METADATA)) !== 0;
}

/** A message from which video can be decoded. */
export function isKeyframe(message: MediaMessage): boolean {
  return message.type === VIDEO && (message.flags & RECORD_FLAG.KEYFRAME) !== 0;
}
