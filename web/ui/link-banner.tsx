import { useState } from 'preact/hooks';
import { duration } from '../format.ts';
import { useInterval } from '../hooks.ts';
import type { ApiError } from '../live/api.ts';
import { useCell } from '../live/cell.ts';
import { link } from '../live/feed.ts';
import { reconnect } from '../live/live.ts';
import { snapshotAgeMs, useStale } from '../live/stale.ts';

/** ms between two looks at the clock. */
const TICK_MS = 500;

/** What is wrong with the connection, how old the figures below are, and when it is tried again. Nothing while all is well. */
export function LinkBanner() {
  const state = useCell(link);
  const stale = useStale();
  const [nowMs, setNowMs] = useState(() => performance.now());
  useInterval(() => setNowMs(performance.now()), TICK_MS);
  if (state.phase !== 'down' && !(stale && state.phase !== 'locked' && state.phase !== 'paused')) return null;
  const age = snapshotAgeMs();
  const waitS = state.phase === 'down' ? Math.max(0, Math.ceil((state.retryAtMs - nowMs) / 1_000)) : 0;
  return (
    <div class="banner bad" role="alert">
      <strong>{state.phase === 'down' ? words(state.error) : 'No figures come'}.</strong>
      <span aria-live="off">
        {age === null ? 'Nothing was received yet.' : `What is shown is ${duration(wholeSeconds(age))} old.`}{' '}
        {waitS > 0 ? `Trying again in ${waitS} s.` : 'Trying again now.'}
      </span>
      <button type="button" onClick={reconnect}>
        Try now
      </button>
    </div>
  );
}

function wholeSeconds(ms: number): number {
  return Math.round(ms / 1_000) * 1_000;
}

function words({ status, message }: ApiError): string {
  if (status === 0) return `No connection: ${message}`;
  if (status === 403) return `Not allowed: ${message}`;
  if (status === 429) return `The server limits this address: ${message}`;
  if (status === 503) return `The server takes no more viewers: ${message}`;
  return `The server answered ${status}: ${message}`;
}
