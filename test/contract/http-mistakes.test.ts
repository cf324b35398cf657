import { Agent, request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { openApiText } from '../../src/http/openapi-text.ts';
import { problem } from '../../src/http/schemas/common.ts';
import { VERSION } from '../../src/version.ts';
import { type ApiOptions, type RunningApi, startApi, streamSnapshot } from './http-fixture.ts';

/**
 * What each mistake is answered with, at every operation of the API. Every
 * problem that the OpenAPI document promises is brought about here, and what
 * is brought about must be promised.
 */

const document = JSON.parse(await openApiText(VERSION)) as {
  paths: Record<string, Record<string, { parameters?: { in: string }[]; responses: Record<string, object> }>>;
};

/** `PATCH /api/v1/streams/{id}/limits`, but for the page and its probes, which refuse nobody. */
const OPERATIONS = Object.entries(document.paths)
  .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
  .filter((operation) => !['GET /', 'GET /healthz', 'GET /readyz'].includes(operation));

const VIEWER = 'viewer-token-0123456789';
const TOKENS = [{ token: VIEWER, role: 'viewer' as const }];
const JSON_BODY = { 'content-type': 'application/json' };
const LIMITS = 'PATCH /api/v1/streams/{id}/limits';
const ORDER = 'PUT /api/v1/backpressure';
const KICK = 'DELETE /api/v1/streams/{id}';

/** What makes an operation right, so that the mistake under test is the only one. */
const BODIES: Readonly<Record<string, string>> = {
  [LIMITS]: '{"max_fps":"30fps"}',
  [ORDER]: '{"mode":"auto"}',
};

let api: RunningApi;
afterEach(() => api.server.close());

async function start(options: ApiOptions = {}): Promise<void> {
  api = await startApi(options);
}

interface Asked {
  readonly id?: string;
  readonly query?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const agent = new Agent({ keepAlive: false });

/** Unlike fetch it sends any Host. */
function ask(operation: string, asked: Asked = {}): Promise<{ status: number; text: string; type: string }> {
  const [method, pattern] = operation.split(' ') as [string, string];
  const path =
    pattern.replace('{id}', asked.id ?? 's-1') + (asked.query === undefined ? '' : `?${asked.query}`);
  const body = asked.body ?? BODIES[operation];
  const headers = {
    ...(body === undefined ? {} : { ...JSON_BODY, 'content-length': String(Buffer.byteLength(body)) }),
    ...asked.headers,
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port: api.port, method, path, headers, agent },
      (incoming) => {
        let text = '';
        const done = () =>
          resolve({ status: incoming.statusCode!, text, type: String(incoming.headers['content-type']) });
        incoming.setEncoding('utf8').on('data', (part: string) => {
          text += part;
          // Events never end by themselves.
          if (pattern.endsWith('/events') && incoming.statusCode === 200) {
            done();
            incoming.destroy();
          }
        });
        incoming.on('end', done);
      },
    );
    outgoing.on('error', reject).end(body);
  });
}

/** Every mistake met, to be held against the document at the end. */
const met = new Set<string>();

async function expectMistake(operation: string, status: number, asked: Asked = {}): Promise<void> {
  const answer = await ask(operation, asked);
  expect([operation, answer.status]).toEqual([operation, status]);
  expect(answer.type).toMatch(/^application\/problem\+json/);
  expect(problem.parse(JSON.parse(answer.text)).status).toBe(status);
  met.add(`${operation} ${status}`);
}

test('a caller without a token is told to send one', async () => {
  await start({ tokens: TOKENS });
  for (const operation of OPERATIONS) await expectMistake(operation, 401);
});

test('a viewer may not change, and a page of another site may not even look', async () => {
  await start({ tokens: TOKENS });
  for (const operation of OPERATIONS.filter((one) => !one.startsWith('GET '))) {
    await expectMistake(operation, 403, { headers: { authorization: `Bearer ${VIEWER}` } });
  }
  await api.server.close();
  await start();
  for (const operation of OPERATIONS)
    await expectMistake(operation, 403, { headers: { host: 'evil.example' } });
  expect([api.fake.kicks, api.fake.overrides, api.fake.orders]).toEqual([[], [], []]);
});

test('who asks too often is told to wait', async () => {
  await start({ rateLimit: () => ({ requests: { count: 1, periodMs: 60_000 }, burst: 1, xHeaders: false }) });
  await ask('GET /api/v1/config');
  for (const operation of OPERATIONS) await expectMistake(operation, 429);
  expect([api.fake.kicks, api.fake.overrides, api.fake.orders]).toEqual([[], [], []]);
});

test('an id that is no URL is not read', async () => {
  await start();
  for (const operation of OPERATIONS.filter((one) => one.includes('{id}'))) {
    await expectMistake(operation, 400, { id: '%zz' });
  }
});

