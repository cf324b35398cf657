import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { Figures, Source } from './sampler.ts';

/** Memory: V8's heap against its own limit, and all that is resident against the group's or the machine's. */
export class MemorySource implements Source {
  readonly name = 'memory';
  readonly #nativeBytes: () => number;

  /** `nativeBytes` tells what the addons hold: GOPs, half-sent messages, receive buffers. */
  constructor(nativeBytes: () => number) {
    this.#nativeBytes = nativeBytes;
  }

  /**
   * `heap` and `memory` are fractions 0..1; the rest is bytes: `heap_used`,
   * `heap_limit`, `rss`, `memory_limit`, `external`, `array_buffers`, `native`.
   */
  read(): Figures {
    const heap = getHeapStatistics();
    const { rss, external, arrayBuffers } = process.memoryUsage();
    const limit = memoryLimit();
    return {
      heap: heap.used_heap_size / heap.heap_size_limit,
      memory: rss / limit,
      heap_used: heap.used_heap_size,
      heap_limit: heap.heap_size_limit,
      rss,
      memory_limit: limit,
      external,
      array_buffers: arrayBuffers,
      native: this.#nativeBytes(),
    };
  }
}

/** What this process may have at most, bytes: the limit of its control group, where that is less than the machine. */
function memoryLimit(): number {
  const machine = totalmem();
  const group = process.constrainedMemory();
  return group > 0 && group < machine ? group : machine;
}
