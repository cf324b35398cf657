import { beforeEach, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { auditList, receipt, receiptList } from '../../src/http/schemas/audit.ts';
import { problem } from '../../src/http/schemas/common.ts';
import { backpressure } from '../../src/http/schemas/governor.ts';
import { nodeHistory, streamHistory } from '../../src/http/schemas/history.ts';
import {
  addressList,
  client,
  clientList,
  effectiveConfig,
  ready,
  resources,
} from '../../src/http/schemas/server.ts';
import { kicked, stream, streamList } from '../../src/http/schemas/stream.ts';
import { pressedGovernor, steps } from '../support/governor-snapshot.ts';
import { type RunningApi, startApi, streamSnapshot } from './http-fixture.ts';

let api: RunningApi;

// A fresh server for each test: its own rate limit never runs out.
beforeEach(async () => {
  api = await startApi();
  return () => api.server.close();
});

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(api.url + path, {
    method,
    headers: { ...json, ...headers },
    ...(text === undefined ? {} : { body: text }),
  });
  const raw = await response.text();
  return { status: response.status, headers: response.headers, text: raw, json: () => JSON.parse(raw) };
}

type Answer = Awaited<ReturnType<typeof ask>>;

/** Every problem is one by RFC 9457, says so in its type, and tells its own status. */
function expectProblem(answer: Answer, status: number, code: string) {
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const told = problem.parse(answer.json());
  expect({ http: answer.status, body: told.status, code: told.code }).toEqual({
    http: status,
    body: status,
    code,
  });
  return told;
}

function strict(schema: z.ZodType, value: unknown): void {
  // Parsing strips what the schema does not know: equality shows that nothing more was told.
  expect(schema.parse(value)).toEqual(value);
}

