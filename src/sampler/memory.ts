import { totalmem } from 'node:os';
import { type HeapReading, readHeap } from './heap.ts';
import type { Figures, Source } from './sampler.ts';

/**
 * Memory: V8's heap against its own limit, and all that this process holds
 * against the limit of its control group or the machine. What it holds is what
 * is resident, or what it asked for where that is more: memory that was swapped
 * out, or is yet to be touched, will be wanted back.
 */

/** The limit is looked up again after this time, ms: a container may be given more or less while it runs. */
const LOOK_AGAIN_MS = 10_000;

/** What the system says of this process, in bytes. */
export interface MemoryReadings {
  heap(): HeapReading;
  usage(): { readonly rss: number; readonly external: number; readonly arrayBuffers: number };
  /** what this process may have at most */
  limit(): number;
}

const OWN: MemoryReadings = {
  heap: readHeap,
  usage: () => process.memoryUsage(),
  /** The limit of the control group (0 or some huge number: none), where that is less than the machine. */
  limit() {
    const group = process.constrainedMemory();
    return group > 0 ? Math.min(group, totalmem()) : totalmem();
  },
};

export class MemorySource implements Source {
  readonly name = 'memory';
  readonly #nativeBytes: () => number;
  readonly #readings: MemoryReadings;
  #limit = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** `nativeBytes` tells what the addons hold: GOPs, half-sent messages, receive buffers. */
  constructor(nativeBytes: () => number, readings: MemoryReadings = OWN) {
    this.#nativeBytes = nativeBytes;
    this.#readings = readings;
  }

  /**
   * `heap` and `memory` are fractions, 0..1; the rest is bytes: `heap_used`,
   * `heap_limit`, `rss`, `memory_limit`, `external` (array buffers included),
   * `array_buffers`, `native`.
   */
  read(now: number): Figures {
    if (now - this.#lookedAt >= LOOK_AGAIN_MS) {
      this.#lookedAt = now;
      this.#limit = this.#readings.limit();
    }
    const heap = this.#readings.heap();
    const { rss, external, arrayBuffers } = this.#readings.usage();
    const native = this.#nativeBytes();
    return {
      heap: heap.used / heap.limit,
      memory: Math.max(rss, heap.committed + external + native) / this.#limit,
      heap_used: heap.used,
      heap_limit: heap.limit,
      rss,
      memory_limit: this.#limit,
      external,
      array_buffers: arrayBuffers,
      native,
    };
  }
}
