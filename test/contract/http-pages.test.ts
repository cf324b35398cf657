import { beforeEach, describe, expect, test } from 'vitest';
import { problem } from '../../src/http/schemas/common.ts';
import type { Decision } from '../../src/telemetry/audit.ts';
import { type RunningApi, startApi, streamSnapshot } from './http-fixture.ts';

/** Lists page by page, while what they list comes and goes. */

let api: RunningApi;

beforeEach(async () => {
  api = await startApi();
  return () => api.server.close();
});

interface List {
  readonly next_cursor: string | null;
  readonly omitted?: number;
  readonly [name: string]: unknown;
}

async function get(path: string): Promise<{ status: number; list: List }> {
  const response = await fetch(api.url + path);
  return { status: response.status, list: (await response.json()) as List };
}

/** All items of a list, in pages of `limit`; `between` runs after each page. */
async function walk<T>(
  path: string,
  name: string,
  limit: number,
  between: (page: number, seen: T[]) => void = () => undefined,
): Promise<T[]> {
  const seen: T[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < 50; page++) {
    const at: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { status, list } = await get(`${path}${path.includes('?') ? '&' : '?'}limit=${limit}${at}`);
    expect(status).toBe(200);
    seen.push(...(list[name] as T[]));
    between(page, seen);
    cursor = list.next_cursor;
    if (cursor === null) return seen;
  }
  throw new Error('the list does not end');
}

function decision(change: Partial<Decision> = {}): Decision {
  return {
    reason: 'client_streams',
    scope: 'client',
    key: 'alice',
    limit: 3,
    observed: 4,
    windowMs: null,
    retryAfterMs: 0,
    action: 'cut',
    ip: '192.0.2.10',
    protocol: 'rtmp',
    path: '/live/a',
    client: 'alice',
    stream: null,
    detail: 'three streams already',
    ...change,
  };
}

describe('streams', () => {
  const ids = (list: readonly { id: string }[]) => list.map(({ id }) => id);
  const numbered = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, n) =>
      streamSnapshot(from + n, { started_at: '2026-11-20T21:40:00.000Z' }),
    );

  test('that all began in one instant are each listed once, also when the last one listed has gone', async () => {
    api.fake.all = numbered(1, 25);
    const seen = await walk<{ id: string }>('/api/v1/streams', 'streams', 7, (page, listed) => {
      if (page === 1) api.fake.all = api.fake.all.filter(({ id }) => id !== listed.at(-1)!.id);
    });
    expect(ids(seen)).toEqual(ids(numbered(1, 25)));
  });

  test('that come while somebody pages are at the end, and those that leave cost no other its place', async () => {
    api.fake.all = numbered(1, 20);
    const seen = await walk<{ id: string }>('/api/v1/streams', 'streams', 5, (page) => {
      if (page === 0) api.fake.all = [...api.fake.all.slice(10), ...numbered(21, 25)];
    });
    expect(ids(seen)).toEqual([...ids(numbered(1, 5)), ...ids(numbered(11, 25))]);
  });

  test('a filter goes with its pages', async () => {
    api.fake.all = numbered(1, 20).map((stream, n) => ({ ...stream, client: n % 2 === 0 ? 'alice' : 'bob' }));
    const seen = await walk<{ client: string }>('/api/v1/streams?client=bob', 'streams', 3);
    expect(seen.map(({ client }) => client)).toEqual(Array(10).fill('bob'));
  });
});

describe.each([
  ['/api/v1/clients', 'clients', 'id', 'clientIds'],
  ['/api/v1/ips', 'ips', 'ip', 'addresses'],
] as const)('GET %s', (path, name, key, held) => {
  const keys = (list: readonly Record<string, unknown>[]) => list.map((item) => item[key] as string);
  const many = Array.from({ length: 500 }, (_, n) => `10.0.${(n * 7) % 25}.${n}`);

  test('lists by key, each once, whoever comes and leaves meanwhile', async () => {
    api.fake[held] = [...many];
    const seen = await walk<Record<string, unknown>>(path, name, 60, (page, listed) => {
      if (page === 2)
        api.fake[held] = [...many.filter((one) => one !== keys(listed).at(-1)), '0-first', 'z-last'];
    });
    expect(keys(seen)).toEqual([...many.toSorted(), 'z-last']);
  });

  test('tells how many are left out', async () => {
    api.fake[held] = [...many];
    const { list } = await get(`${path}?limit=60`);
    expect(list.omitted).toBe(440);
    expect((await get(`${path}?limit=60&cursor=${list.next_cursor}`)).list.omitted).toBe(380);
  });

  test('holds the event loop for no longer than a batch takes', async () => {
    api.fake[held] = Array.from({ length: 10_000 }, (_, n) => `10.${n >> 8}.${n & 255}.1`);
    let turns = 0;
    let running = true;
    const count = (): void => {
      turns++;
      if (running) setImmediate(count);
    };
    count();
    const { list } = await get(`${path}?limit=2000`);
    running = false;
    expect((list[name] as unknown[]).length).toBe(2_000);
    expect(turns).toBeGreaterThan(50);
  });
});

