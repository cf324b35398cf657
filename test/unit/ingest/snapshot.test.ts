import { expect, test } from 'vitest';
import { fraction } from '../../../src/ingest/snapshot.ts';

test('how much of a limit is used is always a number', () => {
  const used = [0, 1, 6_000_000].map((value) => [0, 3, Infinity].map((limit) => fraction(value, limit)));
  expect(used).toEqual([
    [0, 0, 0],
    [1, 0.333, 0],
    [1, 2_000_000, 0],
  ]);
});
