import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AuditTrail, type Decision } from '../../../src/telemetry/audit.ts';
import type { AuditEvent } from '../../../src/telemetry/events.ts';

const WALL = Date.parse('2026-11-20T21:40:00.000Z');

function trailOf(receipts = 100): AuditTrail {
  return new AuditTrail({ receipts, wallMs: () => WALL });
}

function refusal(change: Partial<Decision> = {}): Decision {
  return {
    reason: 'ip_connection_rate',
    scope: 'ip',
    key: '192.0.2.10',
    limit: 10,
    observed: 11,
    windowMs: 1_000,
    retryAfterMs: 100,
    action: 'refuse',
    ip: '192.0.2.10',
    protocol: 'rtmp',
    path: null,
    client: null,
    stream: null,
    detail: 'too many connections a second',
    ...change,
  };
}

function publishRefusal(change: Partial<Decision> = {}): Decision {
  return refusal({
    reason: 'client_streams',
    scope: 'client',
    key: 'alice',
    client: 'alice',
    path: '/live/cam1',
    ...change,
  });
}

test('a receipt tells the decision, and never as the word null', () => {
  const receipt = trailOf().record(
    refusal({ retryAfterMs: Number.POSITIVE_INFINITY, limit: Number.POSITIVE_INFINITY }),
    0,
  );
  expect(receipt).toMatchObject({
    retry_after_ms: null,
    limit: null,
    at: '2026-11-20T21:40:00.000Z',
    count: 1,
  });
  expect(receipt.id).toMatch(/^r-[0-9a-z]+$/);
});

test('ids differ after a restart', () => {
  const before = new AuditTrail({ receipts: 10, wallMs: () => WALL }).record(publishRefusal(), 0);
  const after = new AuditTrail({ receipts: 10, wallMs: () => WALL + 60_000 }).record(publishRefusal(), 0);
  expect(after.id).not.toBe(before.id);
});

test('a receipt is found by id until the ring has gone round', () => {
  const trail = trailOf(3);
  const ids = Array.from({ length: 5 }, () => trail.record(publishRefusal(), 0).id);
  expect(ids.map((id) => trail.find(id)?.id ?? null)).toEqual([null, null, ids[2], ids[3], ids[4]]);
});

test.each(['', 'r-', 'r-!', 'a-1', 'r-zzzzzzzzzzzz', '__proto__', 'r-0'])(
  'no receipt has the id %j',
  (id) => {
    expect(trailOf().find(id)).toBeNull();
  },
);

test.each(['192.0.2.10', 'alice', '/live/cam1', 'cam1', 's-1'])('query finds it by %s', (key) => {
  const trail = trailOf();
  const wanted = trail.record(publishRefusal({ stream: 's-1' }), 0);
  trail.record(
    publishRefusal({ key: 'bob', client: 'bob', path: '/live/other', ip: '192.0.2.99', stream: null }),
    0,
  );
  expect(trail.query({ key, limit: 10 })).toEqual([wanted]);
  expect(trail.query({ key: wanted.id, limit: 10 })).toEqual([wanted]);
});

test('query answers newest first, by reason, and no more than asked', () => {
  const trail = trailOf();
  const ids = Array.from({ length: 5 }, () => trail.record(publishRefusal(), 0).id);
  trail.record(publishRefusal({ reason: 'kicked', scope: 'server', action: 'cut' }), 0);
  expect(trail.query({ reason: 'client_streams', limit: 2 }).map(({ id }) => id)).toEqual([ids[4], ids[3]]);
});

test('a program that asks for a receipt gets it out of a trail that is longer than a page looks at', () => {
  const trail = trailOf(50_000);
  const wanted = [1, 2, 3].map((n) => trail.record(publishRefusal({ path: '/live/wanted' }), n).id);
  for (let n = 0; n < 45_000; n++) trail.record(publishRefusal({ path: '/live/other' }), n);
  const found = (limit: number) => trail.query({ key: 'wanted', limit }).map(({ id }) => id);
  expect(found(10)).toEqual(wanted.toReversed());
  expect(found(2)).toEqual([wanted[2], wanted[1]]);
});

