import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import type { FastifyReply } from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import { isLoopback } from '../../src/http/origin.ts';
import { RequestLimit } from '../../src/http/request-limit.ts';
import { TOKEN_BYTES, tokenHash, tokenOf } from '../../src/http/token-hash.ts';
import { type ApiOptions, type RunningApi, startApi } from './http-fixture.ts';

const OPERATOR = 'operator-token-0123456789';
const VIEWER = 'viewer-token-0123456789';
const TOKENS = [
  { token: OPERATOR, role: 'operator' as const },
  { token: VIEWER, role: 'viewer' as const },
];

let api: RunningApi;

async function start(options: ApiOptions = {}): Promise<void> {
  api = await startApi(options);
}

afterEach(() => api.server.close());

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** Unlike fetch it lets a test write any Host, Origin and Sec-Fetch header. */
function ask(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  agent?: Agent,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port: api.port, method, path, headers, ...(agent && { agent }) },
      (incoming) => {
        let body = '';
        incoming.setEncoding('utf8').on('data', (part: string) => {
          body += part;
        });
        incoming.on('end', () => resolve({ status: incoming.statusCode!, headers: incoming.headers, body }));
      },
    );
    outgoing.on('error', reject).end();
  });
}

/** Many requests at once over a few connections, all of which must be answered. */
async function flood(
  count: number,
  headers: (n: number) => Record<string, string> = () => ({}),
): Promise<Answer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 20 });
  const answers = await Promise.all(
    Array.from({ length: count }, (_, n) => ask('GET', '/api/v1/resources', headers(n), agent)),
  );
  agent.destroy();
  return answers;
}

