import { expect, test } from 'vitest';
import { rowAfterKey, rowWindow, scrollToShow } from '../../../web/streams/window.ts';

const VIEW = { height: 400, rowHeight: 40, rows: 2_000 };

test.each([-100, 0, 39, 40, 1_234, 79_600, 1e9])(
  'scrolled to %s px the rows seen are drawn, and few more',
  (scrolled) => {
    const { first, end, above, below } = rowWindow({ ...VIEW, scrolled });
    const top = Math.min(Math.max(0, scrolled), 2_000 * 40 - 400);
    expect(first * 40).toBeLessThanOrEqual(top);
    expect(end * 40).toBeGreaterThanOrEqual(Math.min(top + 400, 80_000));
    expect(end - first).toBeLessThanOrEqual(10 + 1 + 2 * 8);
    expect(above + (end - first) * 40 + below).toBe(2_000 * 40);
  },
);

test('a table that shrank while it was scrolled shows its end', () => {
  expect(rowWindow({ ...VIEW, rows: 3, scrolled: 5_000 })).toEqual({ first: 0, end: 3, above: 0, below: 0 });
  expect(rowWindow({ ...VIEW, rows: 0, scrolled: 5_000 })).toEqual({ first: 0, end: 0, above: 0, below: 0 });
});

test('a row is scrolled to only where it is not seen whole', () => {
  const view = { ...VIEW, scrolled: 1_000 };
  expect(scrollToShow(25, view)).toBe(1_000);
  expect(scrollToShow(34, view)).toBe(1_000);
  expect(scrollToShow(35, view)).toBe(1_040);
  expect(scrollToShow(24, view)).toBe(960);
});

test.each<[key: string, at: number, to: number | null]>([
  ['ArrowDown', -1, 0],
  ['ArrowUp', -1, 1_999],
  ['End', -1, 1_999],
  ['ArrowDown', 5, 6],
  ['ArrowUp', 0, 0],
  ['PageDown', 5, 14],
  ['PageDown', 1_995, 1_999],
  ['PageUp', 5, 0],
  ['Home', 500, 0],
  ['End', 0, 1_999],
  ['a', 5, null],
])('%s moves from row %s to %s', (key, at, to) => {
  expect(rowAfterKey(key, at, { ...VIEW, scrolled: 0 })).toBe(to);
});
