/** What is shown of a list that grows at its top while somebody reads it further down. */

export interface Grown<T> {
  /** what was shown before, as it is now, and what is older than all of it */
  readonly shown: readonly T[];
  /** how many are newer than all that was shown */
  readonly fresh: number;
}

/** Both lists are newest first. What was shown and is not in `items` any more, because the list is bounded, stays. */
export function grown<T>(before: readonly T[], items: readonly T[], keyOf: (item: T) => string): Grown<T> {
  const known = new Set(before.map(keyOf));
  const isKnown = (item: T): boolean => known.has(keyOf(item));
  const newest = items.findIndex(isKnown);
  // Nothing in common: so many came that all which was shown has left the list.
  if (newest < 0) return { shown: before, fresh: items.length };
  const now = new Map(items.map((item) => [keyOf(item), item]));
  const older = items.slice(items.findLastIndex(isKnown) + 1);
  return { shown: [...before.map((item) => now.get(keyOf(item)) ?? item), ...older], fresh: newest };
}
