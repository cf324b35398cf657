/**
 * Which rows of a long table are drawn. All rows are equally high, so that
 * where one stands is a multiplication, and what is not seen is two spacers.
 */

export interface RowWindow {
  /** index of the first row drawn */
  readonly first: number;
  /** index after the last */
  readonly end: number;
  /** height of what is left out above and below, px */
  readonly above: number;
  readonly below: number;
}

export interface Viewport {
  /** px from the top of the first row to the top of what is seen; may be negative or beyond the end */
  readonly scrolled: number;
  /** px */
  readonly height: number;
  readonly rowHeight: number;
  readonly rows: number;
}

/** Rows drawn beyond each edge: a fast wheel moves some 300 px between two frames. */
const OVERSCAN_ROWS = 7;

export function rowWindow({ scrolled, height, rowHeight, rows }: Viewport): RowWindow {
  // Fewer rows than a moment ago: what was scrolled to may not be there any more.
  const top = Math.min(Math.max(0, scrolled), Math.max(0, rows * rowHeight - height));
  const first = Math.max(0, Math.floor(top / rowHeight) - OVERSCAN_ROWS);
  const end = Math.min(rows, Math.ceil((top + height) / rowHeight) + OVERSCAN_ROWS);
  return { first, end, above: first * rowHeight, below: (rows - end) * rowHeight };
}

/** Where to scroll so that a row is seen whole; where it is seen already, nowhere. */
export function scrollToShow(index: number, { scrolled, height, rowHeight }: Viewport): number {
  const top = index * rowHeight;
  if (top < scrolled) return top;
  const bottom = top + rowHeight;
  return bottom > scrolled + height ? bottom - height : scrolled;
}

const STEPS: Readonly<Record<string, (at: number, page: number, rows: number) => number>> = {
  ArrowDown: (at) => at + 1,
  ArrowUp: (at) => at - 1,
  PageDown: (at, page) => at + page,
  PageUp: (at, page) => at - page,
  Home: () => 0,
  End: (_at, _page, rows) => rows - 1,
};

/** The row that a key moves to from `at` (-1: none yet), or null when the key moves nowhere. */
export function rowAfterKey(key: string, at: number, { height, rowHeight, rows }: Viewport): number | null {
  const step = STEPS[key];
  if (step === undefined || rows === 0) return null;
  if (at < 0) return key === 'End' || key === 'ArrowUp' ? rows - 1 : 0;
  const page = Math.max(1, Math.floor(height / rowHeight) - 1);
  return Math.min(rows - 1, Math.max(0, step(at, page, rows)));
}
