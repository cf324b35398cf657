/**
 * The last minutes of some figures, one row per interval, newest over oldest.
 *
 * Rows have numbers: time divided by the interval. Whoever samples says which
 * number a row has, so a row that was never written is a gap, not a shorter
 * line. Single precision tells a rate to seven digits, more than a chart shows,
 * in half the memory.
 */

/** Between two rows, ms: a second of bitrate jumps with every keyframe, and a chart is 300 pixels wide. */
export const HISTORY_INTERVAL_MS = 2_000;

/** Rows kept: five minutes, what somebody who is called looks back for. */
export const HISTORY_ROWS = 150;

/** Rows that the first allocation holds: most streams that fail do so in half a minute. */
const FIRST_ROWS = 16;

export class HistoryRing {
  readonly #columns: number;
  #cells = new Float32Array(0);
  /** rows there is room for; the row of number n is at n modulo this */
  #capacity = 0;
  /** numbers of the oldest row kept, and of the one after the newest */
  #first = 0;
  #next = Number.NEGATIVE_INFINITY;

  /** Nothing is allocated before the first row. */
  constructor(columns: number) {
    this.#columns = columns;
  }

  /** The lowest number that may still be written: rows come in order. */
  get next(): number {
    return this.#next;
  }

  get isEmpty(): boolean {
    return this.#capacity === 0;
  }

  /** What it holds, bytes. */
  get bytes(): number {
    return this.#cells.byteLength;
  }

  /** Writes row `number`; rows that were left out become gaps. NaN = not known. */
  write(number: number, values: Float32Array): void {
    if (number < this.#next) return;
    if (number - this.#next >= HISTORY_ROWS) this.#first = this.#next = number;
    this.#grow(number + 1 - this.#first);
    for (let gap = this.#next; gap < number; gap++) {
      const at = this.#at(gap);
      this.#cells.fill(Number.NaN, at, at + this.#columns);
    }
    this.#cells.set(values, this.#at(number));
    this.#next = number + 1;
    this.#first = Math.max(this.#first, this.#next - HISTORY_ROWS);
  }

  /** Number of the oldest row that belongs to a view that ends with row `last`. */
  firstUpTo(last: number): number {
    return Math.max(this.#first, last - HISTORY_ROWS + 1);
  }

  /** One column, rows `first` to `last`; null where nothing is known. */
  column(column: number, first: number, last: number): (number | null)[] {
    const values: (number | null)[] = [];
    for (let number = first; number <= last; number++) {
      const value = number < this.#next ? this.#cells[this.#at(number) + column]! : Number.NaN;
      values.push(Number.isFinite(value) ? shown(value) : null);
    }
    return values;
  }

  #at(number: number): number {
    return (number % this.#capacity) * this.#columns;
  }

  /** Makes room for so many rows, twice as many each time. */
  #grow(rows: number): void {
    if (rows <= this.#capacity || this.#capacity === HISTORY_ROWS) return;
    let capacity = Math.max(FIRST_ROWS, this.#capacity);
    while (capacity < rows && capacity < HISTORY_ROWS) capacity *= 2;
    capacity = Math.min(capacity, HISTORY_ROWS);
    const cells = new Float32Array(capacity * this.#columns);
    for (let number = this.#first; number < this.#next; number++) {
      const from = this.#at(number);
      cells.set(this.#cells.subarray(from, from + this.#columns), (number % capacity) * this.#columns);
    }
    this.#cells = cells;
    this.#capacity = capacity;
  }
}

/** Without the digits that single precision made up. */
function shown(value: number): number {
  return Math.abs(value) >= 10_000 ? Math.round(value) : Math.round(value * 1_000) / 1_000;
}
