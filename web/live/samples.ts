/** Two connections may tell the same seconds; a row that is older by more than this, ms, is of a clock that was set back. */
const SET_BACK_MS = 15_000;

/** The last values of something that is measured again and again: a ring of columns on one time axis. */
export class Samples<Name extends string> {
  readonly #names: readonly Name[];
  readonly #times: Float64Array;
  readonly #columns: Record<Name, Float64Array>;
  readonly #capacity: number;
  #next = 0;
  #length = 0;

  /** Holds the last `capacity` rows. */
  constructor(names: readonly Name[], capacity: number) {
    this.#names = names;
    this.#capacity = capacity;
    this.#times = new Float64Array(capacity);
    this.#columns = Object.fromEntries(names.map((name) => [name, new Float64Array(capacity)])) as Record<
      Name,
      Float64Array
    >;
  }

  get length(): number {
    return this.#length;
  }

  /** `atMs`: wall time; NaN = not known, a gap in the line. Rows come in the order of their times; an older one is left out, until it is clear that the clock was set. */
  push(atMs: number, row: Readonly<Record<Name, number>>): void {
    if (atMs <= this.lastAtMs) {
      if (this.lastAtMs - atMs < SET_BACK_MS) return;
      this.#length = 0;
    }
    const at = this.#next;
    this.#times[at] = atMs;
    for (const name of this.#names) this.#columns[name][at] = row[name];
    this.#next = (at + 1) % this.#capacity;
    this.#length = Math.min(this.#length + 1, this.#capacity);
  }

  /** -Infinity when there is none */
  get lastAtMs(): number {
    if (this.#length === 0) return Number.NEGATIVE_INFINITY;
    return this.#times[(this.#next + this.#capacity - 1) % this.#capacity]!;
  }

  /** wall times in seconds, oldest first: what charts have on their axis */
  timesS(): number[] {
    return this.#read(this.#times, (ms) => ms / 1_000);
  }

  /** oldest first; null = not known */
  values(name: Name): (number | null)[] {
    return this.#read(this.#columns[name], (value) => (Number.isNaN(value) ? null : value));
  }

  #read<T>(column: Float64Array, as: (value: number) => T): T[] {
    const start = (this.#next - this.#length + this.#capacity) % this.#capacity;
    return Array.from({ length: this.#length }, (_none, index) =>
      as(column[(start + index) % this.#capacity]!),
    );
  }
}
