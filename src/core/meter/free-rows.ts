/**
 * The free rows of a table of fixed size. Taking and giving back cost the
 * same however many rows there are, and rows never taken are never touched,
 * so a large table costs memory only as it fills.
 */
export class FreeRows {
  readonly #capacity: number;
  readonly #returned: Uint32Array;
  #returnedCount = 0;
  #untouched = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#returned = new Uint32Array(capacity);
  }

  get inUse(): number {
    return this.#untouched - this.#returnedCount;
  }

  get free(): number {
    return this.#capacity - this.inUse;
  }

  /** A row number, or null when all are taken. */
  take(): number | null {
    if (this.#returnedCount > 0) {
      this.#returnedCount -= 1;
      return this.#returned[this.#returnedCount]!;
    }
    if (this.#untouched === this.#capacity) return null;
    this.#untouched += 1;
    return this.#untouched - 1;
  }

  /** Gives back a row that was taken; the caller makes sure that it is given back once. */
  release(row: number): void {
    this.#returned[this.#returnedCount] = row;
    this.#returnedCount += 1;
  }
}
