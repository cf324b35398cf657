/** How a stream that is gone came to its end, by the receipts that name it. */
import type { Receipt } from '../../src/core/verdict.ts';

export interface Ending {
  /** ISO time; null when nobody knows */
  readonly at: string | null;
  /** the server's doing; null when the publisher left by itself, or nobody knows */
  readonly receipt: Receipt | null;
}

/**
 * The cut is the end; what was only throttled or dropped went on. `endedAt` is
 * what the history says. `receipts` may hold those of other streams of its path.
 */
export function endingOf(id: string, receipts: readonly Receipt[], endedAt: string | null): Ending {
  const cut = receipts.find(({ stream, action }) => stream === id && action === 'cut') ?? null;
  return { at: endedAt ?? cut?.last_at ?? null, receipt: cut };
}
