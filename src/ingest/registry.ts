import type { LiveStream } from './live-stream.ts';

/** Hears of streams as they come and go, the latter while they still have their rows. Must not throw. */
export interface RegistryWatcher {
  added(stream: LiveStream): void;
  removed(stream: LiveStream): void;
}

/**
 * Every live stream, by id and by path, in the order they came. A path has
 * one publisher at a time.
 */
export class StreamRegistry {
  readonly #byId = new Map<string, LiveStream>();
  readonly #byPath = new Map<string, LiveStream>();
  /** the number of each in the order they came, from 1; never used twice */
  readonly #numbers = new WeakMap<LiveStream, number>();
  #came = 0;
  readonly #watchers = new Set<RegistryWatcher>();

  get size(): number {
    return this.#byId.size;
  }

  add(stream: LiveStream): void {
    this.#byId.set(stream.id, stream);
    this.#numbers.set(stream, ++this.#came);
    this.#byPath.set(stream.identity.path, stream);
    for (const watcher of this.#watchers) watcher.added(stream);
  }

  remove(stream: LiveStream): void {
    if (!this.#byId.delete(stream.id)) return;
    // A takeover has put the newcomer under this path before the ghost is removed.
    if (this.#byPath.get(stream.identity.path) === stream) this.#byPath.delete(stream.identity.path);
    for (const watcher of this.#watchers) watcher.removed(stream);
  }

  /** Tells of every stream that comes or goes; returns how to stop that. */
  watch(watcher: RegistryWatcher): () => void {
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
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

  /** The place of a stream in the order they came, from 1; it stays when others leave. */
  numberOf(stream: LiveStream): number {
    return this.#numbers.get(stream) ?? 0;
  }

  /** The same in arrays of at most `size`, for work that must not hold the loop; only those that came after number `after`. */
  *batches(size: number, after = 0): Generator<LiveStream[]> {
    let batch: LiveStream[] = [];
    for (const stream of this.#byId.values()) {
      if (after > 0 && this.numberOf(stream) <= after) continue;
      batch.push(stream);
      if (batch.length >= size) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0) yield batch;
  }
}