describe('every answer validates against its schema', () => {
  test.each([
    ['/api/v1/streams', streamList],
    ['/api/v1/streams/s-1', stream],
    ['/api/v1/streams/s-1/history', streamHistory],
    ['/api/v1/history', nodeHistory],
    ['/api/v1/clients', clientList],
    ['/api/v1/clients/alice', client],
    ['/api/v1/ips', addressList],
    ['/api/v1/resources', resources],
    ['/api/v1/backpressure', backpressure],
    ['/api/v1/config', effectiveConfig],
    ['/api/v1/receipts', receiptList],
    ['/api/v1/audit', auditList],
    ['/readyz', ready],
  ])('GET %s', async (path, schema) => {
    api.fake.trail.record(decision(), 0);
    api.fake.trail.act({ action: 'reload', by: 'SIGHUP', target: null, result: 'ok', detail: 'reloaded' });
    const answer = await ask('GET', path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    strict(schema, answer.json());
  });

  test.each([
    ['/api/v1/resources', resources],
    ['/api/v1/backpressure', backpressure],
  ])('GET %s, of a machine in trouble', async (path, schema) => {
    api.fake.governed = pressedGovernor();
    strict(schema, (await ask('GET', path)).json());
    const { resources: all } = pressedGovernor();
    const blind = { ...all.cpu, value: null, degrade: null, close: null, cause: 'no sample for 3000 ms' };
    api.fake.governed = pressedGovernor({ resources: { ...all, cpu: blind } });
    strict(schema, (await ask('GET', path)).json());
  });

  test('DELETE, PATCH and one receipt', async () => {
    strict(kicked, (await ask('DELETE', '/api/v1/streams/s-1')).json());
    strict(stream, (await ask('PATCH', '/api/v1/streams/s-1/limits', { max_fps: '30fps' })).json());
    const { id } = api.fake.trail.record(decision(), 0);
    strict(receipt, (await ask('GET', `/api/v1/receipts/${id}`)).json());
  });

  test('the OpenAPI document names every route of the index', async () => {
    const document = (await ask('GET', '/api/v1/openapi.json')).json();
    const index = (await ask('GET', '/')).text;
    const listed = [...index.matchAll(/^(\w+) +(\/\S*)/gm)].flatMap(([, method, path]) => {
      const [base, tail] = path!.split('[');
      return [base!, ...(tail === undefined ? [] : [base! + tail.slice(0, -1)])].map(
        (name) => `${method} ${name}`,
      );
    });
    const documented = Object.entries(document.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const own = ['GET /', 'GET /api/v1/openapi.json'];
    const headless = documented.filter((name) => !name.startsWith('HEAD ') && !own.includes(name));
    expect(headless.sort()).toEqual(listed.filter((name) => !own.includes(name)).sort());
    expect(document.components.schemas.Stream.properties.usage.properties.bitrate_bps.type).toBe('number');
  });
});

function decision() {
  return {
    reason: 'stream_bitrate' as const,
    scope: 'stream' as const,
    key: '/live/cam1',
    limit: 6_000_000,
    observed: 8_200_000,
    windowMs: 2_000,
    retryAfterMs: 30_000,
    action: 'cut' as const,
    ip: '192.0.2.10',
    protocol: 'rtmp',
    path: '/live/cam1',
    client: 'alice',
    stream: 's-1',
    detail: 'over its bitrate for 10s',
  };
}

describe('the list of streams', () => {
  test.each([
    ['?path=/live/cam2', ['s-2']],
    ['?client=alice', ['s-1']],
    ['?state=throttled', ['s-2']],
    ['?protocol=srt', []],
    ['?client=nobody', []],
    ['?app=live', ['s-1', 's-2']],
    ['?app=other', []],
    ['?name=cam1', ['s-1']],
    ['?tier=pro', ['s-1', 's-2']],
    ['?tier=free', []],
    ['?ip=192.0.2.10', ['s-1', 's-2']],
    ['?ip=192.0.2.1', []],
    ['?client=alice&state=throttled', []],
  ])('filters by %s and tells totals of all', async (query, ids) => {
    const list = (await ask('GET', `/api/v1/streams${query}`)).json();
    expect(list.streams.map((one: { id: string }) => one.id)).toEqual(ids);
    expect(list.totals.streams).toBe(2);
    expect(list.next_cursor).toBeNull();
  });

  test('pages through everything once, also when the last one listed has gone meanwhile', async () => {
    api.fake.all = Array.from({ length: 25 }, (_, n) => streamSnapshot(n + 1));
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let page = 0; cursor !== null && page < 10; page++) {
      const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const list = (await ask('GET', `/api/v1/streams?limit=7${query}`)).json();
      seen.push(...list.streams.map((one: { id: string }) => one.id));
      cursor = list.next_cursor;
      if (page === 1) api.fake.all = api.fake.all.filter(({ id }) => id !== seen.at(-1));
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => `s-${(n + 1).toString(36)}`));
  });

  test('of nobody is empty', async () => {
    api.fake.all = [];
    expect((await ask('GET', '/api/v1/streams')).json().streams).toEqual([]);
  });

  test.each([
    'limit=0',
    'limit=10001',
    'limit=1e3',
    'limit=-1',
    'cursor=x',
    'state=happy',
    'path=',
    'client=a&client=b',
  ])('refuses ?%s and says which parameter', async (query) => {
    const told = expectProblem(await ask('GET', `/api/v1/streams?${query}`), 400, 'bad_request');
    expect(told.errors![0]!.parameter).toBe(query.split('=')[0]);
  });

  test('of 10,000 goes out in batches, with turns of the loop in between', async () => {
    api.fake.all = Array.from({ length: 10_000 }, (_, n) => streamSnapshot(n + 1));
    const turns: number[] = [];
    let turn = 0;
    let running = true;
    const count = (): void => {
      turn++;
      if (running) setImmediate(count);
    };
    count();
    api.fake.onBatch = () => turns.push(turn);
    const list = (await ask('GET', '/api/v1/streams')).json();
    running = false;
    expect(list.streams).toHaveLength(10_000);
    expect(turns).toHaveLength(50);
    // Each batch was built in a turn of its own.
    expect(new Set(turns).size).toBe(50);
  });

  test('stops reading when its reader leaves', async () => {
    api.fake.all = Array.from({ length: 10_000 }, (_, n) => streamSnapshot(n + 1));
    let batches = 0;
    api.fake.onBatch = () => batches++;
    const leaving = new AbortController();
    const response = await fetch(`${api.url}/api/v1/streams`, { signal: leaving.signal });
    await response.body!.getReader().read();
    leaving.abort();
    await expect.poll(() => api.fake.batchesEnded, { timeout: 5_000 }).toBe(1);
    expect(batches).toBeLessThan(50);
  });
});

