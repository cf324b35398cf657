/** Answers about the same question, one over the other: the newest first, each receipt as it was told last. */
import type { Receipt } from '../../src/core/verdict.ts';

export function merged(before: readonly Receipt[], answer: readonly Receipt[], most: number): Receipt[] {
  const byId = new Map<string, Receipt>();
  for (const receipt of [...before, ...answer]) byId.set(receipt.id, receipt);
  return [...byId.values()].sort((a, b) => newerFirst(a.id, b.id)).slice(0, most);
}

/**
 * Whether nothing can be missing between what was told before and a newer answer. So many may have come that its oldest
 * is newer than all that was known: then it begins anew, and older ones are asked for from there.
 */
export function meets(before: readonly Receipt[], answer: readonly Receipt[]): boolean {
  const oldest = answer.at(-1);
  const newest = before[0];
  return oldest === undefined || newest === undefined || newerFirst(oldest.id, newest.id) >= 0;
}

/** Ids are numbers to the base 36 that grow. */
function newerFirst(a: string, b: string): number {
  return b.length - a.length || (a < b ? 1 : a > b ? -1 : 0);
}
