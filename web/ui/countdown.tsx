import { useState } from 'preact/hooks';
import { duration } from '../format.ts';
import { useInterval } from '../hooks.ts';
import { serverNowMs } from '../live/live.ts';

/** How often the seconds are looked at, ms: each is seen in time. */
const LOOK_MS = 250;

/** One that is over is looked at so often: the clock it goes by may be set. */
const REST_MS = 10_000;

export interface CountdownProps {
  /** the server's wall time, Unix ms */
  readonly untilMs: number;
  /** said once it is over */
  readonly over: string;
}

/** How long it still is until then. Whole seconds, rounded up: a promise must not come early. */
export function Countdown({ untilMs, over }: CountdownProps) {
  const [nowMs, setNowMs] = useState(serverNowMs);
  const leftMs = untilMs - nowMs;
  useInterval(() => setNowMs(serverNowMs()), leftMs > 0 ? LOOK_MS : REST_MS);
  return <span role="timer">{leftMs > 0 ? secondsOf(leftMs) : over}</span>;
}

function secondsOf(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  return seconds < 60 ? `${seconds} s` : duration(seconds * 1_000);
}