test.each([
  ['/api/v1/clients?tier=pro', 'clients', 0],
  ['/api/v1/clients?client=alice', 'clients', 1],
  ['/api/v1/clients?configured=false', 'clients', 1],
  ['/api/v1/clients?live=true', 'clients', 3],
  ['/api/v1/clients?live=false', 'clients', 0],
  ['/api/v1/ips?ip=192.0.2.10', 'ips', 1],
  ['/api/v1/ips?ip=2001%3Adb8%3A%3A%2F64', 'ips', 1],
  ['/api/v1/ips?cooldown=true', 'ips', 0],
  ['/api/v1/ips?exempt=false&live=true', 'ips', 2],
])('GET %s finds as many as match', async (path, name, expected) => {
  const { status, list } = await get(path);
  expect([status, (list[name] as unknown[]).length]).toEqual([200, expected]);
});

describe('receipts', () => {
  test('page through those of before, while new ones come', async () => {
    const written = Array.from(
      { length: 40 },
      (_, n) => api.fake.trail.record(decision({ path: `/live/${n}` }), n).id,
    );
    const seen = await walk<{ id: string }>('/api/v1/receipts', 'receipts', 9, () => {
      for (let n = 0; n < 5; n++) api.fake.trail.record(decision(), 100 + n);
    });
    expect(seen.map(({ id }) => id)).toEqual(written.toReversed());
  });

  test.each([
    ['ip=192.0.2.11', 1],
    ['client=bob', 1],
    ['action=refuse', 1],
    ['protocol=srt', 1],
    ['protocol=rtmp&client=alice', 2],
    ['reason=kicked', 0],
    ['key=alice&ip=192.0.2.10', 3],
  ])('are found by %s', async (query, expected) => {
    for (const change of [
      { ip: '192.0.2.11' },
      { client: 'bob' },
      { action: 'refuse' as const },
      { protocol: 'srt' },
    ]) {
      api.fake.trail.record(decision(change), 0);
    }
    api.fake.trail.record(decision({ ip: '192.0.2.12', key: 'other', client: null, protocol: 'rtmps' }), 0);
    const { list } = await get(`/api/v1/receipts?${query}`);
    expect((list['receipts'] as unknown[]).length).toBe(expected);
  });
});

describe('the audit trail', () => {
  const idOf = (event: { receipt?: { id: string }; action?: { id: string } }) =>
    (event.receipt ?? event.action)!.id;

  test('pages through both kinds once, whatever comes meanwhile', async () => {
    const written: string[] = [];
    const act = (action: 'kick' | 'gate' | 'refused') =>
      api.fake.trail.act({ action, by: 'x', target: 's-1', result: 'ok', detail: '' }).id;
    for (let n = 0; n < 10; n++) {
      written.push(api.fake.trail.record(decision(), n).id, act('kick'), act('gate'), act('refused'));
    }
    const seen = await walk<object>('/api/v1/audit', 'events', 7, () => {
      api.fake.trail.record(decision(), 0);
      act('kick');
    });
    expect(seen.map(idOf).toSorted()).toEqual(written.toSorted());
  });

  test.each([
    ['kind=audit', 2],
    ['kind=receipt', 1],
    ['action=kick', 1],
    ['action=cut', 1],
    ['reason=client_streams', 1],
    ['key=alice', 1],
    ['key=operator%20bob%40192.0.2.1', 1],
    ['key=s-1&kind=audit', 1],
  ])('is filtered by %s', async (query, expected) => {
    api.fake.trail.record(decision(), 0);
    api.fake.trail.act({
      action: 'kick',
      by: 'operator bob@192.0.2.1',
      target: 's-1',
      result: 'ok',
      detail: '',
    });
    api.fake.trail.act({ action: 'reload', by: 'SIGHUP', target: null, result: 'ok', detail: '' });
    expect((await get(`/api/v1/audit?${query}`)).list['events']).toHaveLength(expected);
  });
});

describe('a cursor that no answer of the list held is refused', () => {
  const made = (text: string) => Buffer.from(text).toString('base64url');
  const cursors = [
    'x',
    '',
    'null',
    '__proto__',
    made('streams\n1'),
    made('clients\n'),
    made('ips'),
    made('receipts\nr-1;DROP'),
    made('receipts\nr-zzzzzzzzzzzzzzzz'),
    made('audit\n1'),
    made('audit\n-1.1'),
    made(`streams 2026-11-20T21:40:00.000Z\n${'9'.repeat(400)}`),
    made('streams 2026-11-20T21:40:00.000Z\n1e3'),
    made('streams 2026-01-01T00:00:00.000Z\n1'),
    '%00',
    'A'.repeat(1_025),
  ];

  test.each(['streams', 'clients', 'ips', 'receipts', 'audit'])('by /api/v1/%s', async (list) => {
    for (const cursor of cursors) {
      const { status, list: told } = await get(`/api/v1/${list}?cursor=${cursor}`);
      expect([cursor.slice(0, 60), status]).toEqual([cursor.slice(0, 60), 400]);
      expect(problem.parse(told).errors![0]!.parameter).toBe('cursor');
    }
  });

  test('one of another list is none of this', async () => {
    api.fake.clientIds = ['a', 'b'];
    const { list } = await get('/api/v1/clients?limit=1');
    expect((await get(`/api/v1/ips?cursor=${list.next_cursor}`)).status).toBe(400);
    expect((await get(`/api/v1/clients?cursor=${list.next_cursor}`)).status).toBe(200);
    expect((await get(`/api/v1/clients?cursor=${list.next_cursor}=`)).status).toBe(400);
  });
});
