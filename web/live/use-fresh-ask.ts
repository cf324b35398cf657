/** An answer of the API about what the feed tells, too: asked again as soon as the feed says something new. */
import { useEffect, useRef } from 'preact/hooks';
import { useLive } from './live.ts';
import { type Asked, useAsk } from './use-ask.ts';

/** ms between two answers without news: receipts that stand for several decisions only grow. */
const EVERY_MS = 5_000;

/** ms between two answers at the most, however much the feed tells. */
const AT_MOST_EVERY_MS = 1_000;

/** `path` answers from the audit trail. */
export function useFreshAsk<T>(path: string): Asked<T> {
  const asked = useAsk<T>(path, EVERY_MS);
  const latest = useLive(({ receipts, actions }) => `${receipts[0]?.id} ${actions[0]?.id}`);
  const first = useRef(latest);
  const askedAt = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    if (latest === first.current) return;
    const waitMs = Math.max(0, askedAt.current + AT_MOST_EVERY_MS - performance.now());
    const timer = setTimeout(() => {
      askedAt.current = performance.now();
      asked.again();
    }, waitMs);
    return () => clearTimeout(timer);
  }, [latest]);
  return asked;
}
