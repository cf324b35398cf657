import type { Path } from './tree.ts';
import { showPath } from './tree.ts';

/** One thing wrong with a config, or worth a warning, with the place an operator looks at. */
export interface ConfigProblem {
  /** as it was given on the command line; null when there is no file */
  readonly file: string | null;
  /** from 1; null when the value came from the environment or the file could not be read */
  readonly line: number | null;
  readonly column: number | null;
  /** the environment variable that set the value, or null */
  readonly variable: string | null;
  /** `limits.stream.max_bitrate`, `clients[3].keys[0]` */
  readonly path: string;
  /** one line: what is wrong and what to do */
  readonly message: string;
}

/** A finding before its place is known. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  /** the key itself is meant, not its value */
  readonly atKey?: boolean;
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A problem at a place in the file. */
export function problemAt(file: string | null, place: Place, path: Path, message: string): ConfigProblem {
  return { file, line: place.line, column: place.column, variable: null, path: showPath(path), message };
}

/** Control characters of a value could move the cursor, or forge a line of the log. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** `FILE:LINE:COL path: message`, or `VARIABLE path: message` for a value of the environment; always one line. */
export function formatProblem(problem: ConfigProblem): string {
  const { file, line, column, variable, path, message } = problem;
  const about = variable !== null && path === 'config' ? '' : ` ${path}`;
  const place = variable ?? (line === null ? file : `${file}:${line}:${column}`);
  if (place === null) return printable(`${path}: ${message}`);
  return printable(
    line === null && variable === null ? `${place}: ${message}` : `${place}${about}: ${message}`,
  );
}

/** In the order of the file, then by variable. */
export function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  const last = Number.POSITIVE_INFINITY;
  const lines = (a.line ?? last) - (b.line ?? last);
  if (a.line !== b.line && lines !== 0) return lines;
  const columns = (a.column ?? 0) - (b.column ?? 0);
  return columns !== 0
    ? columns
    : (a.variable ?? '').localeCompare(b.variable ?? '', 'en', { numeric: true });
}
