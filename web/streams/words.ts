/** What streams, limits and their use are called on the pages. */
import type { StreamSnapshot, StreamState } from '../../src/core/stream.ts';
import { bps, rate } from '../format.ts';
import type { Tone } from '../ui/badge.tsx';
import type { LimitKind, Nearness, Use } from './use.ts';

export const STATE_TONES: Readonly<Record<StreamState, Tone>> = {
  live: 'ok',
  throttled: 'warn',
  exceeding: 'info',
  dropping: 'bad',
  closing: 'idle',
};

export const STATE_WORDS: Readonly<Record<StreamState, string>> = {
  live: 'within its limits',
  throttled: 'slowed down to its limit',
  exceeding: 'over a limit, not slowed: only counted, or cut when grace is over',
  dropping: 'over a limit, losing video frames',
  closing: 'told to go',
};

/** Beside its colour a bar that fills up says so with a shape and a word. */
export const NEARNESS_SIGNS: Readonly<Record<Nearness, { readonly glyph: string; readonly word: string }>> = {
  none: { glyph: '', word: '' },
  free: { glyph: '', word: '' },
  near: { glyph: '▲', word: 'near' },
  at: { glyph: '■', word: 'at limit' },
  over: { glyph: '■', word: 'over' },
};

export const KIND_WORDS: Readonly<Record<LimitKind, string>> = {
  bitrate: 'Bitrate',
  fps: 'Frames',
  packets: 'Packets',
};

/** Without zeros that say nothing: limits are mostly round. `6 Mbps`, `1.23 Mbps`. */
export function limitText(kind: LimitKind, limit: number | null): string {
  if (limit === null) return 'unlimited';
  if (kind === 'bitrate') return bps(limit).replace(/\.0+ |(\.\d*[1-9])0+ /, '$1 ');
  return `${rate(limit, Number.isInteger(limit) ? 0 : 1)}${kind === 'fps' ? ' fps' : ' /s'}`;
}

export function seenText(kind: LimitKind, seen: number): string {
  if (kind === 'bitrate') return bps(seen);
  return kind === 'fps' ? `${rate(seen)} fps` : `${rate(seen, seen < 100 ? 1 : 0)} /s`;
}

/** `2.61 Mbps of 6 Mbps` */
export function useText({ kind, seen, limit }: Use): string {
  return `${seenText(kind, seen)} of ${limitText(kind, limit)}`;
}

/** `h264 1280×720, aac`; what is not known yet is left out. */
export function codecText({ media }: StreamSnapshot): string {
  const { video_codec, audio_codec, width, height } = media;
  const size = width === null || height === null ? '' : ` ${width}×${height}`;
  const known = [video_codec === null ? null : `${video_codec}${size}`, audio_codec].filter(Boolean);
  return known.length === 0 ? '–' : known.join(', ');
}
