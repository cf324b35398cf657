import { expect, test } from 'vitest';
import { NodeHistoryRing } from '../../../../src/telemetry/history/node.ts';

const GAUGES = {
  budget_bps: 2e9,
  connections: 3,
  cpu: 0.3,
  heap: 0.4,
  memory: 0.5,
  event_loop: 12,
  adaptive_factor: 1,
};

test('adds up what streams send in the one round that makes a row', () => {
  const ring = new NodeHistoryRing();
  let denied = 0;
  let rows = 0;
  for (let now = 250; now <= 10_000; now += 250) {
    denied += 1;
    ring.begin(now);
    if (!ring.adding) continue;
    rows++;
    for (const bps of [1_000_000, 500_000]) ring.add(bps);
    ring.finish({ ...GAUGES, denied: { client_streams: denied } });
  }
  expect(rows).toBe(6);
  const { columns, denied: byReason } = ring.view({ now: 10_100, wallMs: 10_100 });
  expect(columns.bitrate_bps).toEqual(new Array(6).fill(1_500_000));
  expect(columns.streams).toEqual(new Array(6).fill(2));
  expect(columns.denials).toEqual([1, 7, 8, 8, 8, 8]);
  expect(byReason).toEqual({ client_streams: columns.denials });
});

test('before the first row there is an empty past', () => {
  const { columns, from, to, denied } = new NodeHistoryRing().view({ now: 5, wallMs: 5_000 });
  expect(Object.values(columns).flat()).toEqual([]);
  expect([from, to, denied]).toEqual(['1970-01-01T00:00:05.000Z', '1970-01-01T00:00:05.000Z', {}]);
});

test('a loop that was held up leaves a gap of the length it took', () => {
  const ring = new NodeHistoryRing();
  for (const now of [2_000, 4_000, 12_000]) {
    ring.begin(now);
    ring.finish({ ...GAUGES, denied: {} });
  }
  expect(ring.view({ now: 12_000, wallMs: 12_000 }).columns.connections).toEqual([3, 3, null, null, null, 3]);
});
