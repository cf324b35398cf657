import { expect, test } from 'vitest';
import { grown } from '../../../web/live/steady.ts';

interface Item {
  readonly id: string;
  readonly count: number;
}

const items = (...ids: string[]): Item[] => ids.map((id) => ({ id, count: 1 }));
const keyOf = ({ id }: Item): string => id;
const ids = (list: readonly Item[]): string => list.map(keyOf).join(' ');

test('what is new is counted and not shown, and what was shown is shown as it is now', () => {
  const { shown, fresh } = grown(
    items('c', 'b', 'a'),
    [...items('e', 'd', 'c'), { id: 'b', count: 7 }],
    keyOf,
  );
  expect(ids(shown)).toBe('c b a');
  expect(shown[1]?.count).toBe(7);
  expect(fresh).toBe(2);
});

test('what is older is added below, where it moves nothing', () => {
  const { shown, fresh } = grown(items('d', 'c'), items('e', 'd', 'c', 'b', 'a'), keyOf);
  expect(ids(shown)).toBe('d c b a');
  expect(fresh).toBe(1);
});

test('a flood that pushes everything out of the list takes nothing from the reader', () => {
  const { shown, fresh } = grown(items('b', 'a'), items('z', 'y', 'x'), keyOf);
  expect(ids(shown)).toBe('b a');
  expect(fresh).toBe(3);
});