describe('a flood', () => {
  test('of like refusals shares one receipt for a second', () => {
    const trail = trailOf();
    const first = trail.record(refusal(), 0);
    expect(trail.record(refusal(), 999.9)).toBe(first);
    expect(first.count).toBe(2);
    expect(trail.record(refusal(), 1_000).id).not.toBe(first.id);
  });

  test('keeps addresses apart when the limit is wider than one', () => {
    const trail = trailOf();
    const at = (ip: string) =>
      trail.record(refusal({ reason: 'global_connections', scope: 'global', key: 'global', ip }), 0);
    expect(at('192.0.2.1').id).not.toBe(at('192.0.2.2').id);
    expect(trail.query({ key: '192.0.2.1', limit: 10 })).toHaveLength(1);
  });

  test('of publish refusals is not merged: each has a path and an encoder that was told its id', () => {
    const trail = trailOf();
    expect(trail.record(publishRefusal(), 0).id).not.toBe(trail.record(publishRefusal(), 0).id);
  });

  test('from ever new addresses leaves at most some hundred receipts a second', () => {
    const trail = trailOf(10_000);
    const asked = trail.record(publishRefusal(), 0);
    for (let n = 0; n < 50_000; n++)
      trail.record(refusal({ key: `192.0.${n >> 8}.${n & 255}`, ip: 'x' }), n / 50);
    const kept = trail.query({ limit: 1_000 });
    expect(kept.length).toBeLessThanOrEqual(103);
    expect(kept.reduce((sum, { count }) => sum + count, 0)).toBe(50_001);
    expect(kept).toContain(asked);
    expect(kept[0]).toMatchObject({ key: '*', ip: '*' });
    expect(trail.recorded).toBe(50_001);
  });

  test('costs microseconds a refusal', () => {
    const trail = trailOf(10_000);
    const decisions = Array.from({ length: 500 }, (_, n) => refusal({ key: `192.0.2.${n}` }));
    const start = performance.now();
    for (let n = 0; n < 100_000; n++) trail.record(decisions[n % 500]!, n / 10);
    // 5 us is the goal and about 1 us what it takes; the bound leaves room for a busy machine.
    expect((performance.now() - start) / 100_000).toBeLessThan(0.02);
  });

  test('does not outlive a clock that steps back', () => {
    const trail = trailOf();
    const first = trail.record(refusal(), 10_000);
    expect(trail.record(refusal(), 5_000).id).not.toBe(first.id);
  });
});

test('what a stranger wrote cannot drive a terminal', () => {
  const receipt = trailOf().record(
    publishRefusal({ path: '/live/\u001b[2J\u202e', client: 'a\r\nb', detail: '\u0007' }),
    0,
  );
  expect(receipt.path).toBe('/live/\\u001b[2J\\u202e');
  expect(receipt.client).toBe('a\\u000d\\u000ab');
  expect(receipt.detail).toBe('\\u0007');
});

test('subscribers are told receipts and actions once, and are bounded', () => {
  const trail = trailOf();
  const seen: AuditEvent[] = [];
  const stop = trail.subscribe((event) => seen.push(event))!;
  trail.record(refusal(), 0);
  trail.record(refusal(), 1);
  trail.act({ action: 'kick', by: 'operator@127.0.0.1', target: 's-1', result: 'ok', detail: 'kicked' });
  expect(seen.map(({ kind }) => kind)).toEqual(['receipt', 'audit']);
  stop();
  stop();
  trail.record(publishRefusal(), 2);
  expect(seen).toHaveLength(2);
  const stops = Array.from({ length: 64 }, () => trail.subscribe(() => undefined));
  expect(stops).not.toContain(null);
  expect(trail.subscribe(() => undefined)).toBeNull();
});

