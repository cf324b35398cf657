import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';

/**
 * V8's heap as far as it can run out: the old generation. What V8 gives as the
 * limit of the heap has room for the young generation on top, which is of no
 * use to objects that stay. With `--max-old-space-size=256` it says 448 MiB,
 * and ends the process at 256: measured against that, a heap is never full.
 */

const MIB = 1024 * 1024;

/** Where no size is asked for, V8 makes the young generation 3/64 of the old one (Heap::ConfigureHeap). */
const OLD_PART_OF_LIMIT = 64 / 67;

/** As Node and V8 take it, spelled with dashes or underscores. */
const OLD_SPACE_SIZE = /--max[-_]old[-_]space[-_]size=(\d+)/g;

export interface HeapReading {
  /** in use by the old generation, its limit, and what is set aside for the whole heap, bytes */
  readonly used: number;
  readonly limit: number;
  readonly committed: number;
}

export function readHeap(): HeapReading {
  const { heap_size_limit, total_heap_size } = getHeapStatistics();
  let used = 0;
  for (const { space_name, space_used_size } of getHeapSpaceStatistics()) {
    if (!space_name.startsWith('new_')) used += space_used_size;
  }
  const { execArgv, env } = process;
  const args = [env['NODE_OPTIONS'] ?? '', ...execArgv].join(' ');
  return { used, limit: oldGenerationLimit(heap_size_limit, args), committed: total_heap_size };
}

/** Bytes. `args` are those of Node; of several sizes the last one counts. */
export function oldGenerationLimit(heapLimit: number, args: string): number {
  const asked = [...args.matchAll(OLD_SPACE_SIZE)].at(-1)?.[1];
  const limit = asked === undefined ? heapLimit * OLD_PART_OF_LIMIT : Number(asked) * MIB;
  // 0 is none asked for; and V8 has the last word.
  return limit > 0 ? Math.min(limit, heapLimit) : heapLimit * OLD_PART_OF_LIMIT;
}
