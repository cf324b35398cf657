import { useState } from 'preact/hooks';
import { ago, dateTime } from '../format.ts';
import { useInterval } from '../hooks.ts';
import { serverNowMs } from '../live/live.ts';

/** How often "12 s ago" is counted on, ms. */
const TICK_MS = 5_000;

/** `12 s ago`, with the whole time where the pointer rests. */
export function Moment({ at }: { readonly at: string }) {
  const [nowMs, setNowMs] = useState(serverNowMs);
  useInterval(() => setNowMs(serverNowMs()), TICK_MS);
  return (
    <time dateTime={at} title={dateTime(at)}>
      {ago(at, Math.max(nowMs, Date.parse(at)))}
    </time>
  );
}
