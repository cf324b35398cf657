import type { Reason } from './reasons.ts';
import { formatEventRate } from './units.ts';

/**
 * The one line a publisher is told when it is refused or cut, readable by
 * people and programs:
 * `headgate: stream_bitrate limit=6000kbps observed=8200kbps retry_after=30s receipt=r-1f3c`.
 */
export interface Notice {
  readonly reason: Reason;
  /** base units: bits/s, frames/s, messages/s, a fraction, ms or a count; null where the reason has none */
  readonly limit: number | null;
  readonly observed: number | null;
  /** period of an event rate, ms; what is counted per second ignores it */
  readonly windowMs: number | null;
  /** ms; null or Infinity = never */
  readonly retryAfterMs: number | null;
  readonly receipt: string;
}

export function describeNotice(notice: Notice): string {
  const words = [`headgate: ${notice.reason}`];
  if (notice.limit !== null) words.push(`limit=${amount(notice, notice.limit)}`);
  if (notice.observed !== null) words.push(`observed=${amount(notice, notice.observed)}`);
  words.push(`retry_after=${retryAfter(notice.retryAfterMs)}`);
  words.push(`receipt=${notice.receipt}`);
  return words.join(' ');
}

function amount({ reason, windowMs }: Notice, value: number): string {
  if (!Number.isFinite(value)) return 'unlimited';
  if (isBitrate(reason)) return `${Math.round(value / 1000)}kbps`;
  if (reason === 'resource_event_loop') return `${round(value)}ms`;
  if (reason.startsWith('resource_')) return `${round(value * 100)}%`;
  if (reason === 'stream_fps') return `${round(value)}fps`;
  if (reason === 'stream_packet_rate') return `${round(value)}/s`;
  // As it is configured: 100/min is not a hundred a second.
  if (reason.endsWith('_rate') && windowMs !== null)
    return formatEventRate({ count: round(value), periodMs: windowMs });
  return String(round(value));
}

/** What shedding leaves a stream is a bitrate, too. */
function isBitrate(reason: Reason): boolean {
  return reason === 'stream_bitrate' || reason === 'shed' || reason.endsWith('_bandwidth');
}

function retryAfter(ms: number | null): string {
  if (ms === null || ms === Number.POSITIVE_INFINITY) return 'never';
  // Rounded up: told in whole seconds, a promise must not come early.
  return `${Math.max(0, Math.ceil(ms / 1000))}s`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
