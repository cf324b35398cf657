import { type AmfObject, type AmfProblem, AmfReader, type AmfValue, type SharedTable } from './amf-reader.ts';
import { type Amf3Tables, createAmf3Tables, readAmf3 } from './amf3.ts';

/**
 * AMF 0 (Adobe AMF 0 specification, December 2007): the encoding of RTMP
 * commands and of onMetaData. Decoding is bounded and never throws on input;
 * see amf-reader.ts for the bounds.
 *
 * Encoding is done here too and not by node-media-server: its encoder copies
 * all it has written for every member it adds, writes strings of 65,536 bytes
 * and more with a length that is cut, and throws on a type it does not know.
 * Replies need six types, which are the dozen lines at the end.
 */

export type { AmfObject, AmfProblem, AmfValue } from './amf-reader.ts';

/** Largest command or data message that is looked into, bytes. Encoders stay under 4 KiB. */
const MESSAGE_BYTES_MAX = 65_536;

const MARKER = {
  NUMBER: 0x00,
  BOOLEAN: 0x01,
  STRING: 0x02,
  OBJECT: 0x03,
  NULL: 0x05,
  UNDEFINED: 0x06,
  REFERENCE: 0x07,
  ECMA_ARRAY: 0x08,
  OBJECT_END: 0x09,
  STRICT_ARRAY: 0x0a,
  DATE: 0x0b,
  LONG_STRING: 0x0c,
  UNSUPPORTED: 0x0d,
  XML_DOCUMENT: 0x0f,
  TYPED_OBJECT: 0x10,
  AVMPLUS: 0x11,
} as const;

/** RTMP message types that carry AMF (RTMP 1.0, section 7.1). */
const AMF3_DATA_TYPE = 15;
const AMF3_COMMAND_TYPE = 17;

export interface AmfCommand {
  readonly ok: true;
  readonly name: string;
  /** 0 when the message holds none, or something that is not a finite number */
  readonly transactionId: number;
  /** what follows the transaction id: the command object (often null) first */
  readonly args: readonly AmfValue[];
}

export interface AmfFailure {
  readonly ok: false;
  readonly problem: AmfProblem;
}

/**
 * Decodes a command message of type 20 (AMF 0) or 17 (AMF 3: a zero byte, then
 * AMF 0 values that may switch to AMF 3 one by one).
 */
export function decodeCommand(payload: Uint8Array, type: 17 | 20): AmfCommand | AmfFailure {
  const values = decodeValues(payload, type === AMF3_COMMAND_TYPE);
  if (!Array.isArray(values)) return values;
  const [name, transactionId, ...args] = values;
  if (typeof name !== 'string' || name === '') return { ok: false, problem: 'no_name' };
  return {
    ok: true,
    name,
    transactionId: finite(transactionId) ?? 0,
    args,
  };
}

/** What onMetaData says of a stream; null where it says nothing usable. Never to be relied on for a limit. */
export interface StreamMetadata {
  readonly width: number | null;
  readonly height: number | null;
  /** frames per second */
  readonly framerate: number | null;
  /** FLV codec id, or a FourCC as a 32-bit number (enhanced RTMP) */
  readonly videoCodec: number | null;
  readonly audioCodec: number | null;
  readonly videoRateKbps: number | null;
  readonly audioRateKbps: number | null;
}

/**
 * Decodes a data message of type 18 (AMF 0) or 15 (AMF 3). Null when it is not
 * onMetaData, with or without the `@setDataFrame` that publishers put before it,
 * or cannot be decoded.
 */
export function decodeMetadata(payload: Uint8Array, type: 15 | 18): StreamMetadata | null {
  const values = decodeValues(payload, type === AMF3_DATA_TYPE);
  if (!Array.isArray(values)) return null;
  const at = values[0] === '@setDataFrame' ? 1 : 0;
  const fields = values[at + 1];
  if (values[at] !== 'onMetaData' || !isAmfObject(fields)) return null;
  return {
    width: finite(fields.get('width')),
    height: finite(fields.get('height')),
    framerate: finite(fields.get('framerate')),
    videoCodec: codecId(fields.get('videocodecid')),
    audioCodec: codecId(fields.get('audiocodecid')),
    videoRateKbps: finite(fields.get('videodatarate')),
    audioRateKbps: finite(fields.get('audiodatarate')),
  };
}

export function isAmfObject(value: AmfValue): value is AmfObject {
  return value instanceof Map;
}

function finite(value: AmfValue): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** Some encoders write the FourCC as text. */
function codecId(value: AmfValue): number | null {
  if (typeof value === 'string' && /^[\x20-\x7e]{4}$/.test(value)) return Buffer.from(value).readUInt32BE();
  return finite(value);
}

interface Amf0Tables {
  readonly objects: SharedTable;
  readonly amf3: Amf3Tables;
}

function decodeValues(payload: Uint8Array, amf3: boolean): AmfValue[] | AmfFailure {
  if (payload.byteLength > MESSAGE_BYTES_MAX) return { ok: false, problem: 'too_large' };
  const reader = new AmfReader(payload);
  if (amf3 && reader.peek() === 0) reader.u8();
  const tables = { objects: [], amf3: createAmf3Tables() };
  const values: AmfValue[] = [];
  while (reader.remaining > 0) values.push(readAmf0(reader, tables));
  return reader.problem === null ? values : { ok: false, problem: reader.problem };
}