test('what has gone, or never was, is not found', async () => {
  await start();
  for (const operation of OPERATIONS.filter((one) => one.includes('{id}'))) {
    for (const id of ['s-9', '__proto__', 'constructor', '%00', 'x'.repeat(500)]) {
      await expectMistake(operation, 404, { id });
    }
  }
});

describe('each mistake by itself', () => {
  test.each<[operation: string, status: number, asked: Asked]>([
    ['GET /api/v1/streams', 400, { query: 'limit=0' }],
    ['GET /api/v1/streams', 400, { query: 'state=happy' }],
    ['GET /api/v1/streams', 400, { query: 'app=a&app=b' }],
    ['GET /api/v1/streams', 400, { query: 'cursor=x' }],
    ['GET /api/v1/clients', 400, { query: 'live=yes' }],
    ['GET /api/v1/clients', 400, { query: 'cursor=x' }],
    ['GET /api/v1/ips', 400, { query: 'limit=1e3' }],
    ['GET /api/v1/ips', 400, { query: 'cursor=x' }],
    ['GET /api/v1/receipts', 400, { query: 'reason=bogus' }],
    ['GET /api/v1/receipts', 400, { query: 'action=kick' }],
    ['GET /api/v1/receipts', 400, { query: 'cursor=x' }],
    ['GET /api/v1/audit', 400, { query: 'kind=all' }],
    ['GET /api/v1/audit', 400, { query: 'cursor=x' }],
    ['GET /api/v1/events', 400, { query: 'interval=1' }],
    [KICK, 400, { query: 'cooldown=30' }],
    [KICK, 400, { query: `reason=${'x'.repeat(201)}` }],
    [LIMITS, 400, { body: '{' }],
    [LIMITS, 400, { body: '{"__proto__":{"max_fps":"1fps"}}' }],
    [LIMITS, 400, { body: '{"constructor":{"prototype":{"x":1}}}' }],
    [ORDER, 400, { body: '{"mode":' }],
    [LIMITS, 413, { body: ' '.repeat(17_000) }],
    [ORDER, 413, { body: ' '.repeat(17_000) }],
    [LIMITS, 415, { headers: { 'content-type': 'text/plain' } }],
    [ORDER, 415, { headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    [LIMITS, 422, { body: '{"max_bitrate":4}' }],
    [LIMITS, 422, { body: '{"max_fps":"30fps","for":"0s"}' }],
    [LIMITS, 422, { body: '{"max_fps":null,"for":"10m"}' }],
    [LIMITS, 422, { body: '{"on_exceed":"disconnect","grace":"never"}' }],
    [ORDER, 422, { body: '{"mode":"shed"}' }],
    [ORDER, 422, { body: '{"mode":"auto","for":"10m"}' }],
  ])('%s: %i %j', async (operation, status, asked) => {
    await start();
    await expectMistake(operation, status, asked);
    expect([api.fake.kicks, api.fake.overrides, api.fake.orders]).toEqual([[], [], []]);
  });

  test('a stream that is told to go already is neither told again nor changed', async () => {
    await start();
    api.fake.all = [streamSnapshot(1, { state: 'closing' })];
    await expectMistake(KICK, 409);
    await expectMistake(LIMITS, 409);
    expect([api.fake.kicks, api.fake.overrides]).toEqual([[], []]);
  });

  test('a limit that contradicts what the stream keeps is refused, and one that resolves it is not', async () => {
    await start();
    const [first] = api.fake.all;
    api.fake.all = [{ ...first!, limits: { ...first!.limits, on_exceed: 'throttle', grace_ms: null } }];
    await expectMistake(LIMITS, 422, { body: '{"on_exceed":"disconnect"}' });
    expect((await ask(LIMITS, { body: '{"on_exceed":"disconnect","grace":"10s"}' })).status).toBe(200);
    api.fake.all = [{ ...first!, limits: { ...first!.limits, on_exceed: 'disconnect', grace_ms: 10_000 } }];
    await expectMistake(LIMITS, 422, { body: '{"grace":"never"}' });
    expect((await ask(LIMITS, { body: '{"grace":"never","on_exceed":"drop"}' })).status).toBe(200);
  });

  test('more followers of events than there are places are told to come again', async () => {
    await start();
    const leave = Array.from({ length: 64 }, () => api.fake.trail.subscribe(() => undefined));
    await expectMistake('GET /api/v1/events', 503);
    for (const go of leave) go?.();
  });
});

test('the document promises exactly these', () => {
  const promised = OPERATIONS.flatMap((operation) => {
    const [method, path] = operation.split(' ') as [string, string];
    const { responses } = document.paths[path]![method.toLowerCase()]!;
    return Object.keys(responses)
      .filter((status) => status !== '200')
      .map((status) => `${operation} ${status}`);
  });
  expect([...met].sort()).toEqual(promised.sort());
});
