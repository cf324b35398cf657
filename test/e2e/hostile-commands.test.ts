import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import type { RtmpClient } from '../support/rtmp-client.ts';
import { type Amf, amf, be, Ecma } from '../support/rtmp-wire.ts';
import { until } from '../support/server.ts';

/** Strangers whose chunks are right and whose commands are not: odd AMF, odd values, odd order. */

let arena: Arena;

beforeAll(async () => {
  arena = await Arena.open();
});
afterEach(() => arena.unharmed());
afterAll(() => arena.close());

const sendCommand = (client: RtmpClient, payload: Buffer, type = 20, streamId = 0): boolean =>
  client.send({ type, csid: 3, streamId, payload });

const connectWith = (...object: (Amf | Ecma)[]): Buffer => amf('connect', 1, ...object);
/** `count` levels of objects in objects: three bytes each, a key of no letters and the marker of the next. */
const nested = (count: number): Buffer =>
  Buffer.concat([Buffer.from([3]), ...Array<Buffer>(count).fill(Buffer.from([0, 1, 97, 3]))]);
const deepAmf3 = Buffer.concat([Buffer.from([0x11]), ...Array<Buffer>(5_000).fill(Buffer.from([9, 3, 1]))]);

const MALFORMED: readonly (readonly [what: string, payload: Buffer, detail: RegExp])[] = [
  ['a connect without command object', amf('connect', 1), /names no app/],
  ['a connect with null for its command object', connectWith(null), /names no app/],
  ['a connect with a number for its command object', connectWith(7), /names no app/],
  ['a connect with a string for its command object', connectWith('live'), /names no app/],
  ['a connect with an array for its command object', connectWith(['live']), /names no app/],
  ['a connect without app', connectWith({ tcUrl: 'rtmp://127.0.0.1/live' }), /names no app/],
  ['an app that is a number', connectWith({ app: 7 }), /names no app/],
  ['an app that is an object', connectWith({ app: { app: 'live' } }), /names no app/],
  ['a command object that ends in the middle', connectWith({ app: 'live' }).subarray(0, -6), /truncated/],
  ['a string longer than the message', Buffer.from([2, 0xff, 0xff, 97]), /truncated/],
  ['a long string of 4 GB', Buffer.concat([Buffer.from([12]), be(0xffffffff, 4)]), /truncated/],
  ['an AMF marker nobody knows', connectWith(Buffer.from([0x42])), /unsupported_marker/],
  ['a movie clip', connectWith(Buffer.from([0x04])), /unsupported_marker/],
  [
    'a strict array that claims 2^32 - 1 values',
    connectWith(Buffer.concat([Buffer.from([10]), be(0xffffffff, 4)])),
    /truncated/,
  ],
  [
    'an ECMA array that never ends',
    connectWith(Buffer.concat([Buffer.from([8]), be(2, 4), Buffer.from([0, 9, 97])])),
    /truncated/,
  ],
  ['objects 15,000 levels deep', connectWith(nested(15_000)), /too_deep/],
  [
    'strict arrays 9,000 levels deep',
    connectWith(Buffer.alloc(45_000, Buffer.from([10, 0, 0, 0, 1]))),
    /too_deep/,
  ],
  ['AMF 3 arrays 5,000 levels deep', connectWith(deepAmf3), /too_deep|bad_reference|unsupported/],
  ['60,000 values', connectWith(Buffer.alloc(60_000, 5)), /too_many_values/],
  ['a reference to nothing', connectWith(Buffer.from([7, 0xff, 0xff])), /bad_reference/],
  [
    'an object that refers to itself',
    connectWith(Buffer.from([3, 0, 1, 97, 7, 0, 0, 0, 0, 9])),
    /bad_reference/,
  ],
  [
    'an AMF 3 externalizable object',
    connectWith(Buffer.from([0x11, 0x0a, 0x07, 0x01])),
    /unsupported_marker/,
  ],
  ['a command without a name', amf(null, 1, { app: 'live' }), /no_name/],
  ['a command whose name is a number', amf(20, 1, { app: 'live' }), /no_name/],
  ['a publish before connect', amf('publish', 1, null, 'early', 'live'), /publish before connect/],
  ['a play before connect', amf('play', 1, null, 'bystander'), /play before connect/],
  ['a createStream before connect', amf('createStream', 1, null), /createStream before connect/],
];

test.each(MALFORMED)('%s is refused', async (_what, payload, detail) => {
  const attacker = await arena.attacker();
  sendCommand(attacker, payload);
  await arena.cutFor(attacker, 'protocol_error', detail);
});

test.each([
  'constructor',
  '__proto__',
  'toString',
  'hasOwnProperty',
  'closed',
  'publishStreamId',
  'x'.repeat(60_000),
])('a command called %.20s is a command that nobody knows', async (name) => {
  const attacker = await arena.attacker();
  sendCommand(attacker, amf(name, 1, { app: 'live' }));
  sendCommand(attacker, Buffer.concat([Buffer.from([0]), amf(name, 1, { app: 'live' })]), 17);
  expect((await attacker.connect('live')).name).toBe('_result');
});

test.each<[string, Record<string, Amf>]>([
  ['no tcUrl but one that is a number', { tcUrl: 1935 }],
  ['a tcUrl that is no URL', { tcUrl: '//[::%00' }],
  ['a tcUrl of null', { tcUrl: null }],
  ['an objectEncoding of 60,000 letters', { objectEncoding: 'x'.repeat(60_000) }],
  [
    'members called __proto__ and constructor',
    { ['__proto__']: { app: 'x' }, constructor: 'x', toString: 1 },
  ],
])('a connect with %s is answered in a few bytes', async (_what, properties) => {
  const attacker = await arena.attacker();
  const answer = await attacker.connect('live', properties);
  expect(answer.name).toBe('_result');
  expect(attacker.bytesIn).toBeLessThan(4_000);
});