function readAmf0(reader: AmfReader, tables: Amf0Tables): AmfValue {
  if (!reader.count()) return null;
  switch (reader.u8()) {
    case MARKER.NUMBER:
      return reader.f64();
    case MARKER.BOOLEAN:
      return reader.u8() !== 0;
    case MARKER.STRING:
      return reader.utf8(reader.u16());
    case MARKER.LONG_STRING:
    case MARKER.XML_DOCUMENT:
      return reader.utf8(reader.u32());
    case MARKER.NULL:
    case MARKER.UNSUPPORTED:
      return null;
    case MARKER.UNDEFINED:
      return undefined;
    case MARKER.DATE:
      return readDate(reader);
    case MARKER.OBJECT:
      return reader.compound(tables.objects, () => readMembers(reader, tables, false));
    case MARKER.TYPED_OBJECT:
      reader.utf8(reader.u16());
      return reader.compound(tables.objects, () => readMembers(reader, tables, false));
    case MARKER.ECMA_ARRAY:
      reader.u32();
      return reader.compound(tables.objects, () => readMembers(reader, tables, true));
    case MARKER.STRICT_ARRAY:
      return readStrictArray(reader, tables);
    case MARKER.REFERENCE:
      return reader.shared(tables.objects, reader.u16());
    case MARKER.AVMPLUS:
      return readAmf3(reader, tables.amf3);
    default:
      return reader.fail('unsupported_marker');
  }
}

/** Section 2.13: the time zone is reserved and ignored. */
function readDate(reader: AmfReader): number {
  const unixMs = reader.f64();
  reader.u16();
  return unixMs;
}

/**
 * Members up to the end marker. The count before an ECMA array is a hint that
 * is not believed; old encoders leave its end marker out at the end of a message.
 */
function readMembers(reader: AmfReader, tables: Amf0Tables, endIsOptional: boolean): Map<string, AmfValue> {
  const members = new Map<string, AmfValue>();
  while (reader.problem === null) {
    if (endIsOptional && reader.remaining === 0) break;
    const key = reader.utf8(reader.u16());
    if (key === '' && reader.peek() === MARKER.OBJECT_END) {
      reader.u8();
      break;
    }
    members.set(key, readAmf0(reader, tables));
  }
  return members;
}

function readStrictArray(reader: AmfReader, tables: Amf0Tables): AmfValue {
  const count = reader.u32();
  return reader.compound(tables.objects, () => {
    const items: AmfValue[] = [];
    while (items.length < count && reader.problem === null) items.push(readAmf0(reader, tables));
    return items;
  });
}

/** Encodes values one after the other, as the body of a command or data message. */
export function encodeAmf0(values: readonly AmfValue[]): Buffer {
  const parts: Buffer[] = [];
  for (const value of values) encodeValue(value, parts);
  return Buffer.concat(parts);
}

function encodeValue(value: AmfValue, parts: Buffer[]): void {
  if (value === null) parts.push(Buffer.of(MARKER.NULL));
  else if (value === undefined) parts.push(Buffer.of(MARKER.UNDEFINED));
  else if (typeof value === 'boolean') parts.push(Buffer.of(MARKER.BOOLEAN, value ? 1 : 0));
  else if (typeof value === 'number') parts.push(encodeNumber(value));
  else if (typeof value === 'string') encodeString(value, parts);
  else if (Array.isArray(value)) {
    parts.push(withLength32(MARKER.STRICT_ARRAY, value.length));
    for (const item of value) encodeValue(item, parts);
  } else encodeObject(value, parts);
}

function encodeNumber(value: number): Buffer {
  const out = Buffer.allocUnsafe(9);
  out[0] = MARKER.NUMBER;
  out.writeDoubleBE(value, 1);
  return out;
}

function encodeString(value: string, parts: Buffer[]): void {
  const text = Buffer.from(value);
  if (text.length > 0xffff) parts.push(withLength32(MARKER.LONG_STRING, text.length), text);
  else parts.push(Buffer.of(MARKER.STRING, text.length >> 8, text.length & 0xff), text);
}

/** @throws RangeError for a key over 65,535 bytes, which AMF 0 cannot express */
function encodeObject(value: AmfObject, parts: Buffer[]): void {
  parts.push(Buffer.of(MARKER.OBJECT));
  for (const [key, member] of value) {
    const text = Buffer.from(key);
    if (text.length > 0xffff) throw new RangeError('an AMF 0 key holds at most 65,535 bytes');
    parts.push(Buffer.of(text.length >> 8, text.length & 0xff), text);
    encodeValue(member, parts);
  }
  parts.push(Buffer.of(0, 0, MARKER.OBJECT_END));
}

function withLength32(marker: number, length: number): Buffer {
  const out = Buffer.allocUnsafe(5);
  out[0] = marker;
  out.writeUInt32BE(length, 1);
  return out;
}
