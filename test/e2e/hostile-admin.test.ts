import net from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { cpuOf } from '../support/flood.ts';
import { rawExchange } from '../support/raw-http.ts';

/** Strangers at the operators' HTTP port. */

const MiB = 1024 * 1024;

let arena: Arena;
/** Exchanges that only a timeout of the server ends: begun first and looked at last, so that they cost the test no time. */
let drips: Promise<readonly { text: string; closed: boolean }[]>;

beforeAll(async () => {
  arena = await Arena.open();
  const whole = request('GET /api/v1/streams');
  const beginnings = ['', 'GET /api/v1/str', `${whole.slice(0, -2)}X-Slow: `];
  drips = Promise.all(beginnings.map((text) => rawExchange(arena.server.ports.admin, text, 20_000)));
});
afterEach(() => arena.unharmed());
afterAll(() => arena.close());

const request = (line: string, headers: readonly string[] = [], body = ''): string =>
  [`${line} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, '', body].join('\r\n');
const UPGRADE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  'Sec-WebSocket-Version: 13',
];

const answers: readonly (readonly [what: string, bytes: string, status: RegExp])[] = [
  ['dots upwards', request('GET /../../../etc/passwd', ['Connection: close']), /^HTTP\/1\.1 4\d\d /],
  [
    '%00 in an id',
    request('DELETE /api/v1/streams/s-%00%0d%0a', ['Connection: close']),
    /^HTTP\/1\.1 4\d\d /,
  ],
  ['a broken escape', request('GET /api/v1/streams/%zz', ['Connection: close']), /^HTTP\/1\.1 4\d\d /],
  [
    'the id constructor',
    request('GET /api/v1/clients/constructor', ['Connection: close']),
    /^HTTP\/1\.1 404 /,
  ],
  ['the id __proto__', request('GET /api/v1/streams/__proto__', ['Connection: close']), /^HTTP\/1\.1 404 /],
  [
    'an odd limit',
    request('GET /api/v1/receipts?limit=-1e999&limit=NaN', ['Connection: close']),
    /^HTTP\/1\.1 4\d\d /,
  ],
  [
    'two keys',
    request('GET /api/v1/receipts?key=a&key=b&__proto__[x]=1', ['Connection: close']),
    /^HTTP\/1\.1 4\d\d /,
  ],
  [
    'a huge cursor',
    request(`GET /api/v1/ips?cursor=${'A'.repeat(15_000)}`, ['Connection: close']),
    /^HTTP\/1\.1 400 /,
  ],
  [
    'a cursor of somebody else',
    request(`GET /api/v1/audit?cursor=${Buffer.from('receipts\nr-1').toString('base64url')}`, [
      'Connection: close',
    ]),
    /^HTTP\/1\.1 400 /,
  ],
  [
    'a body of another type',
    request(
      'PUT /api/v1/backpressure',
      ['Connection: close', 'Content-Type: text/xml', 'Content-Length: 4'],
      '<a/>',
    ),
    /^HTTP\/1\.1 415 /,
  ],
  [
    'a poisoned constructor',
    request(
      'PUT /api/v1/backpressure',
      ['Connection: close', 'Content-Type: application/json', 'Content-Length: 50'],
      '{"mode":"off","constructor":{"prototype":{"a":1}}}',
    ),
    /^HTTP\/1\.1 4\d\d /,
  ],
  [
    'a page of another site',
    request('PUT /api/v1/backpressure', [
      'Connection: close',
      'Origin: https://evil.example',
      'Content-Type: application/json',
      'Content-Length: 0',
    ]),
    /^HTTP\/1\.1 403 /,
  ],
  [
    'deep JSON',
    request(
      'PATCH /api/v1/streams/s-1/limits',
      ['Connection: close', 'Content-Type: application/json', 'Content-Length: 16000'],
      '['.repeat(16_000),
    ),
    /^HTTP\/1\.1 4\d\d /,
  ],
  [
    'a poisoned prototype',
    request(
      'PATCH /api/v1/streams/s-1/limits',
      ['Connection: close', 'Content-Type: application/json', 'Content-Length: 35'],
      '{"__proto__":{"max_bitrate":"1bps"}',
    ),
    /^HTTP\/1\.1 4\d\d /,
  ],
  [
    'a body of a gigabyte',
    request(
      'PATCH /api/v1/streams/s-1/limits',
      ['Connection: close', 'Content-Type: application/json', 'Content-Length: 1000000000'],
      '{',
    ),
    /^HTTP\/1\.1 413 /,
  ],
  [
    'headers without end',
    request(
      'GET /healthz',
      Array.from({ length: 500 }, (_, i) => `X-${i}: ${'y'.repeat(100)}`),
    ),
    /^HTTP\/1\.1 431 /,
  ],
  ['no HTTP', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', /^HTTP\/1\.1 400 /],
  ['a WebSocket', request('GET /api/v1/events', UPGRADE), /^(HTTP\/1\.1 |$)/],
];

test.each(answers)('%s is answered with a problem', async (_what, bytes, status) => {
  const { text } = await rawExchange(arena.server.ports.admin, Buffer.from(bytes, 'latin1'), 3_000);
  expect(text).toMatch(status);
  expect(text).not.toMatch(/node_modules|at Object|\.ts:\d/);
  expect((await arena.server.get<{ status?: string }>('/healthz')) !== null).toBe(true);
});

test('followers of events that never read are bounded', async () => {
  const before = arena.server.rss();
  const deaf = Array.from({ length: 20 }, () =>
    net.connect({ host: '127.0.0.1', port: arena.server.ports.admin }).on('error', () => {}),
  );
  for (const socket of deaf) socket.pause().write(request('GET /api/v1/events'));
  const publishers = await Promise.all(Array.from({ length: 20 }, (_, i) => arena.publisher(`event-${i}`)));
  await Promise.all(publishers.map((publisher, i) => publisher.unpublish(`event-${i}`)));
  expect(arena.server.rss() - before).toBeLessThan(60 * MiB);
  for (const socket of deaf) socket.destroy();
});

test('a loop of requests is told to wait, and costs the streams nothing', async () => {
  const statuses = new Set<number>();
  const spent = await cpuOf(arena.server, async () => {
    for (let round = 0; round < 30; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => fetch(arena.server.url('/api/v1/streams'))),
      );
      await Promise.all(answers.map((answer) => answer.text()));
      for (const { status } of answers) statuses.add(status);
    }
  });
  expect([...statuses].sort()).toEqual([200, 429]);
  expect(spent).toBeLessThan(3);
});

test('requests that dribble, or never begin, are ended', async () => {
  for (const { closed } of await drips) expect(closed).toBe(true);
});
