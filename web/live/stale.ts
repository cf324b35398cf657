/** Whether what is shown is out of date: then it is greyed out, and its age is told. */
import { useState } from 'preact/hooks';
import { useInterval } from '../hooks.ts';
import { currentLive } from './live.ts';

/** ms after which a snapshot is out of date: three are missing, or one and a half at the slower pace. */
const STALE_MS = 3_500;

/** ms between two looks at the age. */
const LOOK_MS = 500;

/** ms since the last snapshot; null before the first */
export function snapshotAgeMs(): number | null {
  const { snapshotAtMs } = currentLive();
  return snapshotAtMs === null ? null : performance.now() - snapshotAtMs;
}

export function useStale(): boolean {
  const look = () => (snapshotAgeMs() ?? 0) > STALE_MS;
  const [stale, setStale] = useState(look);
  useInterval(() => setStale(look()), LOOK_MS);
  return stale;
}