describe('kick', () => {
  test('passes cooldown and reason on, with who ordered it', async () => {
    const answer = await ask(
      'DELETE',
      `/api/v1/streams/s-1?cooldown=30s&reason=${encodeURIComponent('off\u001b[air')}`,
    );
    expect(answer.status).toBe(200);
    expect(api.fake.kicks).toEqual([
      { id: 's-1', order: { cooldownMs: 30_000, reason: 'off\\u001b[air', by: 'operator@127.0.0.1' } },
    ]);
  });

  test("leaves the cooldown to the stream's own when none is given", async () => {
    await ask('DELETE', '/api/v1/streams/s-1');
    await ask('DELETE', '/api/v1/streams/s-2?cooldown=0s');
    expect(api.fake.kicks.map(({ order }) => order.cooldownMs)).toEqual([null, 0]);
  });

  test.each(['30', '-5s', '25h', '1e9s', 'soon', ''])('refuses a cooldown of %j', async (text) => {
    expectProblem(await ask('DELETE', `/api/v1/streams/s-1?cooldown=${text}`), 400, 'bad_request');
    expect(api.fake.kicks).toEqual([]);
  });

  test('of an unknown stream is a 404', async () => {
    expectProblem(await ask('DELETE', '/api/v1/streams/s-9'), 404, 'not_found');
  });
});

