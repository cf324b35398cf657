import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sortedPage } from '../../../src/http/sorted-page.ts';

function* inBatches<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

test('a page is what sorting everything would give, and counts what is left out', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.string(), { maxLength: 60 }),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 10 }),
      fc.option(fc.string(), { nil: undefined }),
      async (keys, limit, size, after) => {
        const matches = (key: string) => key.length !== 2;
        const wanted = { keyOf: (key: string) => key, matches, after, limit };
        const sorted = keys.filter((key) => matches(key) && (after === undefined || key > after)).sort();
        expect(await sortedPage(inBatches(keys, size), wanted)).toEqual({
          items: sorted.slice(0, limit),
          omitted: Math.max(0, sorted.length - limit),
        });
      },
    ),
    { numRuns: 50 },
  );
});

test('of a list longer than is held at once too', async () => {
  const keys = Array.from({ length: 5_000 }, (_, n) => String((n * 7_919) % 5_000).padStart(4, '0'));
  const wanted = { keyOf: (key: string) => key, matches: () => true, after: '0999', limit: 3 };
  expect(await sortedPage(inBatches(keys, 100), wanted)).toEqual({
    items: ['1000', '1001', '1002'],
    omitted: 3_997,
  });
});
