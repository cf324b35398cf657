import net from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { rawExchange } from '../support/raw-http.ts';
import { until } from '../support/server.ts';

/** Strangers at the players' HTTP port. */

const MiB = 1024 * 1024;

let arena: Arena;

/** Exchanges that only a timeout of the server ends: begun first and looked at last, so that they cost the test no time. */
let drips: Promise<readonly { text: string; closed: boolean }[]>;
let refusedBodies: typeof drips;

beforeAll(async () => {
  arena = await Arena.open();
  const { playback } = arena.server.ports;
  const whole = request('GET /live/bystander.flv');
  const beginnings = ['', 'GET /live/byst', `${whole.slice(0, -2)}X-Slow: `];
  drips = Promise.all(beginnings.map((text) => rawExchange(playback, text, 20_000)));
  const waits = [[], ['Expect: 100-continue']];
  refusedBodies = Promise.all(
    waits.map((more) =>
      rawExchange(playback, request('POST /live/x.flv', [...more, 'Content-Length: 1000'], 'x'), 20_000),
    ),
  );
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
const FLV_PUSH = `FLV\x01\x05\0\0\0\x09\0\0\0\0\x09\0\0\x05\0\0\0\x8a\0\0\0\x17\x01\0\0\0\0\0\0\x10`;

describe('the playback port', () => {
  const answers: readonly (readonly [what: string, bytes: string, status: RegExp])[] = [
    ['the root', request('GET /', ['Connection: close']), /^HTTP\/1\.1 404 /],
    ['a dot in the path', request('GET /live/by.stander.flv'), /^HTTP\/1\.1 404 /],
    ['dots upwards', request('GET /live/../live/bystander.flv'), /^HTTP\/1\.1 404 /],
    ['a path of dots', request('GET /../../etc/passwd'), /^HTTP\/1\.1 404 /],
    ['a space in the path', 'GET /live/by stander.flv HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['an escaped space', request('GET /live/by%20stander.flv'), /^HTTP\/1\.1 404 /],
    ['%00', request('GET /live/bystander%00.flv'), /^HTTP\/1\.1 404 /],
    ['a broken escape', request('GET /live/%zz%.flv'), /^HTTP\/1\.1 404 /],
    ['an absolute URI', request('GET http://evil.example/live/bystander.flv'), /^HTTP\/1\.1 404 /],
    ['no path at all', request('OPTIONS *'), /^HTTP\/1\.1 204 /],
    ['a proxy request', request('CONNECT 127.0.0.1:22'), /^(HTTP\/1\.1 (400|404|405) |$)/],
    ['the name constructor', request('GET /live/constructor.flv'), /^HTTP\/1\.1 404 /],
    ['the name __proto__', request('GET /__proto__/toString.flv'), /^HTTP\/1\.1 404 /],
    ['a query twice over', request('GET /live/nobody.flv?sign=a&sign=b&sign[]=c'), /^HTTP\/1\.1 404 /],
    ['7,000 letters', request(`GET /live/${'x'.repeat(7_000)}.flv`), /^HTTP\/1\.1 404 /],
    ['9,000 letters', request(`GET /live/${'x'.repeat(9_000)}.flv`), /^HTTP\/1\.1 4\d\d /],
    [
      'headers without end',
      request(
        'GET /live/bystander.flv',
        Array.from({ length: 500 }, (_, i) => `X-${i}: ${'y'.repeat(100)}`),
      ),
      /^HTTP\/1\.1 4\d\d /,
    ],
    [
      'a POST that publishes',
      request('POST /live/pushed.flv', [`Content-Length: ${FLV_PUSH.length}`], FLV_PUSH),
      /^HTTP\/1\.1 405 /,
    ],
    [
      'a chunked POST',
      request('POST /live/pushed.flv', ['Transfer-Encoding: chunked'], '5\r\nFLV\x01\x05\r\n0\r\n\r\n'),
      /^HTTP\/1\.1 405 /,
    ],
    [
      'a PUT over a live stream',
      request('PUT /live/bystander.flv', [`Content-Length: ${FLV_PUSH.length}`], FLV_PUSH),
      /^HTTP\/1\.1 405 /,
    ],
    [
      'two lengths',
      request('POST /live/x.flv', ['Content-Length: 4', 'Content-Length: 40'], FLV_PUSH),
      /^HTTP\/1\.1 400 /,
    ],
    [
      'length and chunks',
      request('POST /live/x.flv', ['Content-Length: 4', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
      /^HTTP\/1\.1 4\d\d /,
    ],
    ['a WebSocket to the root', request('GET /', UPGRADE), /^HTTP\/1\.1 404 /],
    ['a WebSocket to nobody', request('GET /live/nobody', UPGRADE), /^HTTP\/1\.1 404 /],
    [
      'a WebSocket that publishes',
      request('GET /live/bystander', [...UPGRADE, 'Sec-WebSocket-Protocol: publisher']),
      /^HTTP\/1\.1 405 /,
    ],
    ['a WebSocket without key', request('GET /live/bystander', UPGRADE.slice(0, 2)), /^HTTP\/1\.1 400 /],
    [
      'an upgrade to HTTP/2',
      request('GET /live/bystander.flv', ['Upgrade: h2c', 'Connection: Upgrade']),
      /^HTTP\/1\.1 400 /,
    ],
    ['no HTTP', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', /^(HTTP\/1\.1 400 |$)/],
    ['RTMP', `\x03${'\0'.repeat(1_536)}`, /^(HTTP\/1\.1 400 |$)/],
    ['a header with a NUL', 'GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a smuggled line', 'GET / HTTP/1.1\r\nHost: x\r\nX: y\rz\r\n\r\n', /^HTTP\/1\.1 400 /],
  ];

  test.each(answers)('%s is answered and the connection closed', async (_what, bytes, status) => {
    const { text, closed } = await rawExchange(arena.server.ports.playback, Buffer.from(bytes, 'latin1'));
    expect(text).toMatch(status);
    expect(closed).toBe(true);
    expect((await arena.server.streams()).map(({ name }) => name)).toEqual(['bystander']);
  });

  test('frames of a WebSocket player that speaks, lies or floods end it', async () => {
    const mask = Buffer.alloc(4);
    const frames: Buffer[] = [
      Buffer.concat([Buffer.from([0x82, 0x80 | FLV_PUSH.length]), mask, Buffer.from(FLV_PUSH, 'latin1')]),
      Buffer.concat([Buffer.from([0x82, 0x80 | 127]), Buffer.alloc(8, 0xff), mask]),
      Buffer.concat([Buffer.from([0x82, 0x80 | 126, 0xff, 0xff]), mask, Buffer.alloc(65_535)]),
      Buffer.from([0x82, 5, 1, 2, 3, 4, 5]),
      Buffer.from([0xf7, 0x80, 0, 0, 0, 0]),
      Buffer.concat([Buffer.from([0x81, 0x82]), mask, Buffer.from([0xc3, 0x28])]),
    ];
    const upgrade = Buffer.from(request('GET /live/bystander', UPGRADE));
    const exchanges = frames.map((frame) =>
      rawExchange(arena.server.ports.playback, Buffer.concat([upgrade, frame])),
    );
    for (const { text, closed } of await Promise.all(exchanges)) {
      expect(text).toMatch(/^HTTP\/1\.1 101 /);
      expect(closed).toBe(true);
    }
  });

  test('a WebSocket player that pings without reading costs no memory', async () => {
    const before = arena.server.rss();
    const socket = net
      .connect({ host: '127.0.0.1', port: arena.server.ports.playback })
      .on('error', () => {});
    socket.write(request('GET /live/bystander', UPGRADE));
    socket.pause();
    const pings = Buffer.alloc(
      131 * 1_000,
      Buffer.concat([Buffer.from([0x89, 0x80 | 125]), Buffer.alloc(129)]),
    );
    const end = performance.now() + 1_500;
    while (performance.now() < end) {
      socket.write(pings);
      await until(() => socket.writableLength < MiB || performance.now() > end, 'room');
    }
    expect(arena.server.rss() - before).toBeLessThan(60 * MiB);
    socket.destroy();
  });
});

test('requests that dribble, or never begin, are ended', async () => {
  for (const { closed } of await drips) expect(closed).toBe(true);
  // Refused at once, and held only so that who sends a body lives to read why.
  for (const { closed, text } of await refusedBodies)
    expect([closed, text.slice(0, 13)]).toEqual([true, 'HTTP/1.1 405 ']);
});
