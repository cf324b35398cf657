/** One value that can be watched. */
import { useSyncExternalStore } from '../hooks.ts';

export class Cell<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of this.#listeners) listener();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** Draws the component again when the cell's value changes. */
export function useCell<T>(cell: Cell<T>): T {
  return useSyncExternalStore(
    (listener) => cell.subscribe(listener),
    () => cell.get(),
  );
}
