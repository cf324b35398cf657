/** Bytes before the body of a record: see native/outbox.h. */
const RECORD_HEADER_BYTES = 24;

/** Records begin at multiples of this. */
const RECORD_ALIGNMENT = 8;

/** Bits of a record's flags. */
export const RECORD_FLAG = {
  /** video that decodes by itself */
  KEYFRAME: 1,
  /** audio or video sequence header */
  HEADER: 2,
  /** video that no other frame refers to */
  DISPOSABLE: 4,
  /** onMetaData or @setDataFrame */
  METADATA: 8,
  /** from the GOP kept for players */
  REPLAY: 16,
} as const;

/** One message taken out of the outbox. */
export interface OutboxMessage {
  readonly type: number;
  readonly timestamp: number;
  /** a view into the outbox: valid until the engine is called again */
  readonly payload: Uint8Array;
  readonly flags: number;
}

/**
 * Walks the records that a call of the engine left in its outbox. Nothing is
 * allocated per record, except what `payload` and `message` return.
 */
export class OutboxReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #next = 0;
  #left = 0;

  /** `bytes` is the very view the engine was made with. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Goes before the first of `count` records (`io[IO.EVENTS]`). */
  rewind(count: number): void {
    this.#next = 0;
    this.#left = count;
  }

  /** Goes to the next record; false when there is none. */
  next(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    this.#at = this.#next;
    const end = this.#at + RECORD_HEADER_BYTES + this.length;
    this.#next = Math.ceil(end / RECORD_ALIGNMENT) * RECORD_ALIGNMENT;
    return true;
  }

  /** RTMP message type id. */
  get type(): number {
    return this.#view.getUint8(this.#at);
  }

  /** Bits of RECORD_FLAG. */
  get flags(): number {
    return this.#view.getUint8(this.#at + 1);
  }

  get isMetadata(): boolean {
    return (this.flags & RECORD_FLAG.METADATA) !== 0;
  }

  /** Length of the body, bytes. */
  get length(): number {
    return this.#view.getUint32(this.#at + 4, true);
  }

  /** ms, modulo 2^32. */
  get timestamp(): number {
    return this.#view.getUint32(this.#at + 8, true);
  }

  /** Message stream id. */
  get streamId(): number {
    return this.#view.getUint32(this.#at + 12, true);
  }

  get chunkStreamId(): number {
    return this.#view.getUint32(this.#at + 16, true);
  }

  /** A view of the body: valid until the engine is called again. */
  payload(): Uint8Array {
    const start = this.#at + RECORD_HEADER_BYTES;
    return this.#bytes.subarray(start, start + this.length);
  }

  message(): OutboxMessage {
    return { type: this.type, timestamp: this.timestamp, payload: this.payload(), flags: this.flags };
  }
}
