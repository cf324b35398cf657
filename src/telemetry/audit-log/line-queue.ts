/** Lines that wait for the disk: bounded in bytes, and what finds no room is counted and told in its place. */

/** Bytes that may wait: minutes of a busy trail, and little beside a hundred streams. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;

/** Bytes given to one write: few enough calls, and short ones. */
const CHUNK_BYTES = 64 * 1024;

/** Lines looked at for one chunk, and taken ones kept before the list is cut. */
const LINES_AT_ONCE = 1_024;

const NEWLINE = 0x0a;

export class LineQueue {
  /** what tells a reader how many lines are missing before it */
  readonly #gapLine: (dropped: number) => string;
  #lines: Buffer[] = [];
  #taken = 0;
  #waitingBytes = 0;
  /** of lines that are being written; the part the disk took is gone from it */
  #chunk: Buffer | null = null;
  /** what the disk took last ends within a line */
  #isTorn = false;
  #untold = 0;
  #dropped = 0;

  constructor(gapLine: (dropped: number) => string) {
    this.#gapLine = gapLine;
  }

  /** Lines that found no room since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  get isEmpty(): boolean {
    return this.#chunk === null && this.#taken === this.#lines.length;
  }

  /** Takes a line with its newline. */
  push(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#waitingBytes + bytes.length > WAITING_BYTES_MAX) {
      this.#untold++;
      this.#dropped++;
      return;
    }
    if (this.#untold > 0) {
      this.#add(Buffer.from(this.#gapLine(this.#untold)));
      this.#untold = 0;
    }
    this.#add(bytes);
  }

  /** Whole lines to write next, at most `room` bytes, but at least one when `force`; null when none fits. */
  next(room: number, force: boolean): Buffer | null {
    if (this.#chunk !== null) return this.#chunk;
    const batch: Buffer[] = [];
    let bytes = 0;
    for (const line of this.#lines.slice(this.#taken, this.#taken + LINES_AT_ONCE)) {
      const fits = bytes + line.length <= Math.min(room, CHUNK_BYTES);
      if (!fits && !(force && batch.length === 0)) break;
      batch.push(line);
      bytes += line.length;
    }
    if (batch.length === 0) return null;
    this.#taken += batch.length;
    if (this.#taken >= LINES_AT_ONCE || this.#taken === this.#lines.length) {
      this.#lines = this.#lines.slice(this.#taken);
      this.#taken = 0;
    }
    this.#chunk = Buffer.concat(batch, bytes);
    return this.#chunk;
  }

  /** The disk took so much of what `next` gave. */
  took(bytes: number): void {
    if (this.#chunk === null || bytes === 0) return;
    this.#waitingBytes -= bytes;
    this.#isTorn = this.#chunk[bytes - 1] !== NEWLINE;
    this.#chunk = bytes >= this.#chunk.length ? null : this.#chunk.subarray(bytes);
  }

  /** What follows goes into another file: the rest of a line whose beginning is in this one is lost. */
  changeFile(): void {
    if (!this.#isTorn || this.#chunk === null) return;
    this.#dropped++;
    this.#untold++;
    this.took(this.#chunk.indexOf(NEWLINE) + 1);
  }

  /** Everything that waits, taken out: for a process that dies, or a log that is turned off. */
  takeAll(): Buffer {
    const all = Buffer.concat([
      ...(this.#chunk === null ? [] : [this.#chunk]),
      ...this.#lines.slice(this.#taken),
    ]);
    this.#lines = [];
    this.#taken = 0;
    this.#chunk = null;
    this.#waitingBytes = 0;
    this.#isTorn = false;
    return all;
  }

  #add(bytes: Buffer): void {
    this.#lines.push(bytes);
    this.#waitingBytes += bytes.length;
  }
}
