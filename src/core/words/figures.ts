/**
 * Numbers as people read them. Three significant digits tell a rate from its
 * limit; more would only flicker.
 */

const BIT_RATE_UNITS = ['bps', 'kbps', 'Mbps', 'Gbps', 'Tbps'] as const;
const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;
const COUNT_UNITS = ['', 'k', 'M', 'G', 'T'] as const;

/** What stands where there is no limit. */
export const UNLIMITED = 'none';

/** Bits per second, decimal as in the config: `0 bps`, `64.0 kbps`, `2.61 Mbps`. */
export function formatBitRate(bps: number): string {
  const [digits, unit] = scaled(bps, BIT_RATE_UNITS);
  return `${digits} ${unit}`;
}

/** Bytes that flowed, decimal: `840 B`, `19.9 MB`. */
export function formatBytes(bytes: number): string {
  const [digits, unit] = scaled(bytes, BYTE_UNITS);
  return `${digits} ${unit}`;
}

/** A whole count in at most five characters: `4453`, `12.3k`, `1.20M`. */
export function formatCount(count: number): string {
  if (count < 10_000) return String(Math.round(count));
  return scaled(count, COUNT_UNITS).join('');
}

/** A rate of events or frames: `29.9`, `60`, `2000`. */
export function formatRate(perSecond: number): string {
  const tenths = Math.round(perSecond * 10) / 10;
  return tenths >= 100 || Number.isInteger(tenths) ? String(Math.round(tenths)) : tenths.toFixed(1);
}

/** A fraction: `44%`. */
export function formatPercent(fraction: number): string {
  return `${Math.round(fraction * 100)}%`;
}

/** A fraction of packets; half a percent is much. */
export function formatLoss(fraction: number): string {
  return `${Math.round(fraction * 10_000) / 100}%`;
}

/** A span of time, its two greatest units: `350ms`, `4.2s`, `1m01s`, `2h05m`, `3d04h`. */
export function formatDuration(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.round(ms)}ms`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 10) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${twoDigits(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h${twoDigits(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d${twoDigits(hours % 24)}h`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** A value in three significant digits and the unit it is then in; below 1000 of the first unit it is whole. */
function scaled(value: number, units: readonly string[]): [digits: string, unit: string] {
  if (Math.round(value) < 1000) return [String(Math.round(value)), units[0]!];
  let power = 1;
  let shown = value / 1000;
  // 999.5 would be shown as 1000 of its unit: it is 1.00 of the next.
  while (shown >= 999.5 && power < units.length - 1) {
    shown /= 1000;
    power += 1;
  }
  const decimals = shown < 9.995 ? 2 : shown < 99.95 ? 1 : 0;
  return [shown.toFixed(decimals), units[power]!];
}
