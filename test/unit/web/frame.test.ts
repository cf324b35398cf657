import { describe, expect, test } from 'vitest';
import type { NodeHistory } from '../../../src/telemetry/history/node.ts';
import { ago, bps, bytes, duration, partOf, percent } from '../../../web/format.ts';
import { Samples } from '../../../web/live/samples.ts';
import { courseOf, refusedWithin } from '../../../web/overview/course.ts';
import { href, parseRoute } from '../../../web/route.ts';

/** What every page of the dashboard stands on: addresses, figures, samples over time. */

describe('addresses', () => {
  test.each([
    ['', { page: 'overview', id: null, query: {} }],
    ['#/', { page: 'overview', id: null, query: {} }],
    ['#/streams', { page: 'streams', id: null, query: {} }],
    ['#/streams/s-7k2f', { page: 'streams', id: 's-7k2f', query: {} }],
    ['#/clients/2001%3Adb8%3A%3A%2F64', { page: 'clients', id: '2001:db8::/64', query: {} }],
    [
      '#/receipts?key=a%26b&reason=shed',
      { page: 'receipts', id: null, query: { key: 'a&b', reason: 'shed' } },
    ],
    ['#/streams/100%', { page: 'streams', id: '100%', query: {} }],
    ['#/nowhere', { page: null, id: null, query: {} }],
  ])('%s is read', (hash, route) => {
    expect(parseRoute(hash)).toEqual(route);
  });

  test('what is written is read back', () => {
    expect(parseRoute(href('clients', '2001:db8::/64', { q: 'ä=&?#' }))).toEqual({
      page: 'clients',
      id: '2001:db8::/64',
      query: { q: 'ä=&?#' },
    });
    expect(href('overview')).toBe('#/');
    expect(href('receipts', null, { key: '', reason: undefined })).toBe('#/receipts');
  });
});

test('figures have three digits or so, and their unit', () => {
  expect([0, 999, 999_600, 2_610_000, 26_100_000, 261e6, 2e9].map(bps)).toEqual([
    '0 bps',
    '999 bps',
    '1.00 Mbps',
    '2.61 Mbps',
    '26.1 Mbps',
    '261 Mbps',
    '2.00 Gbps',
  ]);
  expect([0, 12.4, 999.6, 59_600, 310_000, 12_000_000, 360_000_000].map(duration)).toEqual([
    '0 ms',
    '12 ms',
    '1.0 s',
    '1 min',
    '5 min 10 s',
    '3 h 20 min',
    '4 d 4 h',
  ]);
  expect([bps(null), bytes(null), duration(null), percent(null)]).toEqual(['–', '–', '–', '–']);
  const at = '2026-11-20T21:40:00.000Z';
  const after = (seconds: number) => ago(at, Date.parse(at) + seconds * 1_000);
  expect([0, 59, 61, 7_200, 200_000].map(after)).toEqual([
    'just now',
    '59 s ago',
    '1 min ago',
    '2 h ago',
    '2 d ago',
  ]);
});

test.each([
  [1, 4, 0.25],
  [8, 4, 2],
  [3, null, null],
  // Zero streams may be live: a config may say so. The API counts the same.
  [0, 0, 0],
  [2, 0, 1],
] as const)('%s of %s uses %s of it', (used, limit, fraction) => {
  expect(partOf(used, limit)).toBe(fraction);
});

test('samples keep the last rows, in order, and gaps as null', () => {
  const samples = new Samples(['a', 'b'], 3);
  for (const second of [1, 2, 3, 4]) samples.push(second * 1_000, { a: second, b: Number.NaN });
  samples.push(4_000, { a: 99, b: 99 });
  samples.push(3_500, { a: 99, b: 99 });
  expect([samples.timesS(), samples.values('a'), samples.values('b')]).toEqual([
    [2, 3, 4],
    [2, 3, 4],
    [null, null, null],
  ]);
});

test('samples begin anew when the clock of the server was set back', () => {
  const samples = new Samples(['a'], 3);
  for (const second of [7_200, 7_201, 3_600, 3_601]) samples.push(second * 1_000, { a: second });
  expect(samples.timesS()).toEqual([3_600, 3_601]);
});

describe('the course of the node', () => {
  const columns = ['bitrate_bps', 'denied_per_s'] as const;
  const history = {
    interval_ms: 2_000,
    from: '2026-11-20T21:40:00.000Z',
    to: '2026-11-20T21:40:04.000Z',
    columns: { bitrate_bps: [1, null, 3], denials: [0, 4, null] },
    denied: { client_streams: [0, 4, null], denied: [1, 0, 0] },
  } as unknown as NodeHistory;
  const fromS = Date.parse(history.from) / 1_000;
  const live = new Samples(['bitrate_bps', 'denied_per_s'] as const, 10);
  for (const [second, bitrate] of [
    [3, 30],
    [5, 50],
  ] as const) {
    live.push((fromS + second) * 1_000, { bitrate_bps: bitrate, denied_per_s: 0 });
  }

  test('goes on from what the server remembers with what came since', () => {
    const course = courseOf(history, live as never, columns as never);
    expect(course.times).toEqual([fromS, fromS + 2, fromS + 4, fromS + 5]);
    expect(course.columns).toEqual({ bitrate_bps: [1, null, 3, 50], denied_per_s: [0, 2, null, 0] });
  });

  test('is what came live where the server remembers nothing', () => {
    expect(courseOf(null, live as never, columns as never).times).toEqual([fromS + 3, fromS + 5]);
  });

  test('counts refusals from what came live, and before that from what the server remembers', () => {
    const mark = (second: number, times: number) => ({
      atMs: (fromS + second) * 1_000,
      denied: { client_streams: times },
    });
    const marks = [mark(3, 4), mark(4, 4), mark(6, 9)];
    expect(refusedWithin(history, marks, 2_000)).toEqual({ client_streams: 5 });
    expect(refusedWithin(history, marks, 5_000)).toEqual({ client_streams: 9 });
    expect(refusedWithin(history, marks, 60_000)).toEqual({ client_streams: 9, denied: 1 });
    expect(refusedWithin(null, marks, 60_000)).toEqual({ client_streams: 5 });
    expect(refusedWithin(history, [], 60_000)).toEqual({});
  });

  test('counts what was refused while a tab was hidden for longer than is asked about', () => {
    const marks = [
      { atMs: (fromS - 900) * 1_000, denied: { client_streams: 1 } },
      { atMs: (fromS + 6) * 1_000, denied: { client_streams: 9 } },
    ];
    expect(refusedWithin(history, marks, 60_000)).toEqual({ client_streams: 4, denied: 1 });
  });
});
