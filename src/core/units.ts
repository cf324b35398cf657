/**
 * Quantities as operators write them (product contract, section 2): every rate,
 * size and time carries its unit, because a bare number is a bug waiting.
 *
 * Case matters: `Mb` is not `MB`, and `m` is a minute, not a million. A unit in
 * the wrong case is therefore refused with the right spelling, never guessed.
 * Parsing and formatting are exact inverses: `parse(format(v)) === v` for every
 * `v` that came out of `parse`.
 */

import type { EventRate } from './limits.ts';

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  /** what is wrong and what was probably meant, in one clause that starts with the text itself */
  | { readonly ok: false; readonly problem: string };

interface Unit {
  readonly unit: string;
  /** one unit in the base unit of its dimension is `mul / div` */
  readonly mul: number;
  readonly div: number;
  /** lowercase spellings that people use for it; several units may claim one */
  readonly nicknames: readonly string[];
  /** false: accepted, but never chosen when formatting */
  readonly display: boolean;
}

export interface Dimension {
  /** as it completes "expected ..." */
  readonly noun: string;
  readonly example: string;
  readonly units: readonly Unit[];
  /** units offered when a number came without one */
  readonly likely: readonly string[];
  /** the base unit is not divisible: values are rounded to whole ones */
  readonly whole: boolean;
}

