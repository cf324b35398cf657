import type { EventRate } from '../core/limits.ts';
import {
  BITRATE,
  type Dimension,
  DURATION,
  FPS,
  formatEventRate,
  formatQuantity,
  PERCENT,
  parseEventRate,
  parseQuantity,
  quantityPattern,
  RATE,
  SIZE,
} from '../core/units.ts';
import type { Kind, Read } from './field.ts';
import { nearest } from './nearest.ts';

/** The kinds of value that config keys hold, quantities first. */

interface Bounds {
  /** in words of the config, such as `100ms`; inclusive */
  readonly min?: string;
  readonly max?: string;
  /** the word that turns the limit off: the value is then Infinity */
  readonly off?: 'unlimited' | 'never';
  readonly zero?: 'allowed';
  /** the key may be null, which turns it off */
  readonly nullable?: true;
}

function bad(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

/** How a value that has the wrong type is called in a message. */
export function shown(input: unknown): string {
  if (input === undefined) return 'nothing';
  if (input === null) return 'an empty value';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a section';
  const text = String(input);
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}

function boundOf(text: string | undefined, dimension: Dimension, otherwise: number): number {
  if (text === undefined) return otherwise;
  const parsed = parseQuantity(text, dimension);
  if (!parsed.ok) throw new RangeError(parsed.problem);
  return parsed.value;
}

/** The other word for "no limit", offered when the wrong one was written. */
function wordHint(input: string, off: Bounds['off'] | 'null'): string | null {
  const lower = input.toLowerCase();
  const wanted = ['unlimited', 'never', 'infinity', 'inf', 'none', 'off', '-1'];
  if (!wanted.includes(lower)) return null;
  return off === undefined
    ? `${input} is not possible here; a value is needed`
    : `${input} is written ${off} here`;
}

function quantity(dimension: Dimension, bounds: Bounds = {}): Kind<number> {
  const min = boundOf(bounds.min, dimension, 0);
  const max = boundOf(bounds.max, dimension, Number.POSITIVE_INFINITY);
  const { off } = bounds;
  const word = bounds.nullable === true ? 'null' : off;
  const or = word === undefined ? '' : ` or ${word}`;
  return {
    text: true,
    read(input): Read<number> {
      if (typeof input !== 'string' && typeof input !== 'number') {
        return bad(
          `${shown(input)} is not ${dimension.noun}; expected one such as ${dimension.example}${or}`,
        );
      }
      if (off !== undefined && input === off) return { ok: true, value: Number.POSITIVE_INFINITY };
      const hint = wordHint(String(input), word);
      if (hint !== null) return bad(hint);
      const parsed = parseQuantity(input, dimension);
      if (!parsed.ok) return parsed;
      if (parsed.value === 0 && bounds.zero === undefined && bounds.min === undefined) {
        const otherwise = off === undefined ? 'a value above zero is needed' : `for no limit write ${off}`;
        return bad(`${input} would let nothing through; ${otherwise}`);
      }
      if (parsed.value < min) return bad(`${input} is too small; the least is ${bounds.min}`);
      if (parsed.value > max) return bad(`${input} is too large; the most is ${bounds.max}`);
      return parsed;
    },
    write: (value) =>
      value === Number.POSITIVE_INFINITY ? (off ?? 'unlimited') : formatQuantity(value, dimension),
    json: orWord({ type: 'string', pattern: quantityPattern(dimension), examples: [dimension.example] }, off),
  };
}

function orWord(json: Kind<unknown>['json'], off: Bounds['off']): Kind<unknown>['json'] {
  return off === undefined ? json : { anyOf: [json, { const: off }] };
}

/** bits per second */
export const bitrate = (bounds?: Bounds): Kind<number> => quantity(BITRATE, bounds);
/** bytes */
export const size = (bounds?: Bounds): Kind<number> => quantity(SIZE, bounds);
/** ms */
export const duration = (bounds?: Bounds): Kind<number> => quantity(DURATION, bounds);
/** frames per second */
export const fps = (bounds?: Bounds): Kind<number> => quantity(FPS, bounds);
/** events per second, whatever the period written */
export const perSecond = (bounds?: Bounds): Kind<number> => quantity(RATE, bounds);

/** A fraction of one, written as a percentage. Whoever writes 0.85 or 1 most likely means the fraction. */
export function percent(bounds?: Bounds): Kind<number> {
  const kind = quantity(PERCENT, bounds);
  return {
    ...kind,
    read: (input) =>
      typeof input === 'number' && input > 0 && input <= 1
        ? bad(`${input} has no unit; did you mean ${formatQuantity(input, PERCENT)}?`)
        : kind.read(input),
  };
}

/** An event rate with its period kept; `unlimited` is an infinite count. */
export function eventRate(): Kind<EventRate> {
  return {
    text: true,
    read(input): Read<EventRate> {
      if (input === 'unlimited')
        return { ok: true, value: { count: Number.POSITIVE_INFINITY, periodMs: 1000 } };
      if (typeof input !== 'string' && typeof input !== 'number') {
        return bad(`${shown(input)} is not a rate; expected one such as 100/min or unlimited`);
      }
      const word = wordHint(String(input), 'unlimited');
      if (word !== null) return bad(word);
      const parsed = parseEventRate(input);
      if (parsed.ok && parsed.value.count === 0) {
        return bad(`${input} would let nothing through; for no limit write unlimited`);
      }
      return parsed;
    },
    write: (rate) => (rate.count === Number.POSITIVE_INFINITY ? 'unlimited' : formatEventRate(rate)),
    json: orWord({ type: 'string', pattern: quantityPattern(RATE), examples: ['100/min'] }, 'unlimited'),
  };
}

/** A whole number without a unit: how many of something there may be. */
export function count(bounds: { min: number; max: number; off?: 'unlimited' }): Kind<number> {
  const { min, max, off } = bounds;
  const or = off === undefined ? '' : ` or ${off}`;
  return {
    text: false,
    read(input): Read<number> {
      if (off !== undefined && input === off) return { ok: true, value: Number.POSITIVE_INFINITY };
      if (typeof input === 'string' && /^[0-9]+$/.test(input))
        return bad(`"${input}" is text; write it without quotes`);
      if (typeof input !== 'number' || !Number.isInteger(input)) {
        return bad(`${shown(input)} is not a whole number from ${min} to ${max}${or}`);
      }
      if (input < min || input > max) return bad(`${input} is out of range; from ${min} to ${max}${or}`);
      return { ok: true, value: input };
    },
    write: (value) => (value === Number.POSITIVE_INFINITY ? (off ?? max) : value),
    json: orWord({ type: 'integer', minimum: min, maximum: max }, off),
  };
}

/** One of a few words. */
export function oneOf<const W extends readonly (string | boolean | number)[]>(words: W): Kind<W[number]> {
  const list = words.join(', ');
  return {
    text: false,
    read(input): Read<W[number]> {
      const found = words.find((word) => word === input);
      if (found !== undefined) return { ok: true, value: found };
      const near = typeof input === 'string' ? nearest(input, words.map(String)) : undefined;
      const hint = near === undefined ? `one of: ${list}` : `did you mean ${near}?`;
      return bad(`${shown(input)} is not known here; ${hint}`);
    },
    write: (value) => value,
    json: { enum: words },
  };
}

/** true or false; the yes and no of older YAML are named, not guessed. */
export function bool(): Kind<boolean> {
  return {
    text: false,
    read(input): Read<boolean> {
      return typeof input === 'boolean'
        ? { ok: true, value: input }
        : bad(`${shown(input)} is neither true nor false`);
    },
    write: (value) => value,
    json: { type: 'boolean' },
  };
}

interface TextRules {
  readonly pattern: RegExp;
  /** what the pattern asks for, as it completes "must be ..." */
  readonly means: string;
  /** never quoted in a message, never shown */
  readonly secret?: boolean;
}

/** Text of a known alphabet. A number is refused: YAML has already changed `007` and `1e3` by then. */
export function text(rules: TextRules): Kind<string> {
  const secret = rules.secret === true;
  return {
    text: true,
    ...(secret ? { secret } : {}),
    read(input): Read<string> {
      if (input === undefined) return bad('is missing');
      if (typeof input === 'number' || typeof input === 'boolean') {
        return bad(`${secret ? 'the value' : input} is read as a ${typeof input} by YAML; put it in quotes`);
      }
      if (typeof input !== 'string') return bad(`${shown(input)} is not text; must be ${rules.means}`);
      if (rules.pattern.test(input)) return { ok: true, value: input };
      return bad(`${secret ? 'the value' : `"${shown(input)}"`} must be ${rules.means}`);
    },
    write: (value) => value,
    json: { type: 'string', pattern: rules.pattern.source },
  };
}

/** What `text` takes as the path of a file. */
export const FILE_PATH = { pattern: /^[^\0]{1,4096}$/, means: 'the path of a file' };
