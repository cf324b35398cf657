import type { AmfReader, AmfValue, SharedTable } from './amf-reader.ts';

/**
 * AMF 3 values (Adobe AMF 3 specification, January 2013), as they appear behind
 * the `avmplus` marker of an AMF 0 message. Vectors, dictionaries and
 * externalizable objects are refused: no encoder or player sends them in a
 * command, and the last kind has no length that a stranger could know.
 */

const MARKER = {
  UNDEFINED: 0x00,
  NULL: 0x01,
  FALSE: 0x02,
  TRUE: 0x03,
  INTEGER: 0x04,
  DOUBLE: 0x05,
  STRING: 0x06,
  XML_DOCUMENT: 0x07,
  DATE: 0x08,
  ARRAY: 0x09,
  OBJECT: 0x0a,
  XML: 0x0b,
  BYTE_ARRAY: 0x0c,
} as const;

interface Traits {
  readonly names: readonly string[];
  readonly dynamic: boolean;
}

/** What references of one message point at. Each entry took at least a byte of the message. */
export interface Amf3Tables {
  readonly strings: string[];
  readonly objects: SharedTable;
  readonly traits: Traits[];
}

export function createAmf3Tables(): Amf3Tables {
  return { strings: [], objects: [], traits: [] };
}

/** Reads one value; at a failure the reader carries the problem and the value means nothing. */
export function readAmf3(reader: AmfReader, tables: Amf3Tables): AmfValue {
  if (!reader.count()) return null;
  switch (reader.u8()) {
    case MARKER.UNDEFINED:
      return undefined;
    case MARKER.NULL:
      return null;
    case MARKER.FALSE:
      return false;
    case MARKER.TRUE:
      return true;
    case MARKER.INTEGER:
      return (readU29(reader) << 3) >> 3;
    case MARKER.DOUBLE:
      return reader.f64();
    case MARKER.STRING:
      return readString(reader, tables);
    case MARKER.XML_DOCUMENT:
    case MARKER.XML:
      return readLeaf(reader, tables, (length) => reader.utf8(length));
    case MARKER.BYTE_ARRAY:
      return readLeaf(reader, tables, (length) => {
        reader.skip(length);
        return null;
      });
    case MARKER.DATE:
      return readLeaf(reader, tables, () => reader.f64());
    case MARKER.ARRAY:
      return readArray(reader, tables);
    case MARKER.OBJECT:
      return readObject(reader, tables);
    default:
      return reader.fail('unsupported_marker');
  }
}

/** Variable length unsigned 29-bit integer, section 1.3.1. */
function readU29(reader: AmfReader): number {
  let value = 0;
  for (let i = 0; i < 3; i += 1) {
    const byte = reader.u8();
    value = (value << 7) | (byte & 0x7f);
    if (byte < 0x80) return value;
  }
  return (value << 8) | reader.u8();
}

/** Section 1.3.2: the low bit tells a literal from a reference; the empty string is never referred to. */
function readString(reader: AmfReader, tables: Amf3Tables): string {
  const head = readU29(reader);
  if ((head & 1) === 0) {
    const known = tables.strings[head >> 1];
    if (known === undefined) reader.fail('bad_reference');
    return known ?? '';
  }
  const text = reader.utf8(head >> 1);
  if (text !== '') tables.strings.push(text);
  return text;
}

/** A value without members that shares the objects' numbering: date, XML, byte array. */
function readLeaf(reader: AmfReader, tables: Amf3Tables, read: (length: number) => AmfValue): AmfValue {
  const head = readU29(reader);
  if ((head & 1) === 0) return reader.shared(tables.objects, head >> 1);
  return reader.compound(tables.objects, () => read(head >> 1));
}

/** Section 3.11: named members first, then `count` unnamed ones. A Map when it has any names. */
function readArray(reader: AmfReader, tables: Amf3Tables): AmfValue {
  const head = readU29(reader);
  if ((head & 1) === 0) return reader.shared(tables.objects, head >> 1);
  return reader.compound<AmfValue>(tables.objects, () => {
    const named = new Map<string, AmfValue>();
    readNamed(reader, tables, named);
    const dense: AmfValue[] = [];
    const count = head >> 1;
    while (dense.length < count && reader.problem === null) dense.push(readAmf3(reader, tables));
    if (named.size === 0) return dense;
    for (const [index, value] of dense.entries()) named.set(String(index), value);
    return named;
  });
}

/** Section 3.12: the traits (names fixed beforehand) by value or by reference, then the members. */
function readObject(reader: AmfReader, tables: Amf3Tables): AmfValue {
  const head = readU29(reader);
  if ((head & 1) === 0) return reader.shared(tables.objects, head >> 1);
  const traits = (head & 2) === 0 ? tables.traits[head >> 2] : readTraits(reader, tables, head);
  if (traits === undefined) return reader.fail('bad_reference');
  return reader.compound(tables.objects, () => {
    const members = new Map<string, AmfValue>();
    for (const name of traits.names) {
      if (reader.problem !== null) break;
      members.set(name, readAmf3(reader, tables));
    }
    if (traits.dynamic) readNamed(reader, tables, members);
    return members;
  });
}

function readTraits(reader: AmfReader, tables: Amf3Tables, head: number): Traits {
  const externalizable = (head & 4) !== 0;
  if (externalizable) reader.fail('unsupported_marker');
  const count = head >> 4;
  readString(reader, tables);
  const names: string[] = [];
  while (names.length < count && reader.problem === null) names.push(readString(reader, tables));
  const traits = { names, dynamic: (head & 8) !== 0 };
  tables.traits.push(traits);
  return traits;
}

/** Name and value pairs up to the empty name. */
function readNamed(reader: AmfReader, tables: Amf3Tables, into: Map<string, AmfValue>): void {
  while (reader.problem === null) {
    const name = readString(reader, tables);
    if (name === '') return;
    into.set(name, readAmf3(reader, tables));
  }
}
