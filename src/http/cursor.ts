/**
 * Cursors: where the next page of a list begins. A caller passes one on as he
 * got it; that it is text of base64url says that there is nothing in it for
 * him. One that no answer ever held is refused rather than read as something.
 */
import { z } from 'zod';
import { Problem } from './problem.ts';

/** Characters of a cursor: the longest key of a list is an id of 512, in base64url. */
const CURSOR_CHARS_MAX = 1_024;

/** Before what it carries, so that a cursor of one list is none of another, nor of another time. */
const SEPARATOR = '\n';

export const cursorParam = z
  .string()
  .max(CURSOR_CHARS_MAX)
  .optional()
  .meta({ description: 'The next_cursor of the page before, with the same filters.' });

export const nextCursor = z
  .string()
  .nullable()
  .meta({ description: 'Pass as ?cursor= for the next page; null at the end.' });

/** Writes and reads the cursors of one list. `name` tells lists apart, and runs of the server where that matters. */
export class Cursors {
  readonly #prefix: string;

  constructor(name: string) {
    this.#prefix = name + SEPARATOR;
  }

  write(place: string): string {
    return Buffer.from(this.#prefix + place).toString('base64url');
  }

  /** The place in a cursor, undefined for none; throws the 400 of one that `write` did not make. */
  read(cursor: string | undefined, shape = /^.+$/s): string | undefined {
    if (cursor === undefined) return undefined;
    const text = Buffer.from(cursor, 'base64url').toString();
    const place = text.startsWith(this.#prefix) ? text.slice(this.#prefix.length) : '';
    if (shape.test(place) && this.write(place) === cursor) return place;
    const detail = 'expected the next_cursor of an earlier answer of this list; begin again without one';
    throw new Problem('bad_request', `cursor: ${detail}`, { errors: [{ parameter: 'cursor', detail }] });
  }
}
