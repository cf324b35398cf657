import { expect, test } from 'vitest';
import { fitting, REST_MIN } from '../../../web/streams/fitting.ts';

const COLUMNS = [
  { name: 'state', width: 100 },
  { name: 'path', width: 0 },
  { name: 'codec', width: 140, leaves: 2 },
  { name: 'tier', width: 60, leaves: 1 },
];

function shown(width: number): string[] {
  return fitting(COLUMNS, width).map(({ name }) => name);
}

test('all columns are shown where the name keeps its room beside them', () => {
  expect(shown(300 + REST_MIN)).toEqual(['state', 'path', 'codec', 'tier']);
});

test('what matters least goes first, and no more than has to', () => {
  expect(shown(299 + REST_MIN)).toEqual(['state', 'path', 'codec']);
  expect(shown(240 + REST_MIN)).toEqual(['state', 'path', 'codec']);
  expect(shown(239 + REST_MIN)).toEqual(['state', 'path']);
});

test('the name and what has to stay are there however narrow it is', () => {
  expect(shown(1)).toEqual(['state', 'path']);
});
