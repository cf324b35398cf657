import { expect, test } from 'vitest';
import { Expectations } from '../../../src/ingest/expectations.ts';

test('a stranger is expected to send what he may', () => {
  const expectations = new Expectations();
  expect(expectations.of('k', 6e6)).toBe(6e6);
  expect(expectations.of('k', Number.POSITIVE_INFINITY)).toBeNull();
});

test('whoever was here is expected to do as before, but never more than he may now', () => {
  const expectations = new Expectations();
  expectations.learn('k', 2e6, 60_000);
  expect(expectations.of('k', Number.POSITIVE_INFINITY)).toBe(2e6);
  expect(expectations.of('k', 1e6)).toBe(1e6);
  expectations.learn('k', 3e6, 60_000);
  expect(expectations.of('k', 6e6)).toBe(3e6);
});

test('a stream that was gone at once, or sent nothing, says nothing', () => {
  const expectations = new Expectations();
  expectations.learn('k', 2e6, 9_999);
  expectations.learn('k', 0, 60_000);
  expect(expectations.of('k', 6e6)).toBe(6e6);
});

test('of too many the one heard of longest ago is forgotten', () => {
  const expectations = new Expectations();
  for (let i = 0; i < 16_384; i++) expectations.learn(`k-${i}`, 1e6, 60_000);
  expectations.learn('k-0', 1e6, 60_000);
  expectations.learn('new', 1e6, 60_000);
  expect(['k-0', 'k-1', 'k-2', 'new'].map((key) => expectations.of(key, 6e6))).toEqual([1e6, 6e6, 1e6, 1e6]);
});