test('a transaction id is echoed as a number or not at all', async () => {
  for (const id of ['x'.repeat(60_000), { deep: [1, 2, 3] }, Number.NaN, null]) {
    const attacker = await arena.attacker();
    sendCommand(attacker, amf('connect', id as Amf, { app: 'live' }));
    expect((await attacker.reply(0)).name).toBe('_result');
    expect(attacker.bytesIn).toBeLessThan(4_000);
  }
});

test.each<[string, Amf[]]>([
  ['no name', [null]],
  ['null', [null, null, 'live']],
  ['a number', [null, 7, 'live']],
  ['an object', [null, { name: 'x' }, 'live']],
  ['an empty name', [null, '', 'live']],
])('a publish with %s for its name is refused', async (_what, args) => {
  const attacker = await arena.attacker();
  await attacker.connect('live');
  attacker.command('publish', args, await attacker.createStream());
  await arena.cutFor(attacker, 'protocol_error', /publish names no stream/);
});

test.each<[string, (client: RtmpClient) => void, RegExp]>([
  ['connect twice', (client) => client.command('connect', [{ app: 'live' }]), /connect was sent twice/],
  [
    'publish on stream 0',
    (client) => client.command('publish', [null, 'x', 'live'], 0),
    /publish before createStream/,
  ],
  [
    'publish on a stream never made',
    (client) => client.command('publish', [null, 'x', 'live'], 2),
    /before createStream/,
  ],
  [
    'publish on stream 2^32 - 1',
    (client) => client.command('publish', [null, 'x', 'live'], 0xffffffff),
    /before createStream/,
  ],
  [
    'nine streams',
    (client) => Array.from({ length: 9 }, () => client.command('createStream', [null])),
    /too many createStream/,
  ],
])('%s ends the connection', async (_what, act, detail) => {
  const attacker = await arena.attacker();
  await attacker.connect('live');
  await attacker.createStream();
  act(attacker);
  await arena.cutFor(attacker, 'protocol_error', detail);
});

test.each<[string, string, Amf[]]>([
  ['publishes again', 'publish', [null, 'second', 'live']],
  ['plays', 'play', [null, 'bystander']],
])('a publisher that %s is cut, and its name is free at once', async (_what, verb, args) => {
  const attacker = await arena.publisher('first');
  attacker.command(verb, args, 1);
  await arena.cutFor(attacker, 'protocol_error', /a second publish or play/);
  const next = await arena.publisher('first');
  await next.unpublish('first');
});

test('a player that publishes is cut', async () => {
  const attacker = await arena.attacker();
  expect((await attacker.play('live', 'bystander')).code).toBe('NetStream.Play.Start');
  attacker.command('publish', [null, 'from-a-player', 'live'], 1);
  await attacker.closes();
  await arena.receipt(attacker, 'protocol_error', /a second publish or play/);
  expect(attacker.violation).toBeNull();
});

test('media after deleteStream is not punished and counts for nothing', async () => {
  const attacker = await arena.publisher('leaver');
  attacker.send({ type: 9, csid: 6, streamId: 1, payload: Buffer.alloc(100, 0x17) });
  attacker.command('deleteStream', [null, 1]);
  attacker.send({ type: 9, csid: 6, streamId: 1, payload: Buffer.alloc(100, 0x17) });
  await attacker.status(({ code }) => code === 'NetStream.Unpublish.Success');
  attacker.command('releaseStream', [null, 'leaver']);
  await attacker.createStream();
  expect(attacker.closed).toBe(false);
  const again = await arena.publisher('leaver');
  attacker.command('publish', [null, 'leaver', 'live'], 1);
  await arena.cutFor(attacker, 'protocol_error', /a second publish or play/);
  await again.unpublish('leaver');
});

test('metadata with odd values, odd names and lying counts goes by', async () => {
  const attacker = await arena.publisher('odd-metadata');
  const odd: Buffer[] = [
    amf(
      'onMetaData',
      new Ecma({ width: 'wide', height: Number.NaN, videocodecid: {}, framerate: [1], duration: null }),
    ),
    amf('@setDataFrame', 'onMetaData', {
      width: -1,
      height: 1e308,
      videocodecid: 'avc1'.repeat(1_000),
      audiocodecid: true,
    }),
    Buffer.concat([
      amf('@setDataFrame', 'onMetaData'),
      Buffer.from([8]),
      be(0xffffffff, 4),
      Buffer.from([0, 0, 9]),
    ]),
    amf('@setDataFrame', 'onMetaData', nested(15_000)),
    amf('@setDataFrame'),
    amf('@setDataFrame', 'constructor', '__proto__'),
    ...['constructor', '__proto__', 'toString', ''].map((name) => amf(name, 1)),
    Buffer.from([2, 0xff]),
    Buffer.from([0]),
  ];
  for (const payload of odd) {
    for (const type of [18, 15]) attacker.send({ type, csid: 4, streamId: 1, payload });
  }
  const stream = await until(
    async () =>
      (await arena.server.streams()).find(
        ({ path, usage }) => path === '/live/odd-metadata' && usage.packets === odd.length * 2,
      ),
    'all metadata to be counted',
  );
  expect(stream.media.width === null || Number.isFinite(stream.media.width)).toBe(true);
});
