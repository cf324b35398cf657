/** What an operator changed of a stream's limits, as the audit trail says it. Pure. */
import { bitrateLimit, durationWords, fpsLimit, rateLimit } from '../core/words/limits.ts';
import type { LimitOverride } from '../http/ports.ts';

/** Each limit in the words of the config. */
const LIMIT_WORDS = {
  max_bitrate: bitrateLimit,
  max_fps: fpsLimit,
  max_packets_per_sec: rateLimit,
  on_exceed: (action) => action,
  grace: durationWords,
} satisfies { [Name in keyof LimitOverride]-?: (value: NonNullable<LimitOverride[Name]>) => string };

/** `max_bitrate=400kbps grace=never for 10m`, what it says and for how long. */
export function limitChangeWords(change: LimitOverride, forMs: number | null): string {
  const entries = Object.entries(change);
  if (entries.length === 0) return 'nothing was overridden';
  const told = entries.map(
    ([limit, value]) => `${limit}=${value === null ? 'config' : wordOf(limit, value)}`,
  );
  if (entries.every(([, value]) => value === null)) return told.join(' ');
  return `${told.join(' ')} ${forMs === null ? 'until the stream ends' : `for ${durationWords(forMs)}`}`;
}

function wordOf(limit: string, value: number | string): string {
  if (value === Number.POSITIVE_INFINITY) return limit === 'grace' ? 'never' : 'unlimited';
  const words = LIMIT_WORDS[limit as keyof LimitOverride] as (value: number | string) => string;
  return words(value);
}
