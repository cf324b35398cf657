/** A table whose columns sort it: real buttons in real headers. On a narrow screen each row becomes a card. */
import type { ComponentChildren } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { type Sorting, type SortKey, sortedBy } from './sorting.ts';

export type { Sorting };

/** Rows drawn at first, and added by each "more": a few screens full, drawn in a few ms. */
const ROWS_STEP = 200;

/** `title` is also the label in front of the cell on a narrow screen; a column without `sortBy` does not sort. */
export interface SortColumn<Row> extends SortKey<Row> {
  readonly cell: (row: Row) => ComponentChildren;
  /** figures: to the right, and the highest first at the first click */
  readonly numeric?: boolean;
}

export interface SortTableProps<Row> {
  /** what the table holds, for those who do not see it */
  readonly label: string;
  /** a constant outside the component */
  readonly columns: readonly SortColumn<Row>[];
  readonly rows: readonly Row[];
  /** stays the same while a row is the same, and settles ties */
  readonly keyOf: (row: Row) => string;
  readonly initial: Sorting;
  /** `prose`: on a narrow screen the cells flow as text, without labels */
  readonly class?: 'prose';
}

export function SortTable<Row>(props: SortTableProps<Row>) {
  const { label, columns, rows, keyOf, initial, class: more = '' } = props;
  const [sorting, setSorting] = useState(initial);
  const [most, setMost] = useState(ROWS_STEP);
  const sorted = useMemo(() => sortedBy(rows, columns, keyOf, sorting), [rows, columns, sorting]);
  return (
    <>
      <table class={`sorted ${more}`} aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <Header key={column.title} column={column} sorting={sorting} sort={setSorting} />
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.slice(0, most).map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ title, numeric, cell }) => (
                <td key={title} data-label={title} class={numeric === true ? 'num' : ''}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {sorted.length <= most ? null : (
        <div class="more">
          <button type="button" onClick={() => setMost(most + ROWS_STEP)}>
            Show more ({sorted.length - most} left)
          </button>
        </div>
      )}
    </>
  );
}

interface HeaderProps<Row> {
  readonly column: SortColumn<Row>;
  readonly sorting: Sorting;
  sort(next: Sorting): void;
}

function Header<Row>({ column: { title, numeric = false, sortBy }, sorting, sort }: HeaderProps<Row>) {
  const style = numeric ? 'num' : '';
  if (sortBy === undefined) {
    return (
      <th scope="col" class={style}>
        {title}
      </th>
    );
  }
  const active = sorting.by === title;
  const descending = active ? !sorting.descending : numeric;
  const order = sorting.descending ? 'descending' : 'ascending';
  return (
    <th scope="col" class={style} {...(active ? { 'aria-sort': order } : {})}>
      <button type="button" class="sort" onClick={() => sort({ by: title, descending })}>
        {title}
        <span class="arrow" aria-hidden="true">
          {active ? (sorting.descending ? '▼' : '▲') : ''}
        </span>
      </button>
    </th>
  );
}
