import { expect, test } from 'vitest';
import { choiceOf, sortedBy, urlQueryOf } from '../../../web/streams/choice.ts';
import { type Ordering, type SortKey, shownStreams } from '../../../web/streams/order.ts';
import { stream } from '../cli/top/samples.ts';

const A = stream('a', { usage: { bitrate_bps: 3e6 }, utilization: { bitrate: 0.5 }, state: 'live' });
const B = stream('b', { usage: { bitrate_bps: 1e6 }, utilization: { bitrate: 0.904 }, state: 'dropping' });
const C = stream('c', { usage: { bitrate_bps: 2e6 }, utilization: { bitrate: 0.896 }, state: 'throttled' });

function order(sort: SortKey, descending: boolean, query = ''): string {
  return shownStreams([C, A, B], { sort, descending, query })
    .map(({ name }) => name)
    .join('');
}

test.each<[SortKey, boolean, string]>([
  ['path', false, 'abc'],
  ['path', true, 'cba'],
  ['bitrate', true, 'acb'],
  ['bitrate', false, 'bca'],
  ['state', true, 'bca'],
])('by %s, descending %s', (sort, descending, names) => {
  expect(order(sort, descending)).toBe(names);
});

test('streams within the same percent of their limit keep their places', () => {
  expect(order('use', true)).toBe('bca');
  expect(order('use', false)).toBe('abc');
});

test('what is filtered out is not sorted in', () => {
  expect(order('path', false, '-state:live')).toBe('bc');
});

test('a choice survives its way through the URL', () => {
  const choices: Ordering[] = [
    { sort: 'use', descending: true, query: '' },
    { sort: 'use', descending: false, query: 'a & b = "c d"' },
    { sort: 'path', descending: false, query: '>80%' },
    { sort: 'path', descending: true, query: 'client:2001:db8::/64' },
  ];
  for (const choice of choices) {
    expect(choiceOf(urlQueryOf(choice))).toEqual(choice);
  }
});

test('the first choice leaves nothing in the URL, and a strange one is the first', () => {
  expect(urlQueryOf(choiceOf({}))).toEqual({});
  expect(choiceOf({ sort: 'constructor' })).toEqual(choiceOf({}));
});

test('a link may name a client by itself', () => {
  expect(choiceOf({ client: 'alice', q: 'cam' }).query).toBe('cam client:alice');
  expect(choiceOf({ client: 'alice', q: 'client:alice' }).query).toBe('client:alice');
});

test('a column sorts in its own direction first, then turns around', () => {
  const first = choiceOf({});
  const byBitrate = sortedBy(first, 'bitrate');
  expect(byBitrate).toMatchObject({ sort: 'bitrate', descending: true });
  expect(sortedBy(byBitrate, 'bitrate')).toMatchObject({ sort: 'bitrate', descending: false });
  expect(sortedBy(byBitrate, 'path')).toMatchObject({ sort: 'path', descending: false });
});
