/** A list of the API that is asked again every few seconds, the less often the longer it is. */
import { useState } from 'preact/hooks';
import { type Asked, useAsk } from './use-ask.ts';

/** Rows asked for: more are counted, and found by searching the API. */
const ROWS_MAX = 2_000;

/** ms between two answers, and between two long ones. */
const EVERY_MS = 2_000;
const LONG_EVERY_MS = 6_000;

/** Rows from which on an answer is long: some 150 kB. */
const LONG_ROWS = 300;

/** `path` without a query answers `{ [name]: [...], omitted }`. */
export function useList<Name extends string, Row>(
  path: string,
  name: Name,
): Asked<{ readonly omitted: number } & Readonly<Record<Name, readonly Row[]>>> {
  const [long, setLong] = useState(false);
  const asked = useAsk<{ readonly omitted: number } & Readonly<Record<Name, readonly Row[]>>>(
    `${path}?limit=${ROWS_MAX}`,
    long ? LONG_EVERY_MS : EVERY_MS,
  );
  const isLong = (asked.answer?.[name].length ?? 0) > LONG_ROWS;
  if (isLong !== long) setLong(isLong);
  return asked;
}
