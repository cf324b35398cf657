/**
 * A page of a list that has no lasting order of its own, such as addresses:
 * it is listed by the text of its keys. A cursor is the last key listed, and
 * the next page holds what comes after it, whoever came or left meanwhile. Two
 * pages are held, or a thousand items, however long the list is.
 */
import { turnOfTheLoop } from './batches.ts';
import type { Batches } from './ports.ts';

/** Items put in order together at least: one by one they would be sorted again and again. */
const SORTED_AT_ONCE = 1_000;

interface Wanted<T> {
  keyOf(item: T): string;
  matches(item: T): boolean;
  /** the last key of the page before; undefined for the first page */
  readonly after: string | undefined;
  readonly limit: number;
}

interface SortedPage<T> {
  readonly items: readonly T[];
  /** how many more match */
  readonly omitted: number;
}

/** The first `limit` items after `after`, in the order of their keys; the event loop turns between batches. */
export async function sortedPage<T>(batches: Batches<T>, wanted: Wanted<T>): Promise<SortedPage<T>> {
  const { keyOf, matches, after, limit } = wanted;
  const byKey = (a: T, b: T): number => (keyOf(a) < keyOf(b) ? -1 : 1);
  const heldMax = Math.max(2 * limit, SORTED_AT_ONCE);
  let held: T[] = [];
  /** a whole page is held that ends here: what comes after it is only counted */
  let beyond: string | undefined;
  let count = 0;
  for (const batch of batches) {
    for (const item of batch) {
      if ((after !== undefined && keyOf(item) <= after) || !matches(item)) continue;
      count++;
      if (beyond !== undefined && keyOf(item) > beyond) continue;
      held.push(item);
      if (held.length < heldMax) continue;
      held = held.sort(byKey).slice(0, limit);
      beyond = keyOf(held[limit - 1]!);
    }
    await turnOfTheLoop();
  }
  const items = held.sort(byKey).slice(0, limit);
  return { items, omitted: count - items.length };
}