function unit(
  name: string,
  mul: number,
  nicknames: string,
  options: { div?: number; display?: boolean } = {},
): Unit {
  return {
    unit: name,
    mul,
    div: options.div ?? 1,
    nicknames: [name.toLowerCase(), ...nicknames.split(' ').filter((nickname) => nickname !== '')],
    display: options.display ?? true,
  };
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const bytesOnly = { display: false };

/** Bits per second. Decimal prefixes for bits, as the trade uses them; bytes per second are converted. */
export const BITRATE: Dimension = {
  noun: 'a bitrate',
  example: '6Mbps',
  likely: ['bps', 'kbps', 'Mbps', 'MB/s'],
  whole: false,
  units: [
    unit('bps', 1, 'b b/s bit bit/s bits bits/s'),
    unit('kbps', 1e3, 'k kb kb/s kbit kbit/s kbits kbits/s'),
    unit('Mbps', 1e6, 'm mb mb/s mbit mbit/s mbits mbits/s'),
    unit('Gbps', 1e9, 'g gb gb/s gbit gbit/s gbits gbits/s'),
    unit('B/s', 8, 'b byte/s bytes/s', bytesOnly),
    unit('kB/s', 8e3, 'k kb kbps kbyte/s', bytesOnly),
    unit('MB/s', 8e6, 'm mb mbps mbyte/s', bytesOnly),
    unit('GB/s', 8e9, 'g gb gbps gbyte/s', bytesOnly),
    unit('KiB/s', 8 * 2 ** 10, 'kib kibps', bytesOnly),
    unit('MiB/s', 8 * 2 ** 20, 'mib mibps', bytesOnly),
    unit('GiB/s', 8 * 2 ** 30, 'gib gibps', bytesOnly),
  ],
};

/** Bytes. */
export const SIZE: Dimension = {
  noun: 'a size',
  example: '512MiB',
  likely: ['B', 'kB', 'MB', 'MiB'],
  whole: true,
  units: [
    unit('B', 1, 'byte bytes'),
    unit('kB', 1e3, 'k kbyte'),
    unit('MB', 1e6, 'm mbyte'),
    unit('GB', 1e9, 'g gbyte'),
    unit('KiB', 2 ** 10, 'k kb kibyte'),
    unit('MiB', 2 ** 20, 'm mb mibyte'),
    unit('GiB', 2 ** 30, 'g gb gibyte'),
  ],
};

/** Milliseconds. */
export const DURATION: Dimension = {
  noun: 'a duration',
  example: '10s',
  likely: ['ms', 's', 'm', 'h'],
  whole: false,
  units: [
    unit('s', SECOND_MS, 'sec secs second seconds'),
    unit('ms', 1, 'msec msecs millisecond milliseconds'),
    unit('m', MINUTE_MS, 'min mins minute minutes'),
    unit('h', HOUR_MS, 'hr hrs hour hours'),
    unit('d', DAY_MS, 'day days'),
  ],
};

/** Video frames (access units) per second. */
export const FPS: Dimension = {
  noun: 'a frame rate',
  example: '60fps',
  likely: ['fps'],
  whole: false,
  units: [unit('fps', 1, 'f frames frames/s f/s /s hz')],
};

const PERIODS: readonly Unit[] = [
  unit('/s', SECOND_MS, '/sec /second ps pps'),
  unit('/min', MINUTE_MS, '/m /minute'),
  unit('/h', HOUR_MS, '/hr /hour'),
  unit('/d', DAY_MS, '/day'),
];

/** Events per second, whatever period they are written over. */
export const RATE: Dimension = {
  noun: 'a rate',
  example: '2000/s',
  likely: ['/s', '/min', '/h'],
  whole: false,
  units: PERIODS.map((period) => ({ ...period, mul: SECOND_MS, div: period.mul })),
};

/** A fraction of one. */
export const PERCENT: Dimension = {
  noun: 'a percentage',
  example: '85%',
  likely: ['%'],
  whole: false,
  units: [unit('%', 1, 'percent pct', { div: 100 })],
};

/** Digits that a double carries through a multiplication and a division and back unharmed. */
const DIGITS_MAX = 12;

/** Digits after the point: six keep every value clear of exponent notation. */
const DECIMALS_MAX = 6;

/** Nothing sensible is longer; keeps messages to one line. */
const TEXT_MAX = 40;

const QUANTITY = /^([0-9]+)(?:\.([0-9]+))?(.*)$/;

function bad(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

/** "a, b or c" */
function anyOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function unknownUnit(number: string, name: string, dimension: Dimension): string {
  const lower = name.toLowerCase();
  const meant = dimension.units.filter((u) => u.nicknames.includes(lower)).map((u) => number + u.unit);
  const known = dimension.units.map((u) => u.unit).join(', ');
  const hint = meant.length > 0 ? `did you mean ${anyOf(meant)}?` : `the units are ${known}`;
  return `${number}${name} has an unknown unit "${name}" (upper and lower case differ); ${hint}`;
}

/** What is wrong with a text before its unit is looked at, or null. */
function malformed(text: string, dimension: Dimension): string | null {
  if (text === '') return `is empty; expected ${dimension.noun} such as ${dimension.example}`;
  if (text.length > TEXT_MAX) return `"${text.slice(0, TEXT_MAX)}..." is too long for ${dimension.noun}`;
  if (/\s/.test(text)) return `"${text}" has a space in it; write ${text.replace(/\s+/g, '')}`;
  if (/^-[0-9]/.test(text))
    return `${text} is negative; expected ${dimension.noun} such as ${dimension.example}`;
  if (/^[0-9]+,[0-9]/.test(text)) return `${text} has a comma; decimals are written with a point, as in 2.5`;
  if (!/^[0-9]/.test(text))
    return `"${text}" is not ${dimension.noun}; expected one such as ${dimension.example}`;
  return null;
}

interface Quantity {
  /** the number without its point */
  readonly mantissa: number;
  readonly decimals: number;
  readonly unit: Unit;
}

function readQuantity(input: string | number, dimension: Dimension): Parsed<Quantity> {
  const text = String(input);
  const fault = malformed(text, dimension);
  if (fault !== null) return bad(fault);
  const [, whole = '', fraction = '', name = ''] = QUANTITY.exec(text) ?? [];
  const number = fraction === '' ? whole : `${whole}.${fraction}`;
  if (name === '') {
    return bad(`${text} has no unit; did you mean ${dimension.likely.map((u) => number + u).join(', ')}?`);
  }
  const found = dimension.units.find((u) => u.unit === name);
  if (found === undefined) return bad(unknownUnit(number, name, dimension));
  const decimals = fraction.replace(/0+$/, '');
  const digits = (whole + decimals).replace(/^0+/, '');
  if (digits.length > DIGITS_MAX || decimals.length > DECIMALS_MAX) {
    return bad(`${text} has too many digits; at most ${DIGITS_MAX}, ${DECIMALS_MAX} of them after the point`);
  }
  return { ok: true, value: { mantissa: Number(digits), decimals: decimals.length, unit: found } };
}

/**
 * Reads a quantity into the base unit of its dimension. A number, or a text
 * without a unit, is refused with the units it could have meant. Never
 * negative, never NaN, never above 2^53.
 */
export function parseQuantity(input: string | number, dimension: Dimension): Parsed<number> {
  const quantity = readQuantity(input, dimension);
  if (!quantity.ok) return quantity;
  const { mantissa, decimals, unit: found } = quantity.value;
  const exact = (mantissa * found.mul) / (found.div * 10 ** decimals);
  const value = dimension.whole ? Math.round(exact) : exact;
  if (value > Number.MAX_SAFE_INTEGER) return bad(`${input} is too large`);
  return { ok: true, value };
}

/** Reads `100/min` with its period kept: a hundred in a minute is not two in a second. */
export function parseEventRate(input: string | number): Parsed<EventRate> {
  const quantity = readQuantity(input, { ...RATE, example: '100/min', units: PERIODS });
  if (!quantity.ok) return quantity;
  const { mantissa, decimals, unit: period } = quantity.value;
  if (decimals > 0)
    return bad(`${input} is not a whole number of events; use a longer period, such as 30/min for 0.5/s`);
  return { ok: true, value: { count: mantissa, periodMs: period.mul } };
}

/** `0.85` for `85%`; more than 100% is refused. */
export function parsePercent(input: string | number): Parsed<number> {
  const parsed = parseQuantity(input, PERCENT);
  return parsed.ok && parsed.value > 1 ? bad(`${input} is more than 100%`) : parsed;
}

function decimal(value: number): string {
  const fixed = value.toFixed(DECIMALS_MAX);
  return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
}

/**
 * Writes a value in the unit that makes it shortest without losing anything:
 * 6000000 is `6Mbps`, 90000 is `90s`. What has no finite spelling is rounded
 * to six decimals of the base unit. `Infinity` is the caller's word to choose.
 */
export function formatQuantity(value: number, dimension: Dimension): string {
  let best = '';
  let bestBelowOne = true;
  for (const candidate of dimension.units) {
    if (!candidate.display) continue;
    const number = (value * candidate.div) / candidate.mul;
    const text = decimal(number) + candidate.unit;
    const back = parseQuantity(text, dimension);
    if (!back.ok || back.value !== value) continue;
    const belowOne = number < 1;
    const better = belowOne === bestBelowOne ? text.length < best.length : bestBelowOne;
    if (best === '' || better) {
      best = text;
      bestBelowOne = belowOne;
    }
  }
  if (best !== '') return best;
  const hidden = dimension.units.find((u) => !u.display && roundTrips(value, u, dimension));
  if (hidden !== undefined) return decimal((value * hidden.div) / hidden.mul) + hidden.unit;
  const base = dimension.units.find((u) => u.mul === u.div) ?? dimension.units[0]!;
  return decimal((value * base.div) / base.mul) + base.unit;
}

function roundTrips(value: number, candidate: Unit, dimension: Dimension): boolean {
  const back = parseQuantity(decimal((value * candidate.div) / candidate.mul) + candidate.unit, dimension);
  return back.ok && back.value === value;
}

/** `100/min`. The count may be `Infinity`: the caller's word to choose. */
export function formatEventRate(rate: EventRate): string {
  const period = PERIODS.find((p) => p.mul === rate.periodMs);
  return period === undefined ? `${rate.count}/${rate.periodMs}ms` : `${rate.count}${period.unit}`;
}

/** Pattern of what `parseQuantity` accepts, for editors (ECMA 262, anchored). */
export function quantityPattern(dimension: Dimension): string {
  const names = dimension.units.map((u) => u.unit.replaceAll('/', '\\/')).join('|');
  return `^[0-9]+(\\.[0-9]+)?(${names})$`;
}
