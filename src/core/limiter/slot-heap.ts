/**
 * A binary min-heap of slots by instant, in two flat arrays. It is how a keyed
 * limiter finds the key that will be fresh first without looking at the others.
 */
export class SlotHeap {
  readonly #instants: Float64Array;
  readonly #slots: Uint32Array;
  #size = 0;

  constructor(capacity: number) {
    this.#instants = new Float64Array(capacity);
    this.#slots = new Uint32Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** The slot with the earliest instant; the heap is not empty. */
  get topSlot(): number {
    return this.#slots[0]!;
  }

  get topInstant(): number {
    return this.#instants[0]!;
  }

  /** Adds a slot; the caller keeps within the capacity. */
  push(slot: number, instant: number): void {
    let hole = this.#size++;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (this.#instants[parent]! <= instant) break;
      this.#copy(parent, hole);
      hole = parent;
    }
    this.#place(hole, slot, instant);
  }

  /** Removes the top. */
  pop(): void {
    this.#size -= 1;
    if (this.#size > 0) this.#sink(this.#slots[this.#size]!, this.#instants[this.#size]!);
  }

  /** Gives the top a later instant. */
  postpone(instant: number): void {
    this.#sink(this.#slots[0]!, instant);
  }

  /** Recomputes every instant, as after a change of rate. */
  rebuild(instantOf: (slot: number) => number): void {
    const slots = this.#slots.slice(0, this.#size);
    this.#size = 0;
    for (const slot of slots) this.push(slot, instantOf(slot));
  }

  /** Lets a pair sink from the root, which is a hole, to its place. */
  #sink(slot: number, instant: number): void {
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#instants[child + 1]! < this.#instants[child]!) child += 1;
      if (this.#instants[child]! >= instant) break;
      this.#copy(child, hole);
      hole = child;
    }
    this.#place(hole, slot, instant);
  }

  #copy(from: number, to: number): void {
    this.#place(to, this.#slots[from]!, this.#instants[from]!);
  }

  #place(index: number, slot: number, instant: number): void {
    this.#slots[index] = slot;
    this.#instants[index] = instant;
  }
}
