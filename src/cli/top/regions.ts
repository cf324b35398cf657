/** How the lines of the screen are shared out: the table gets all that the rest can spare. */
import type { Screen } from './moment.ts';

export interface Regions {
  /** lines about the node */
  readonly header: number;
  /** lines of streams, under the line of titles */
  readonly table: number;
  /** lines about the selected stream */
  readonly detail: number;
  readonly footer: number;
}

/** From so many rows on, everything has its place and the table is still worth its titles. */
const ROWS_FULL = 16;
const ROWS_SHORT = 10;

export function regionsOf({ rows }: Screen): Regions {
  const [header, detail, footer] = rows >= ROWS_FULL ? [5, 3, 1] : rows >= ROWS_SHORT ? [3, 1, 1] : [1, 0, 0];
  return { header, detail, footer, table: Math.max(1, rows - header - detail - footer - 1) };
}

export function tableHeight(screen: Screen): number {
  return regionsOf(screen).table;
}
