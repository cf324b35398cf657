/** A table that fits a terminal: what gives way first is clipped, then left out. Pure. */
import { type Line, pad, type Span, type Style, span, widthOf } from '../top/text.ts';

export interface TableColumn<Row> {
  readonly title: string;
  /** 1 is kept longest */
  readonly rank: number;
  readonly align: 'left' | 'right';
  /** cells it may be clipped to; the width of its widest cell when it may not */
  readonly cellsMin?: number;
  text(row: Row): string;
  style?(row: Row): Style;
}

/** Cells between two columns. */
const GAP = 2;

interface Fitted<Row> {
  readonly column: TableColumn<Row>;
  readonly cells: number;
}

/** Titles and one line for each row; `width` null: as wide as it wants to be. */
export function table<Row>(
  columns: readonly TableColumn<Row>[],
  rows: readonly Row[],
  width: number | null,
): Line[] {
  const natural = columns.map((column) => ({
    column,
    cells: Math.max(widthOf(column.title), ...rows.map((row) => widthOf(span(column.text(row)).text))),
  }));
  const fitted = width === null ? natural : narrowed(natural, width);
  const lineOf = (cell: (column: TableColumn<Row>) => [string, Style]): Line => ({
    spans: fitted.flatMap(({ column, cells }, index): Span[] => {
      const [text, style] = cell(column);
      const gap = index === 0 ? [] : [span(' '.repeat(GAP))];
      return [...gap, span(pad(text, cells, column.align), style)];
    }),
  });
  return [
    lineOf(({ title }) => [title, 'bold']),
    ...rows.map((row) => lineOf((column) => [column.text(row), column.style?.(row) ?? 'plain'])),
  ];
}

function narrowed<Row>(natural: readonly Fitted<Row>[], width: number): Fitted<Row>[] {
  let kept = [...natural];
  for (;;) {
    const over = kept.reduce((sum, { cells }) => sum + cells + GAP, -GAP) - width;
    if (over <= 0) return kept;
    const clipped = clip(kept, over);
    if (clipped !== null) return clipped;
    if (kept.length === 1) return kept;
    const last = Math.max(...kept.map(({ column }) => column.rank));
    kept = kept.filter(({ column }) => column.rank !== last);
  }
}

/** Takes `over` cells from columns that may be clipped, the least wanted first; null when they have not so many. */
function clip<Row>(columns: readonly Fitted<Row>[], over: number): Fitted<Row>[] | null {
  let left = over;
  const cells = new Map(columns.map(({ column, cells: wide }) => [column, wide]));
  for (const { column, cells: wide } of [...columns].sort((a, b) => b.column.rank - a.column.rank)) {
    const given = Math.min(left, Math.max(0, wide - (column.cellsMin ?? wide)));
    cells.set(column, wide - given);
    left -= given;
  }
  return left > 0 ? null : columns.map(({ column }) => ({ column, cells: cells.get(column)! }));
}
