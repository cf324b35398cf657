/** Which columns a table has room for. */

interface Sized {
  /** px; 0 takes what is left */
  readonly width: number;
  /** its turn to go, from 1; without it the column stays */
  readonly leaves?: number;
}

/** px that the column without a width is left with at least: a name of twenty letters, and the cell's padding. */
export const REST_MIN = 160;

/** The columns shown in `width` px: as many as leave REST_MIN to the one that takes what is left. */
export function fitting<Column extends Sized>(columns: readonly Column[], width: number): readonly Column[] {
  let needed = columns.reduce((sum, column) => sum + column.width, REST_MIN);
  const leaving = columns
    .filter(({ leaves }) => leaves !== undefined)
    .sort((a, b) => (a.leaves ?? 0) - (b.leaves ?? 0));
  const gone = new Set<Column>();
  for (const column of leaving) {
    if (needed <= width) break;
    gone.add(column);
    needed -= column.width;
  }
  return columns.filter((column) => !gone.has(column));
}
