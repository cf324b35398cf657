/** The order of a table's rows. */

export interface Sorting {
  /** `title` of a column */
  readonly by: string;
  readonly descending: boolean;
}

/** What rows can be compared by, by the title of a column. */
export interface SortKey<Row> {
  readonly title: string;
  readonly sortBy?: (row: Row) => number | string;
}

/** Rows that are equal stay in the order of their keys, so that nothing jumps from one second to the next. */
export function sortedBy<Row>(
  rows: readonly Row[],
  columns: readonly SortKey<Row>[],
  keyOf: (row: Row) => string,
  { by, descending }: Sorting,
): Row[] {
  const sortBy = columns.find(({ title }) => title === by)?.sortBy ?? keyOf;
  const sign = descending ? -1 : 1;
  return rows
    .map((row) => ({ row, value: sortBy(row), key: keyOf(row) }))
    .sort((a, b) => sign * compare(a.value, b.value) || compare(a.key, b.key))
    .map(({ row }) => row);
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  return Number(a) - Number(b);
}
