/** A temporary limit as it is typed, and as the API is asked for it. */
import { ON_EXCEED, type OnExceed } from '../../src/core/limits.ts';

/** Names as in the config; values with their units, as in the config. Empty: leave as it is. */
export interface LimitDraft {
  readonly max_bitrate: string;
  readonly max_fps: string;
  readonly max_packets_per_sec: string;
  readonly on_exceed: OnExceed | '';
  /** empty: until the stream ends */
  readonly for: string;
}

/** Ten minutes: long enough to ring somebody up, short enough to be forgotten without harm. */
export const EMPTY_DRAFT: LimitDraft = {
  max_bitrate: '',
  max_fps: '',
  max_packets_per_sec: '',
  on_exceed: '',
  for: '10m',
};

/** What each does, beside its name. */
export const ON_EXCEED_WORDS: Readonly<Record<OnExceed, string>> = {
  observe: 'count only',
  throttle: 'slow the encoder down',
  drop: 'drop video frames',
  disconnect: 'cut after grace',
};

export function isOnExceed(text: string): text is OnExceed {
  return (ON_EXCEED as readonly string[]).includes(text);
}

/** The body to send; null when no limit was named. */
export function changeOf(draft: LimitDraft): Record<string, string> | null {
  const { for: period, ...limits } = draft;
  const named = Object.entries(limits)
    .map(([name, text]) => [name, text.trim()] as const)
    .filter(([, text]) => text !== '');
  if (named.length === 0) return null;
  return { ...Object.fromEntries(named), ...(period.trim() === '' ? {} : { for: period.trim() }) };
}

/** The body that takes every temporary limit back. */
export const CLEAR_ALL = {
  max_bitrate: null,
  max_fps: null,
  max_packets_per_sec: null,
  on_exceed: null,
  grace: null,
} as const;