test('recent merges receipts and actions, newest first', () => {
  let wall = WALL;
  const trail = new AuditTrail({ receipts: 10, wallMs: () => wall });
  trail.record(publishRefusal(), 0);
  wall += 1;
  trail.act({ action: 'reload', by: 'SIGHUP', target: null, result: 'ok', detail: 'reloaded' });
  wall += 1;
  trail.record(publishRefusal(), 2);
  expect(trail.recent(10).map(({ kind }) => kind)).toEqual(['receipt', 'audit', 'receipt']);
  expect(trail.recent(1)).toHaveLength(1);
});

test('resizing keeps the newest and finds them', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 50 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 50 }),
      (size, before, newSize, after) => {
        const trail = trailOf(size);
        const ids: string[] = [];
        for (let n = 0; n < before; n++) ids.unshift(trail.record(publishRefusal(), n).id);
        trail.resize(newSize);
        const keptBefore = ids.slice(0, Math.min(size, newSize));
        expect(trail.query({ limit: 1_000 }).map(({ id }) => id)).toEqual(keptBefore);
        for (let n = 0; n < after; n++) keptBefore.unshift(trail.record(publishRefusal(), n).id);
        const kept = keptBefore.slice(0, newSize);
        expect(trail.query({ limit: 1_000 }).map(({ id }) => id)).toEqual(kept);
        expect(kept.every((id) => trail.find(id)?.id === id)).toBe(true);
      },
    ),
  );
});

test('refusals at a door share a receipt by their path, and count as many as there were', () => {
  const trail = trailOf();
  const first = trail.record(publishRefusal({ protocol: 'srt', times: 3 }), 0);
  const like = trail.record(publishRefusal({ protocol: 'srt', times: 2 }), 500);
  const other = trail.record(publishRefusal({ protocol: 'srt', times: 1, path: '/live/cam2' }), 500);
  const later = trail.record(publishRefusal({ protocol: 'srt', times: 1 }), 1_500);
  expect(like).toBe(first);
  expect([first.count, other.count, later.count]).toEqual([5, 1, 1]);
  expect(new Set([first.id, other.id, later.id]).size).toBe(3);
  expect(trail.recorded).toBe(7);
});

test('a flood at a door names no path for what it no longer tells apart', () => {
  const trail = trailOf(1_000);
  for (let i = 0; i < 150; i++) trail.record(publishRefusal({ times: 2, path: `/live/cam${i}` }), i);
  const [newest] = trail.query({ limit: 1 });
  expect(newest).toMatchObject({ key: '*', ip: '*', path: null, client: null, count: 100 });
});

test('what the governor does cannot wash away what operators did', () => {
  const trail = trailOf();
  const act = (action: 'kick' | 'adaptive', detail: string) =>
    trail.act({ action, by: 'x', target: null, result: 'ok', detail });
  act('kick', 'the one');
  for (let change = 0; change < 5_000; change++) act('adaptive', `${change}`);
  const events = trail.recent(10_000);
  const details = events.map((event) => (event.kind === 'audit' ? event.action.detail : ''));
  expect(details).toContain('the one');
  expect(details).toContain('4999');
  expect(details.length).toBeLessThan(3_000);
});

test('a receipt that others have shared is told once more, with its count, when nothing joins it any longer', () => {
  const told: [string, number][] = [];
  const trail = new AuditTrail({
    receipts: 100,
    wallMs: () => Date.parse('2026-11-20T21:40:00.000Z'),
    onShared: ({ key, count }) => told.push([key, count]),
  });
  const refused = (key: string, now: number) => trail.record(refusal({ key }), now);
  refused('192.0.2.1', 0);
  refused('192.0.2.2', 100);
  refused('192.0.2.1', 200);
  refused('192.0.2.1', 300);
  trail.settle(900);
  expect(told).toEqual([]);
  trail.settle(1_000);
  expect(told).toEqual([['192.0.2.1', 3]]);
  refused('192.0.2.1', 1_100);
  refused('192.0.2.1', 1_200);
  // Also without a tick, when the next second's first refusal comes.
  refused('192.0.2.1', 2_200);
  trail.settle(9_000);
  expect(told).toEqual([
    ['192.0.2.1', 3],
    ['192.0.2.1', 2],
  ]);
});