/** Sends bytes as they are and collects what comes back until the connection closes. */
function raw(bytes: string, waitMs = 3_000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(api.port, '127.0.0.1');
    let text = '';
    const done = (): void => {
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(waitMs, done);
    socket.on('data', (part) => {
      text += part.toString();
    });
    socket.on('error', done).on('close', done);
    socket.write(bytes);
  });
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('with tokens', () => {
  test.each([
    '/api/v1/streams',
    '/metrics',
    '/api/v1/config',
    '/api/v1/openapi.json',
    '/api/v1/events',
    '/nope',
  ])('GET %s needs one', async (path) => {
    await start({ tokens: TOKENS });
    const without = await ask('GET', path);
    expect([without.status, without.headers['www-authenticate']]).toEqual([401, 'Bearer realm="headgate"']);
    const wrong = await ask('GET', path, bearer('nonsense'));
    expect(wrong.status).toBe(401);
    expect(wrong.headers['www-authenticate']).toContain('error="invalid_token"');
    expect(wrong.body).not.toContain('nonsense');
  });

  test.each(['/healthz', '/readyz', '/'])('GET %s needs none', async (path) => {
    await start({ tokens: TOKENS });
    expect((await ask('GET', path)).status).toBe(200);
  });

  test('/readyz does not quote the config to strangers', async () => {
    await start({ tokens: TOKENS });
    api.fake.ready = { ready: true, reasons: [], retry_after_ms: 0, config_error: 'line 3: k-alice-1' };
    expect((await ask('GET', '/readyz')).body).not.toContain('k-alice-1');
    expect((await ask('GET', '/readyz', bearer(VIEWER))).body).toContain('k-alice-1');
  });

  test('a viewer reads, an operator also changes', async () => {
    await start({ tokens: TOKENS });
    expect((await ask('GET', '/api/v1/streams', bearer(VIEWER))).status).toBe(200);
    const refused = await ask('DELETE', '/api/v1/streams/s-1', bearer(VIEWER));
    expect([refused.status, JSON.parse(refused.body).code]).toEqual([403, 'forbidden']);
    expect(api.fake.kicks).toEqual([]);
    expect((await ask('DELETE', '/api/v1/streams/s-1', bearer(OPERATOR))).status).toBe(200);
    expect(api.fake.kicks[0]!.order.by).toBe('operator@127.0.0.1');
  });

  test.each([
    `Bearer ${OPERATOR.slice(0, -1)}`,
    `Bearer ${OPERATOR}x`,
    `Bearer ${OPERATOR.toUpperCase()}`,
    `Basic ${OPERATOR}`,
    OPERATOR,
    'Bearer',
    'Bearer ',
    `Bearer a ${OPERATOR}`,
  ])('%j is nobody', async (authorization) => {
    await start({ tokens: TOKENS });
    expect((await ask('GET', '/api/v1/streams', { authorization })).status).toBe(401);
  });

  test('any Host will do, and any Origin that only reads: a page cannot know the token', async () => {
    await start({ tokens: TOKENS });
    const headers = { ...bearer(OPERATOR), host: 'headgate.example', origin: 'https://dashboard.example' };
    expect((await ask('GET', '/api/v1/streams', headers)).status).toBe(200);
  });

  test.each([
    { origin: 'https://evil.example' },
    { origin: 'https://headgate.example.evil.example' },
    { origin: 'https://headgate.example:8443' },
    { origin: 'null' },
    { origin: 'file://' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', origin: 'https://headgate.example' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
  ])(
    'a page of another site changes nothing, whatever its token: %j',
    async (marks: Record<string, string>) => {
      await start({ tokens: TOKENS });
      const headers = { ...bearer(OPERATOR), host: 'headgate.example', ...marks };
      const answer = await ask('DELETE', '/api/v1/streams/s-1', headers);
      expect([answer.status, api.fake.kicks]).toEqual([403, []]);
    },
  );

  test.each([
    {},
    { origin: 'http://headgate.example' },
    { origin: 'https://headgate.example', 'sec-fetch-site': 'same-origin' },
    { origin: 'https://public.example', 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
  ])('the own page changes, also behind a proxy: %j', async (marks: Record<string, string>) => {
    await start({ tokens: TOKENS });
    const headers = { ...bearer(OPERATOR), host: 'headgate.example', ...marks };
    expect((await ask('DELETE', '/api/v1/streams/s-1', headers)).status).toBe(200);
  });
});

describe('with hashes of tokens', () => {
  const drawn = tokenOf(Buffer.alloc(TOKEN_BYTES, 7));
  const other = tokenOf(Buffer.alloc(TOKEN_BYTES, 8));

  test('the token is known by its hash, and the audit trail by its name', async () => {
    await start({ tokens: [{ hash: tokenHash(drawn), role: 'operator', name: 'alice' }] });
    expect((await ask('DELETE', '/api/v1/streams/s-1', bearer(drawn))).status).toBe(200);
    expect(api.fake.kicks[0]!.order.by).toBe('operator alice@127.0.0.1');
    expect((await ask('GET', '/api/v1/streams', bearer(other))).status).toBe(401);
  });

  test('the hash itself is no token', async () => {
    await start({ tokens: [{ hash: tokenHash(drawn), role: 'operator' }] });
    for (const text of [tokenHash(drawn), tokenHash(drawn).slice('sha256:'.length)]) {
      expect((await ask('GET', '/api/v1/streams', bearer(text))).status).toBe(401);
    }
  });

  test('a hash of a word that a person thought of lets nobody in', async () => {
    await start({ tokens: [{ hash: tokenHash('hunter2'), role: 'operator' }] });
    expect((await ask('GET', '/api/v1/streams', bearer('hunter2'))).status).toBe(401);
  });

  test('an entry with neither does not open the API', async () => {
    await start({ tokens: [{ role: 'operator' }] });
    expect((await ask('GET', '/api/v1/streams')).status).toBe(401);
  });
});

describe('without tokens, on loopback', () => {
  test.each([
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '192.0.2.1',
    '[::2]',
    '0.0.0.0',
    'a b',
  ])('a page that rebinds its name is refused: Host %j', async (host) => {
    await start();
    expect((await ask('GET', '/api/v1/streams', { host })).status).toBe(403);
    expect((await ask('DELETE', '/api/v1/streams/s-1', { host })).status).toBe(403);
    expect(api.fake.kicks).toEqual([]);
  });

  test.each([
    'localhost',
    'localhost:8080',
    '127.0.0.1:1',
    '127.8.8.8',
    '[::1]:8080',
    'LOCALHOST',
    'headgate.localhost',
  ])('Host %j is this machine', async (host) => {
    await start();
    expect((await ask('GET', '/api/v1/streams', { host })).status).toBe(200);
  });

  test.each([
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost:9999' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
  ])('a request from another site changes nothing: %j', async (headers: Record<string, string>) => {
    await start();
    const answer = await ask('DELETE', '/api/v1/streams/s-1', { host: 'localhost:8080', ...headers });
    expect([answer.status, api.fake.kicks]).toEqual([403, []]);
  });

  test('the own page, and a link from elsewhere that only reads, are let through', async () => {
    await start();
    const host = 'localhost:8080';
    const own = { host, origin: 'http://localhost:8080', 'sec-fetch-site': 'same-origin' };
    expect((await ask('DELETE', '/api/v1/streams/s-1', own)).status).toBe(200);
    const link = { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect((await ask('GET', '/api/v1/streams', link)).status).toBe(200);
    const script = { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };
    expect((await ask('GET', '/api/v1/streams', script)).status).toBe(403);
  });

  test.each([
    ['127.0.0.1', true],
    ['127.255.0.3', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['128.0.0.1', false],
    ['::', false],
    ['::2', false],
    ['::ffff:10.0.0.1', false],
    ['localhost', false],
    ['', false],
  ])('%j is loopback: %s', async (address, expected) => {
    await start();
    expect(isLoopback(address)).toBe(expected);
  });
});

describe('its own rate limit', () => {
  test('answers 429 with the draft headers past the burst, and lets the promised retry in', async () => {
    await start();
    const first = await ask('GET', '/api/v1/ips');
    expect(first.headers['ratelimit-policy']).toBe('"api";q=100;w=2');
    expect(first.headers['ratelimit']).toMatch(/^"api";r=99;t=1$/);
    const answers = await flood(300);
    const refused = answers.find(({ status }) => status === 429)!;
    expect(refused).toBeDefined();
    expect(refused.headers['ratelimit']).toBe(`"api";r=0;t=${refused.headers['retry-after']}`);
    const problem = JSON.parse(refused.body);
    expect(problem).toMatchObject({ status: 429, code: 'too_many_requests', 'violated-policies': ['api'] });
    const retryAfterS = Number(refused.headers['retry-after']);
    expect(retryAfterS).toBeGreaterThanOrEqual(1);
    await new Promise((resolve) => setTimeout(resolve, retryAfterS * 1_000));
    expect((await ask('GET', '/api/v1/ips')).status).toBe(200);
  });

  test('is as configured, also after a change, and told in the older headers where that is asked for', async () => {
    let allowance = { requests: { count: 2, periodMs: 60_000 }, burst: 2, xHeaders: true };
    await start({ rateLimit: () => allowance });
    const first = await ask('GET', '/api/v1/ips');
    expect(first.headers).toMatchObject({
      'ratelimit-policy': '"api";q=2;w=60',
      ratelimit: '"api";r=1;t=30',
      'x-ratelimit-limit': '2',
      'x-ratelimit-remaining': '1',
      'x-ratelimit-reset': '30',
    });
    await ask('GET', '/api/v1/ips');
    const refused = await ask('GET', '/api/v1/ips');
    expect(refused.status).toBe(429);
    // The draft: Retry-After is not earlier than the end of the window that RateLimit tells.
    const { 'retry-after': retryAfter, ratelimit } = refused.headers;
    expect(['29', '30']).toContain(retryAfter);
    expect(ratelimit).toBe(`"api";r=0;t=${retryAfter}`);
    allowance = { requests: { count: 50, periodMs: 1_000 }, burst: 100, xHeaders: false };
    const after = await ask('GET', '/api/v1/ips');
    expect([after.status, after.headers['x-ratelimit-limit']]).toEqual([200, undefined]);
    allowance = { requests: { count: Number.POSITIVE_INFINITY, periodMs: 1_000 }, burst: 1, xHeaders: true };
    expect((await ask('GET', '/api/v1/ips')).headers['ratelimit']).toBeUndefined();
    expect((await flood(50)).every(({ status }) => status === 200)).toBe(true);
  });

  test('is held on a token wherever it comes from, and a full table of addresses leaves it alone', () => {
    const limit = new RequestLimit(() => ({
      requests: { count: 1, periodMs: 60_000 },
      burst: 1,
      xHeaders: false,
    }));
    const reply = { header: () => undefined } as unknown as FastifyReply;
    const charge = (kind: 'token' | 'address', key: string) => () => limit.charge({ kind, key }, reply, 0);
    for (let n = 0; n < 5_000; n++) {
      try {
        charge('address', `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`)();
      } catch {}
    }
    expect(charge('address', '192.0.2.1')).toThrow('one caller');
    expect(charge('token', 'a')).not.toThrow();
    expect(charge('token', 'a')).toThrow('one caller');
    expect(charge('token', 'b')).not.toThrow();
  });

  test('probes of a load balancer are always answered', async () => {
    await start();
    await flood(300);
    for (const path of ['/healthz', '/readyz']) expect((await ask('GET', path)).status).toBe(200);
  });

  test('holds a guesser of tokens apart from who has one', async () => {
    await start({ tokens: TOKENS });
    const answers = await flood(300, (n) => bearer(`guess-${n}`));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]));
    expect((await ask('GET', '/api/v1/streams', bearer(VIEWER))).status).toBe(200);
  });
});

describe('refused changes', () => {
  const written = () =>
    api.fake.trail.recent(1_000).flatMap((event) => (event.kind === 'audit' ? [event.action] : []));

  test('are written down: who tried what, from where', async () => {
    await start({ tokens: [...TOKENS, { token: 'bobs-token-0123456789', role: 'viewer', name: 'bob' }] });
    await ask('DELETE', '/api/v1/streams/s-1?reason=secret', bearer('bobs-token-0123456789'));
    await ask('PUT', '/api/v1/backpressure', bearer('wrong-token-0123456789'));
    await ask('PATCH', '/api/v1/streams/s-1/limits', { ...bearer(OPERATOR), origin: 'https://evil.example' });
    await ask('GET', '/api/v1/streams', bearer('wrong-token-0123456789'));
    expect(written()).toMatchObject([
      {
        action: 'refused',
        by: 'operator@127.0.0.1',
        target: '/api/v1/streams/s-1/limits',
        detail: expect.stringMatching(/^PATCH was answered 403 forbidden: .*another web site/),
      },
      {
        action: 'refused',
        by: 'anonymous@127.0.0.1',
        target: '/api/v1/backpressure',
        detail: expect.stringMatching(/^PUT was answered 401 unauthorized/),
      },
      {
        action: 'refused',
        by: 'viewer bob@127.0.0.1',
        target: '/api/v1/streams/s-1',
        result: 'failed',
        detail: expect.stringMatching(/^DELETE was answered 403 forbidden: a viewer token may only read/),
      },
    ]);
    expect(JSON.stringify(written())).not.toMatch(/secret|0123456789/);
  });

  test('of one caller fill the trail with a few entries a minute; what is left out is counted', async () => {
    await start({ tokens: TOKENS });
    for (let n = 0; n < 40; n++) await ask('DELETE', `/api/v1/streams/s-${n}`, bearer('nonsense'));
    expect(written()).toHaveLength(6);
    await ask('DELETE', '/api/v1/streams/s-1', bearer(VIEWER));
    expect(written()[0]!.detail).toContain('34 more refused changes before it are not written down');
  });

  test('cannot wash away what operators did', async () => {
    await start();
    api.fake.trail.act({ action: 'kick', by: 'x', target: 's-1', result: 'ok', detail: 'the one' });
    for (let n = 0; n < 3_000; n++) {
      api.fake.trail.act({ action: 'refused', by: 'y', target: null, result: 'failed', detail: '' });
    }
    expect(written().map(({ detail }) => detail)).toContain('the one');
    expect(written()).toHaveLength(501);
  });
});

describe('bytes that are no HTTP', () => {
  test.each([
    ['garbage', 'hello\r\n\r\n', 400],
    ['a TLS hello', '\u0016\u0003\u0001\u0002\u0000\u0001', 400],
    ['an RTMP handshake', '\u0003'.repeat(1_537), 400],
    ['huge headers', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'two lengths',
      'PATCH / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
      400,
    ],
    [
      'length and chunked',
      'PATCH / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
  ])('%s', async (_name, bytes, status) => {
    await start();
    const answer = await raw(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toContain('application/problem+json');
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)).status).toBe(status);
    expect((await ask('GET', '/healthz')).status).toBe(200);
  });

  test('no Host at all is refused by HTTP itself', async () => {
    await start();
    expect(await raw('GET /api/v1/streams HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 /,
    );
  });

  test('an empty Host is no name of this machine', async () => {
    await start();
    const answer = await raw('GET /api/v1/streams HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
  });

  test('a client that never finishes its headers is closed', async () => {
    await start();
    const started = performance.now();
    const answer = await raw('GET / HTTP/1.1\r\nHost: localhost\r\n', 12_000);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(performance.now() - started).toBeLessThan(10_000);
  }, 20_000);

  test('one address holds only so many connections', async () => {
    await start();
    const sockets = Array.from({ length: 100 }, () =>
      connect(api.port, '127.0.0.1').on('error', () => undefined),
    );
    const closed = (): number => sockets.filter((socket) => socket.closed || socket.readableEnded).length;
    for (const socket of sockets) socket.resume();
    await expect.poll(closed, { timeout: 4_000 }).toBeGreaterThanOrEqual(36);
    for (const socket of sockets) socket.destroy();
    await expect
      .poll(
        () =>
          ask('GET', '/healthz').then(
            ({ status }) => status,
            () => 0,
          ),
        { timeout: 4_000 },
      )
      .toBe(200);
  });
});
