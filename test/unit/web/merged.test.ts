import { expect, test } from 'vitest';
import type { Receipt } from '../../../src/core/verdict.ts';
import { meets, merged } from '../../../web/receipts/merged.ts';

const receipts = (...ids: string[]): Receipt[] => ids.map((id) => ({ id, count: 1 }) as Receipt);
const ids = (list: readonly Receipt[]): string => list.map(({ id }) => id).join(' ');

test('answers lie one over the other, newest first, without gaps where the newer one begins later', () => {
  expect(ids(merged(receipts('r-c', 'r-b', 'r-a'), receipts('r-e', 'r-d', 'r-c'), 10))).toBe(
    'r-e r-d r-c r-b r-a',
  );
});

test('an answer whose oldest is newer than all that was known leaves a gap', () => {
  expect(meets(receipts('r-c', 'r-b'), receipts('r-e', 'r-d'))).toBe(false);
  expect(meets(receipts('r-c', 'r-b'), receipts('r-d', 'r-c'))).toBe(true);
  expect(meets(receipts(), receipts('r-a'))).toBe(true);
  expect(meets(receipts('r-a'), receipts())).toBe(true);
});

test('a receipt is told as the last answer has it', () => {
  const [grown] = merged(receipts('r-a'), [{ id: 'r-a', count: 9 } as Receipt], 10);
  expect(grown?.count).toBe(9);
});

test('ids are numbers: r-10 comes after r-z', () => {
  expect(ids(merged([], receipts('r-z', 'r-10', 'r-9'), 10))).toBe('r-10 r-z r-9');
});

test('the oldest go when there are too many', () => {
  expect(ids(merged(receipts('r-b', 'r-a'), receipts('r-d', 'r-c'), 3))).toBe('r-d r-c r-b');
});
