/**
 * A cursor over one AMF message that cannot be made to do more work than the
 * message deserves. What a stranger writes decides three things here, and each
 * is bounded: how deep values nest, how many values the message stands for
 * once references are followed, and how much is read (never more than was
 * sent: a length or count that lies ends in `truncated` or `too_many_values`).
 *
 * Failure is sticky instead of thrown: after the first problem every read
 * yields a neutral value and consumes nothing, so loops need only look at
 * `problem`.
 */

/** Why a message could not be decoded. */
export type AmfProblem =
  | 'too_large'
  | 'truncated'
  | 'too_deep'
  | 'too_many_values'
  | 'bad_reference'
  | 'unsupported_marker'
  | 'no_name';

/**
 * A decoded value. Objects, typed objects and ECMA arrays become Maps, so a
 * key called `__proto__` or `constructor` is a key like any other. Dates are
 * milliseconds since 1970, XML documents are strings, byte arrays are null.
 */
export type AmfValue = number | boolean | string | null | undefined | AmfValue[] | AmfObject;
export type AmfObject = ReadonlyMap<string, AmfValue>;

/** Levels of objects in objects; encoders use two. */
const DEPTH_MAX = 16;
/** Values in one message; a large onMetaData holds about forty. */
const VALUES_MAX = 1_024;

/** An object that a later value of the message may refer to by number. */
interface Shared {
  value: AmfValue;
  /** false while its own members are still being read: a reference would make a cycle */
  complete: boolean;
  /** values inside it, references followed */
  values: number;
  /** levels inside it, itself included */
  height: number;
}

/** Objects in the order in which they were met; bounded by VALUES_MAX. */
export type SharedTable = Shared[];

export class AmfReader {
  problem: AmfProblem | null = null;
  readonly #bytes: Buffer;
  #offset = 0;
  #values = 0;
  #depth = 0;
  #deepest = 0;

  constructor(payload: Uint8Array) {
    this.#bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** Records the first problem; the rest of the message is not looked at. */
  fail(problem: AmfProblem): null {
    this.problem ??= problem;
    this.#offset = this.#bytes.length;
    return null;
  }

  /** The next byte without taking it, or -1 at the end. */
  peek(): number {
    return this.#bytes[this.#offset] ?? -1;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : this.#bytes.readUInt8(at);
  }

  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#bytes.readUInt16BE(at);
  }

  u32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#bytes.readUInt32BE(at);
  }

  f64(): number {
    const at = this.#take(8);
    return at < 0 ? 0 : this.#bytes.readDoubleBE(at);
  }

  skip(length: number): void {
    this.#take(length);
  }

  /** Bytes that are not UTF-8 become U+FFFD. */
  utf8(length: number): string {
    const at = this.#take(length);
    return at < 0 ? '' : this.#bytes.toString('utf8', at, at + length);
  }

  /** Takes values off the budget of the message; false when it is spent. */
  count(values = 1): boolean {
    this.#values += values;
    if (this.#values > VALUES_MAX) this.fail('too_many_values');
    return this.problem === null;
  }

  /** Reads a value that has members: one level deeper, and known to `table` from now on. */
  compound<T extends AmfValue>(table: SharedTable, read: () => T): T | null {
    if (this.#depth >= DEPTH_MAX) return this.fail('too_deep');
    const entry: Shared = { value: null, complete: false, values: 0, height: 1 };
    table.push(entry);
    const valuesBefore = this.#values;
    const deepestBefore = this.#deepest;
    this.#depth += 1;
    this.#deepest = this.#depth;
    const value = read();
    entry.value = value;
    entry.complete = true;
    entry.values = this.#values - valuesBefore;
    entry.height = this.#deepest - this.#depth + 1;
    this.#deepest = Math.max(deepestBefore, this.#deepest);
    this.#depth -= 1;
    return value;
  }

  /**
   * The value that reference `index` names. Its members are counted again, as
   * if they stood here: a few hundred bytes of references to references would
   * otherwise stand for billions of values to whoever walks the result.
   */
  shared(table: SharedTable, index: number): AmfValue {
    const entry = table[index];
    if (entry === undefined || !entry.complete) return this.fail('bad_reference');
    if (this.#depth + entry.height > DEPTH_MAX) return this.fail('too_deep');
    this.#deepest = Math.max(this.#deepest, this.#depth + entry.height);
    return this.count(entry.values) ? entry.value : null;
  }

  /** Offset of the next `length` bytes, or -1 when they were not sent. */
  #take(length: number): number {
    if (length > this.remaining) {
      this.fail('truncated');
      return -1;
    }
    const at = this.#offset;
    this.#offset += length;
    return at;
  }
}
