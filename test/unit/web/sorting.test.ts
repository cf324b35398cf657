import { expect, test } from 'vitest';
import { type Sorting, sortedBy } from '../../../web/ui/sorting.ts';

interface Row {
  readonly id: string;
  readonly bps: number;
}

const ROWS: readonly Row[] = [
  { id: 'bob', bps: 5 },
  { id: 'alice', bps: 5 },
  { id: 'carol', bps: 12 },
];

const COLUMNS = [
  { title: 'Client', sortBy: ({ id }: Row) => id },
  { title: 'Bandwidth', sortBy: ({ bps }: Row) => bps },
  { title: 'Links' },
];

function order(sorting: Sorting): string[] {
  return sortedBy(ROWS, COLUMNS, ({ id }) => id, sorting).map(({ id }) => id);
}

test('numbers sort as numbers, and equals by their key in either direction, so that rows do not jump', () => {
  expect(order({ by: 'Bandwidth', descending: true })).toEqual(['carol', 'alice', 'bob']);
  expect(order({ by: 'Bandwidth', descending: false })).toEqual(['alice', 'bob', 'carol']);
});

test('text sorts as text, and a column that does not sort leaves the order of keys', () => {
  expect(order({ by: 'Client', descending: true })).toEqual(['carol', 'bob', 'alice']);
  expect(order({ by: 'Links', descending: false })).toEqual(['alice', 'bob', 'carol']);
});