describe('limits', () => {
  const limits = (body: unknown, headers = {}) => ask('PATCH', '/api/v1/streams/s-1/limits', body, headers);

  test('are read in base units', async () => {
    const change = {
      max_bitrate: '4Mbps',
      max_fps: '25fps',
      max_packets_per_sec: '600/min',
      on_exceed: 'drop',
      grace: 'never',
      for: '10m',
    };
    expect((await limits(change)).status).toBe(200);
    expect(api.fake.overrides).toEqual([
      {
        id: 's-1',
        change: {
          max_bitrate: 4e6,
          max_fps: 25,
          max_packets_per_sec: 10,
          on_exceed: 'drop',
          grace: Number.POSITIVE_INFINITY,
        },
        forMs: 600_000,
        by: 'operator@127.0.0.1',
      },
    ]);
  });

  test('null clears an override, unlimited lifts a limit, and what is not named stays', async () => {
    await limits({ max_bitrate: null, max_fps: 'unlimited' });
    expect(api.fake.overrides[0]).toMatchObject({
      change: { max_bitrate: null, max_fps: Number.POSITIVE_INFINITY },
      forMs: null,
    });
    expect(Object.keys(api.fake.overrides[0]!.change)).toEqual(['max_bitrate', 'max_fps']);
  });

  test('a bare number is refused with the units it could have meant', async () => {
    const told = expectProblem(await limits({ max_bitrate: 4 }), 422, 'invalid_value');
    expect(told.errors).toEqual([{ pointer: '/max_bitrate', detail: expect.stringContaining('4Mbps') }]);
  });

  test.each([
    [{}, ''],
    [{ for: '10m' }, ''],
    [{ max_bitrate: '4mbps' }, '/max_bitrate'],
    [{ max_bitrate: '-1Mbps' }, '/max_bitrate'],
    [{ max_bitrate: { $gt: 1 } }, '/max_bitrate'],
    [{ max_bitrate: [] }, '/max_bitrate'],
    [{ max_bitrate: true }, '/max_bitrate'],
    [{ max_bitrate: '9'.repeat(5_000) }, '/max_bitrate'],
    [{ max_bitrate: '0kbps' }, '/max_bitrate'],
    [{ max_fps: '0fps' }, '/max_fps'],
    [{ max_packets_per_sec: '0/s' }, '/max_packets_per_sec'],
    [{ max_fps: '30fps', for: '31d' }, '/for'],
    [{ max_fps: '30fps', for: null }, '/for'],
    [{ on_exceed: 'explode' }, '/on_exceed'],
    [{ max_fps: '30fps', bogus: 1 }, '/bogus'],
    [{ max_fps: '30fps', 'a/b~c': 1 }, '/a~1b~0c'],
    [[], ''],
    ['null', ''],
    ['"x"', ''],
  ])('%j is refused at %j', async (body, pointer) => {
    const told = expectProblem(await limits(body), 422, 'invalid_value');
    expect(told.errors!.map((error) => error.pointer)).toContain(pointer);
    expect(api.fake.overrides).toEqual([]);
  });

  test.each(['{', '', '{"max_fps":"30fps"', '{"__proto__":{"a":1}}', '\u0000', '{"a":1}{"b":2}'])(
    'a body of %j is not JSON that is taken',
    async (body) => {
      expectProblem(await limits(body), 400, 'bad_request');
    },
  );

  test('other media types are refused', async () => {
    expectProblem(
      await limits('max_fps=30fps', { 'content-type': 'text/plain' }),
      415,
      'unsupported_media_type',
    );
    expectProblem(
      await limits('max_fps=30fps', { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
      'unsupported_media_type',
    );
  });

  test('a body over 16 KiB is refused', async () => {
    expectProblem(await limits(`{"max_fps":"${'3'.repeat(17_000)}"}`), 413, 'body_too_large');
  });

  test('of an unknown stream are a 404', async () => {
    expectProblem(await ask('PATCH', '/api/v1/streams/s-9/limits', { max_fps: '30fps' }), 404, 'not_found');
  });
});

describe('resources', () => {
  test('tell the gate and why, each resource with its marks, and what is done about it', async () => {
    api.fake.governed = pressedGovernor();
    const told = (await ask('GET', '/api/v1/resources')).json();
    expect(told.gate).toEqual({
      state: 'closed',
      since: '2026-11-20T21:41:00.000Z',
      reasons: ['resource_cpu'],
      level: 'critical',
      pressure: 1,
      open: false,
      reopens_in_ms: 4_200,
    });
    expect(told.resources.cpu).toMatchObject({ value: 0.93, degrade: 0.8, close: 0.9, state: 'critical' });
    expect(told).toMatchObject({
      figures: { cpu_process: 0.12 },
      reservations: { pending: 3, cpu: 0.12 },
      adaptive: { factor: 0.64, signal: 'cpu' },
      shares: { budget_bps: 1.28e9, squeezed: { global: 4, client: 1, shed: 2 } },
      process: { pid: 1 },
      engine: { slab: { streams: 1 } },
    });
  });
});

describe('backpressure', () => {
  const order = (body: unknown) => ask('PUT', '/api/v1/backpressure', body);

  test('tells who suffers, and an order that goes before the automatic', async () => {
    const governed = pressedGovernor();
    const until = '2026-11-20T21:50:00.000Z';
    const shedding = { ...governed.shedding, order: { mode: 'shed', below_priority: 50, until } } as const;
    api.fake.governed = { ...governed, shedding };
    expect((await ask('GET', '/api/v1/backpressure')).json()).toEqual({
      mode: 'shed',
      below_priority: 50,
      until,
      enabled: true,
      active: true,
      level: 'critical',
      squeezed: { global: 4, client: 1, shed: 2 },
      cohorts: governed.shedding.cohorts,
      backoff_ms: 20_000,
      steps: steps('stop_extras', 'lower_ceilings', 'refuse_low_priority', 'refuse_all', 'shed'),
    });
  });

  test.each([
    [
      { mode: 'shed', below_priority: 50, for: '10m' },
      { mode: 'shed', belowPriority: 50, forMs: 600_000 },
    ],
    [
      { mode: 'shed', below_priority: 100 },
      { mode: 'shed', belowPriority: 100, forMs: null },
    ],
    [
      { mode: 'off', for: '1h' },
      { mode: 'off', belowPriority: null, forMs: 3_600_000 },
    ],
    [{ mode: 'auto' }, { mode: 'auto', belowPriority: null, forMs: null }],
  ])('%j is ordered, with who ordered it, and answered with what holds', async (body, expected) => {
    const answer = await order(body);
    expect(answer.status).toBe(200);
    strict(backpressure, answer.json());
    expect(api.fake.orders).toEqual([{ order: expected, by: 'operator@127.0.0.1' }]);
  });

  test.each([
    [{}, '/mode'],
    [{ mode: 'on' }, '/mode'],
    [{ mode: 'shed' }, '/below_priority'],
    [{ mode: 'shed', below_priority: 0 }, '/below_priority'],
    [{ mode: 'shed', below_priority: 101 }, '/below_priority'],
    [{ mode: 'shed', below_priority: 49.5 }, '/below_priority'],
    [{ mode: 'shed', below_priority: '50' }, '/below_priority'],
    [{ mode: 'shed', below_priority: null }, '/below_priority'],
    [{ mode: 'off', below_priority: 50 }, '/below_priority'],
    [{ mode: 'auto', for: '10m' }, '/for'],
    [{ mode: 'off', for: '10' }, '/for'],
    [{ mode: 'off', for: 600 }, '/for'],
    [{ mode: 'off', for: '0s' }, '/for'],
    [{ mode: 'off', for: '31d' }, '/for'],
    [{ mode: 'off', for: null }, '/for'],
    [{ mode: 'off', bogus: 1 }, '/bogus'],
    [[], ''],
    ['null', ''],
  ])('%j is refused at %j, and nothing is ordered', async (body, pointer) => {
    const told = expectProblem(await order(body), 422, 'invalid_value');
    expect(told.errors!.map((error) => error.pointer)).toContain(pointer);
    expect(api.fake.orders).toEqual([]);
  });
});

describe('clients and addresses', () => {
  test.each(['alice', '2001:db8::/64', '192.0.2.10'])('client %s is found by its encoded id', async (id) => {
    expect((await ask('GET', `/api/v1/clients/${encodeURIComponent(id)}`)).json().id).toBe(id);
  });

  test('a list that is cut tells how many are left out', async () => {
    const list = (await ask('GET', '/api/v1/clients?limit=2')).json();
    expect(list.clients).toHaveLength(2);
    expect(list.omitted).toBe(1);
  });
});

describe('receipts', () => {
  test('are found by key and reason', async () => {
    api.fake.trail.record(decision(), 0);
    const found = async (query: string) =>
      (await ask('GET', `/api/v1/receipts?${query}`)).json().receipts.length;
    expect(await found('key=cam1&reason=stream_bitrate')).toBe(1);
    expect(await found('key=%2Flive%2Fcam1')).toBe(1);
    expect(await found('key=other')).toBe(0);
    expect(await found('reason=kicked')).toBe(0);
    expectProblem(await ask('GET', '/api/v1/receipts?reason=bogus'), 400, 'bad_request');
    expectProblem(await ask('GET', '/api/v1/receipts?limit=1001'), 400, 'bad_request');
    expectProblem(await ask('GET', '/api/v1/receipts/r-none'), 404, 'not_found');
  });
});

describe('probes', () => {
  test('the process lives', async () => {
    expect((await ask('GET', '/healthz')).json()).toEqual({ status: 'ok' });
  });

  test('not ready is a 503 with the reasons', async () => {
    api.fake.ready = { ready: false, reasons: ['draining'], retry_after_ms: null, config_error: null };
    const answer = await ask('GET', '/readyz');
    expectProblem(answer, 503, 'unavailable');
    expect(answer.json()).toMatchObject({
      ready: false,
      reasons: ['draining'],
      detail: expect.stringContaining('draining'),
    });
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
  });

  test('a closed gate tells when it opens, in whole seconds rounded up', async () => {
    const retry = async (ms: number | null) => {
      api.fake.ready = { ready: false, reasons: ['resource_cpu'], retry_after_ms: ms, config_error: null };
      const answer = await ask('GET', '/readyz');
      expectProblem(answer, 503, 'unavailable');
      expect(answer.json()).toMatchObject({ reasons: ['resource_cpu'], retry_after_ms: ms });
      return answer.headers.get('retry-after');
    };
    expect(await retry(4_200)).toBe('5');
    expect(await retry(7_000)).toBe('7');
    expect(await retry(0.5)).toBe('1');
    expect(await retry(null)).toBe('5');
  });

  test('a failed reload is told, and the server is ready: it runs the old config', async () => {
    api.fake.ready = {
      ready: true,
      reasons: [],
      retry_after_ms: 0,
      config_error: 'headgate.yaml:3:1 limits: unknown key',
    };
    const answer = await ask('GET', '/readyz');
    expect(answer.status).toBe(200);
    expect(answer.json().config_error).toContain('headgate.yaml:3:1');
  });

  test('/metrics is text', async () => {
    const answer = await ask('GET', '/metrics');
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.text).toBe('headgate_gate_state 0\n');
  });
});

describe('what is not there', () => {
  test.each([
    '/nope',
    '/api/v2',
    '/api/v2/streams',
    '/api/v1/streams/s-1/limits/x',
    '/../etc/passwd',
    '//',
    '/api/v1/streams/',
  ])('GET %s is a 404', async (path) => {
    expectProblem(await ask('GET', path), 404, 'not_found');
  });

  test.each([
    ['POST', '/api/v1/streams', 'GET, HEAD'],
    ['PUT', '/api/v1/streams/s-1', 'DELETE, GET, HEAD'],
    ['GET', '/api/v1/streams/s-1/limits', 'PATCH'],
    ['HEAD', '/api/v1/events', 'GET'],
    ['OPTIONS', '/api/v1/config', 'GET, HEAD'],
    ['DELETE', '/api/v1/backpressure', 'GET, HEAD, PUT'],
  ])('%s %s is a 405 that tells %s', async (method, path, allow) => {
    const answer = await ask(method, path);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe(allow);
    if (method !== 'HEAD') expectProblem(answer, 405, 'method_not_allowed');
  });

  test.each(['/%', '/%ff', '/api/v1/streams/%', '/api/v1/clients/%zz'])(
    'GET %s cannot be read',
    async (path) => {
      expectProblem(await ask('GET', path), 400, 'bad_request');
    },
  );

  test('a fault of ours is a 500 that tells nothing of its cause, and is logged', async () => {
    api.fake.server.resources = () => {
      throw new Error('secret cause');
    };
    const answer = await ask('GET', '/api/v1/resources');
    expectProblem(answer, 500, 'internal');
    expect(answer.text).not.toContain('secret cause');
    expect(api.faults).toHaveLength(1);
  });
});

test('every answer carries the security headers, problems too', async () => {
  for (const path of ['/', '/api/v1/streams', '/nope', '/%', '/metrics']) {
    const { headers } = await ask('GET', path);
    expect([path, headers.get('x-content-type-options'), headers.get('cache-control')]).toEqual([
      path,
      'nosniff',
      'no-store',
    ]);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('access-control-allow-origin')).toBeNull();
  }
});
