import { nearest } from '../config/nearest.ts';
import { DURATION, parseQuantity } from '../core/units.ts';
import { HeadgateError } from '../lib/errors.ts';
import { printable } from '../telemetry/printable.ts';

/** Words and times of the command line that are checked before anybody is asked. */

/** Throws HG_USAGE for a word that is none of `known`; `what` is as in `reason`, the option of that name. */
export function checkWord(what: string, word: string | undefined, known: readonly string[]): void {
  if (word === undefined || known.includes(word)) return;
  const meant = nearest(word, known);
  const hint = meant === undefined ? `the ${what}s are ${known.join(', ')}` : `did you mean ${meant}?`;
  throw new HeadgateError('HG_USAGE', `--${what} ${printable(word, 100)} is no ${what}; ${hint}`);
}

/** The moment that `--since` means, Unix ms: a span before now, or a time. Throws HG_USAGE. */
export function momentSince(text: string, nowMs: number): number {
  const span = parseQuantity(text, DURATION);
  if (span.ok) return nowMs - span.value;
  const moment = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(moment)) return moment;
  throw new HeadgateError(
    'HG_USAGE',
    `--since ${printable(text, 100)} is neither a span such as 2h nor a time such as 2026-11-20T21:40:00Z`,
  );
}
