/** What of the table is seen, and which row is selected. */
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { StreamSnapshot } from '../../src/core/stream.ts';
import { COLUMNS, type Column } from './columns.tsx';
import { fitting } from './fitting.ts';
import { leftBehind } from './left-behind.ts';
import { type RowWindow, rowAfterKey, rowWindow, scrollToShow } from './window.ts';

/** Heights of a row as `5-streams.css` sets them, px: in a table, and as a block on a narrow screen. */
const ROW_HEIGHT = 46;
const ROW_HEIGHT_NARROW = 84;

/** Where the table becomes blocks; the same as in the style sheet. */
const NARROW = matchMedia('(max-width: 760px)');

/** Rows that are scrolled before others are drawn: each change has the browser lay the whole table out. */
const STRIDE_ROWS = 4;

/** Before it was measured, px. */
const HEIGHT_FIRST = 800;

export interface TableView {
  readonly place: RefObject<HTMLDivElement | null>;
  readonly window: RowWindow;
  /** those there is room for; the same array while that is so */
  readonly columns: readonly Column[];
  /** id of the selected stream, which may have gone */
  readonly selected: string | null;
  select(id: string | null): void;
  /** Selects the row that a key leads to and shows it; false when the key leads nowhere. */
  move(key: string): boolean;
  onScroll(): void;
}

export function useTableView(streams: readonly StreamSnapshot[]): TableView {
  const place = useRef<HTMLDivElement>(null);
  const frame = useRef(0);
  const [selected, setSelected] = useState<string | null>(leftBehind.selected);
  const select = (id: string | null) => {
    leftBehind.selected = id;
    setSelected(id);
  };
  const [seen, setSeen] = useState<Seen>({
    scrolled: 0,
    height: HEIGHT_FIRST,
    width: Number.POSITIVE_INFINITY,
    narrow: NARROW.matches,
  });
  const look = () => {
    if (place.current === null) return;
    const { scrollTop, clientHeight, clientWidth } = place.current;
    const narrow = NARROW.matches;
    const stride = STRIDE_ROWS * heightOf(narrow);
    const next = {
      scrolled: Math.floor(scrollTop / stride) * stride,
      height: clientHeight,
      width: clientWidth,
      narrow,
    };
    setSeen((last) => (same(last, next) ? last : next));
  };
  useLayoutEffect(look, []);
  useEffect(() => {
    const resized = new ResizeObserver(look);
    resized.observe(place.current!);
    return () => {
      resized.disconnect();
      cancelAnimationFrame(frame.current);
    };
  }, []);
  // Blocks have room for what the style sheet has them show.
  const columns = useMemo(
    () => (seen.narrow ? COLUMNS : fitting(COLUMNS, seen.width)),
    [seen.narrow, seen.width],
  );
  const rowHeight = heightOf(seen.narrow);
  const viewport = { ...seen, rowHeight, rows: streams.length };
  const show = (index: number) => {
    const element = place.current!;
    // The titles stay above the rows and cover as much of what is scrolled.
    const titles = element.querySelector('thead')?.clientHeight ?? 0;
    const room = { ...viewport, scrolled: element.scrollTop, height: element.clientHeight - titles };
    element.scrollTop = scrollToShow(index, room);
  };
  useEffect(() => {
    const at = streams.findIndex(({ id }) => id === selected);
    if (at < 0) return;
    show(at);
    place.current!.querySelector('table')?.focus({ preventScroll: true });
  }, []);
  return {
    place,
    // Until the next stride is reached.
    window: rowWindow({ ...viewport, height: seen.height + STRIDE_ROWS * rowHeight }),
    columns,
    selected,
    select,
    move: (key) => {
      const at = selected === null ? -1 : streams.findIndex(({ id }) => id === selected);
      const next = rowAfterKey(key, at, viewport);
      if (next === null) return false;
      select(streams[next]!.id);
      show(next);
      return true;
    },
    onScroll: () => {
      cancelAnimationFrame(frame.current);
      frame.current = requestAnimationFrame(look);
    },
  };
}

function heightOf(narrow: boolean): number {
  return narrow ? ROW_HEIGHT_NARROW : ROW_HEIGHT;
}

interface Seen {
  /** px, in whole strides */
  readonly scrolled: number;
  readonly height: number;
  /** px */
  readonly width: number;
  readonly narrow: boolean;
}

function same(a: Seen, b: Seen): boolean {
  return a.scrolled === b.scrolled && a.height === b.height && a.width === b.width && a.narrow === b.narrow;
}
