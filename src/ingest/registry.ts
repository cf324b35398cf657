import type { LiveStream } from './live-stream.ts';

/**
 * Every live stream, by id and by path, in the order they came. A path has
 * one publisher at a time.
 */
export class StreamRegistry {
  readonly #byId = new Map<string, LiveStream>();
  readonly #byPath = new Map<string, LiveStream>();
  readonly #removed: (stream: LiveStream) => void;

  /** @param removed told of each stream that is taken out, while it still has its rows */
  constructor(removed: (stream: LiveStream) => void = () => {}) {
    this.#removed = removed;
  }

  get size(): number {
    return this.#byId.size;
  }

  add(stream: LiveStream): void {
    this.#byId.set(stream.id, stream);
    this.#byPath.set(stream.identity.path, stream);
  }

  remove(stream: LiveStream): void {
    if (!this.#byId.delete(stream.id)) return;
    // A takeover has put the newcomer under this path before the ghost is removed.
    if (this.#byPath.get(stream.identity.path) === stream) this.#byPath.delete(stream.identity.path);
    this.#removed(stream);
  }

  find(id: string): LiveStream | undefined {
    return this.#byId.get(id);
  }

  at(path: string): LiveStream | undefined {
    return this.#byPath.get(path);
  }

  /** Oldest first; safe while streams come and go. */
  all(): IterableIterator<LiveStream> {
    return this.#byId.values();
  }

  /** The same in arrays of at most `size`, for work that must not hold the loop. */
  *batches(size: number): Generator<LiveStream[]> {
    let batch: LiveStream[] = [];
    for (const stream of this.#byId.values()) {
      batch.push(stream);
      if (batch.length >= size) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0) yield batch;
  }
}
