/** Limits, times and receipts in the words of the config file, so that what is read can be typed. */
import type { Reason } from '../reasons.ts';
import { BITRATE, DURATION, FPS, formatEventRate, formatQuantity, PERCENT, RATE } from '../units.ts';
import { formatBitRate, formatPercent, formatRate } from './figures.ts';

/** `2026-11-20 21:40:00Z`: as the log has it, whatever the zone of the reader. */
export function instant(iso: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(iso) ? `${iso.slice(0, 19).replace('T', ' ')}Z` : iso;
}

/** More digits than these in bits per second were shared out or scaled, and written by nobody. */
const BPS_DIGITS_MAX = 4;

export function bitrateLimit(bps: number | null): string {
  if (bps === null) return 'unlimited';
  const exact = bitrateWords(Math.round(bps));
  const isComputed = /^\d+bps$/.test(exact) && exact.length > BPS_DIGITS_MAX + 'bps'.length;
  return isComputed ? bitrateWords(Number(bps.toPrecision(BPS_DIGITS_MAX))) : exact;
}

/** Of two spellings of one length the trade's own: 4.75Mbps, not 4750kbps. */
function bitrateWords(bps: number): string {
  const shortest = formatQuantity(bps, BITRATE);
  const mega = `${bps / 1e6}Mbps`;
  return bps >= 1e6 && mega.length <= shortest.length ? mega : shortest;
}

export function fpsLimit(fps: number | null): string {
  return fps === null ? 'unlimited' : formatQuantity(fps, FPS);
}

export function rateLimit(perSecond: number | null): string {
  return perSecond === null ? 'unlimited' : formatQuantity(perSecond, RATE);
}

/** A span of time as the config says it; null is `never`. */
export function durationWords(ms: number | null): string {
  return ms === null ? 'never' : formatQuantity(ms, DURATION);
}

type Measure = 'bitrate' | 'fps' | 'per-second' | 'events' | 'fraction' | 'delay' | 'count';

/** In what a reason's `limit` and `observed` are counted. */
function measureOf(reason: Reason): Measure {
  // What shedding leaves a stream is a bitrate, too.
  if (reason === 'stream_bitrate' || reason === 'shed' || reason.endsWith('_bandwidth')) return 'bitrate';
  if (reason === 'resource_event_loop') return 'delay';
  if (reason.startsWith('resource_')) return 'fraction';
  if (reason === 'stream_fps') return 'fps';
  if (reason === 'stream_packet_rate') return 'per-second';
  return reason.endsWith('_rate') ? 'events' : 'count';
}

/** The limit of a receipt: `6Mbps`, `100/min`, `90%`, `20`. */
export function limitWords(reason: Reason, limit: number, windowMs: number | null): string {
  switch (measureOf(reason)) {
    case 'bitrate':
      return bitrateLimit(limit);
    case 'fps':
      return fpsLimit(limit);
    case 'per-second':
      return rateLimit(limit);
    case 'events':
      return windowMs === null ? String(limit) : formatEventRate({ count: limit, periodMs: windowMs });
    case 'fraction':
      return formatQuantity(Math.round(limit * 1_000) / 1_000, PERCENT);
    case 'delay':
      return durationWords(Math.round(limit * 10) / 10);
    case 'count':
      return String(limit);
  }
}

/** What was seen against it: `8.20 Mbps`, `61.3 fps`, `94%`, `101`. */
export function observedWords(reason: Reason, observed: number): string {
  switch (measureOf(reason)) {
    case 'bitrate':
      return formatBitRate(observed);
    case 'fps':
      return `${formatRate(observed)} fps`;
    case 'per-second':
      return `${formatRate(observed)}/s`;
    case 'fraction':
      return formatPercent(observed);
    case 'delay':
      return `${formatRate(observed)} ms`;
    case 'events':
    case 'count':
      return formatRate(observed);
  }
}
