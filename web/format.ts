/** Figures for people: three digits or so, unit behind, the same width from one second to the next where it can be. */

const NONE = '–';

function scaled(value: number, step: number, units: readonly string[]): string {
  let index = 0;
  let number = value;
  while (Math.abs(number) >= step * 0.9995 && index < units.length - 1) {
    number /= step;
    index++;
  }
  const digits = index === 0 || Math.abs(number) >= 99.95 ? 0 : Math.abs(number) >= 9.995 ? 1 : 2;
  return `${number.toFixed(digits)} ${units[index]}`;
}

/** `2.61 Mbps`; null = unlimited is the caller's word */
export function bps(value: number | null): string {
  return value === null ? NONE : scaled(value, 1_000, ['bps', 'kbps', 'Mbps', 'Gbps', 'Tbps']);
}

/** `19.9 MB` */
export function bytes(value: number | null): string {
  return value === null ? NONE : scaled(value, 1_000, ['B', 'kB', 'MB', 'GB', 'TB', 'PB']);
}

/** `29.97` frames a second, or whatever is counted */
export function rate(value: number | null, digits = 1): string {
  return value === null ? NONE : value.toFixed(digits);
}

/** `43.5 %` of a fraction */
export function percent(fraction: number | null, digits = 0): string {
  return fraction === null ? NONE : `${(fraction * 100).toFixed(digits)} %`;
}

/** The fraction of a limit in use; null where there is none. As in the API all of a limit of 0 is in use once anything is. */
export function partOf(used: number, limit: number | null): number | null {
  if (limit === null) return null;
  return limit > 0 ? used / limit : used > 0 ? 1 : 0;
}

/** `12,345` */
export function count(value: number | null): string {
  return value === null ? NONE : Math.round(value).toLocaleString('en-US');
}

/** `1 client`, `2 clients` */
export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** `12 ms`, `3.4 s`, `5 min 10 s`, `3 h 20 min`, `4 d 3 h` */
export function duration(ms: number | null): string {
  if (ms === null) return NONE;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([number]) => number > 0);
  return parts
    .slice(first, first + 2)
    .filter(([number]) => number > 0)
    .map(([number, unit]) => `${number} ${unit}`)
    .join(' ');
}

/** `just now`, `12 s ago`, `3 min ago`, `2 h ago`, `5 d ago`: how long before `nowMs` the ISO time `at` was. */
export function ago(at: string, nowMs: number): string {
  const seconds = Math.round((nowMs - Date.parse(at)) / 1_000);
  if (!Number.isFinite(seconds)) return NONE;
  if (seconds < 2) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** `21:40:00`, this machine's time */
export function clock(at: string | number): string {
  return new Date(at).toLocaleTimeString('en-GB');
}

/** `2026-11-20 21:40:00`, this machine's time */
export function dateTime(at: string | number): string {
  return new Date(at).toLocaleString('sv-SE');
}
