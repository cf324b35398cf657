import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { Draws } from '../support/draws.ts';
import { amf, be, chunksOf } from '../support/rtmp-wire.ts';

/**
 * Strangers who break the chunk stream. Each is cut off with a receipt that
 * says what was wrong, or is put up with where real encoders do the same.
 */

let arena: Arena;

beforeAll(async () => {
  arena = await Arena.open();
});
afterEach(() => arena.unharmed());
afterAll(() => arena.close());

/** One message with no body at all: twelve bytes. */
const empty = (type: number): Buffer => Buffer.concat(chunksOf({ type, payload: Buffer.alloc(0) }));
/** One whole message on chunk stream 3. */
const message = (type: number, payload: Buffer): Buffer => Buffer.concat(chunksOf({ type, payload }));
/** A message of `length` declared bytes of which only the first chunk comes. */
const half = (type: number, length: number, csid = 5): Buffer =>
  Buffer.concat(chunksOf({ type, csid, payload: Buffer.alloc(128), declaredLength: length }));

const BROKEN: readonly (readonly [what: string, bytes: Buffer, problem: string])[] = [
  ['an empty AMF 0 command', empty(20), 'message_length'],
  ['an empty AMF 3 command', empty(17), 'message_length'],
  ['an empty set chunk size', empty(1), 'control_length'],
  ['an empty abort', empty(2), 'control_length'],
  ['an empty acknowledgement', empty(3), 'control_length'],
  ['an empty user control', empty(4), 'control_length'],
  ['an empty window size', empty(5), 'control_length'],
  ['an empty peer bandwidth', empty(6), 'control_length'],
  ['a user control of 65 bytes', message(4, Buffer.alloc(65)), 'control_length'],
  ['a set chunk size of 3 bytes', message(1, Buffer.alloc(3)), 'control_length'],
  ['a chunk size of 0', message(1, be(0, 4)), 'chunk_size'],
  ['a chunk size of 1', message(1, be(1, 4)), 'chunk_size'],
  ['a chunk size of 127', message(1, be(127, 4)), 'chunk_size'],
  ['a chunk size over a megabyte', message(1, be(2 ** 20 + 1, 4)), 'chunk_size'],
  ['a chunk size with its top bit set', message(1, be(0x80000000, 4)), 'chunk_size'],
  ['a chunk size of 2^32 - 1', message(1, be(0xffffffff, 4)), 'chunk_size'],
  ['a command of 64 KiB and a byte', half(20, 65_537), 'message_length'],
  ['a command of 16 MB', half(20, 0xffffff), 'message_length'],
  ['an unknown type of 16 MB', half(99, 0xffffff), 'message_length'],
  ['a video of 16 MB', half(9, 0xffffff), 'message_length'],
  ['an aggregate of 16 MB', half(22, 0xffffff), 'message_length'],
  ['a type 3 header out of nowhere', Buffer.from([0xc5, 0, 0]), 'header_missing'],
  ['a type 2 header out of nowhere', Buffer.from([0x85, 0, 0, 0]), 'header_missing'],
  ['a type 3 header of a 3-byte id', Buffer.from([0xc1, 7, 7, 0]), 'header_missing'],
  [
    'a header that enlarges a half-sent message',
    Buffer.concat([half(20, 300), half(20, 60_000)]),
    'header_in_message',
  ],
  [
    'a header that shrinks a half-sent message',
    Buffer.concat([half(20, 300), half(20, 129)]),
    'header_in_message',
  ],
  [
    'a type 2 header inside a message',
    Buffer.concat([half(9, 300), Buffer.from([0x85, 0, 0, 1, 9])]),
    'header_in_message',
  ],
  [
    'a header that retypes half-sent audio to a command',
    Buffer.concat([half(8, 300), half(20, 300)]),
    'header_in_message',
  ],
];

test.each(BROKEN)('%s is the end of the connection', async (_what, bytes, problem) => {
  const attacker = await arena.attacker();
  attacker.write(bytes);
  await arena.cutFor(attacker, 'protocol_error', new RegExp(`^malformed RTMP: ${problem}$`));
});

test('media with no body, and unknown types, mean nothing and hurt nobody', async () => {
  const attacker = await arena.attacker();
  for (const type of [8, 9, 15, 18, 22, 0, 7, 10, 16, 19, 99, 255]) attacker.write(empty(type));
  attacker.write(message(99, Buffer.alloc(60_000)), message(6, Buffer.alloc(5)), message(3, Buffer.alloc(4)));
  expect((await attacker.connect('live')).name).toBe('_result');
});

test('thousands of chunk streams end at the seventeenth', async () => {
  const attacker = await arena.attacker();
  for (let csid = 3; csid < 5_000; csid += 1) attacker.write(half(9, 1_000, csid));
  await arena.cutFor(attacker, 'protocol_error', /chunk_stream_limit/);
});

test('3-byte chunk stream ids that differ in their high byte only are kept apart', async () => {
  const attacker = await arena.attacker();
  attacker.setChunkSize(128);
  const near = chunksOf({
    type: 20,
    csid: 64 + 200,
    payload: amf('connect', 1, { app: 'live', padding: 'x'.repeat(300) }),
  });
  const far = chunksOf({ type: 20, csid: 64 + 200 + 256, payload: amf('nothing', 2, null, 'y'.repeat(300)) });
  for (let i = 0; i < Math.max(near.length, far.length); i += 1) {
    for (const chunk of [near[i], far[i]]) if (chunk !== undefined) attacker.write(chunk);
  }
  expect((await attacker.reply(1)).name).toBe('_result');
});

test('an aborted message is forgotten, and the next on its chunk stream is whole', async () => {
  const attacker = await arena.attacker();
  attacker.write(
    half(20, 300, 7),
    message(2, be(7, 4)),
    message(2, be(65_599, 4)),
    message(2, be(0xffffffff, 4)),
  );
  attacker.write(...chunksOf({ type: 20, csid: 7, payload: amf('connect', 1, { app: 'live' }) }));
  expect((await attacker.reply(1)).name).toBe('_result');
});

test('a command hidden in the payload of audio is never executed', async () => {
  const attacker = await arena.attacker();
  await attacker.connect('live');
  await attacker.createStream();
  const hidden = Buffer.concat(
    chunksOf({ type: 20, streamId: 1, payload: amf('publish', 9, null, 'hidden', 'live') }),
  );
  const body = Buffer.concat([Buffer.alloc(128), hidden, Buffer.alloc(512)]);
  for (const size of [300, 129, 128 + hidden.length, body.length]) {
    attacker.write(...chunksOf({ type: 8, csid: 5, streamId: 1, payload: body.subarray(0, size) }));
  }
  attacker.command('createStream', [null]);
  await attacker.createStream();
  expect(attacker.statuses).toEqual([]);
  expect((await arena.server.streams()).map(({ name }) => name)).toEqual(['bystander']);
});

test('chunk sizes that change inside a message apply at once', async () => {
  const attacker = await arena.attacker();
  const payload = amf('connect', 1, { app: 'live', padding: 'x'.repeat(1_000) });
  const first = chunksOf({ type: 20, csid: 3, payload })[0] as Buffer;
  const remainder = Buffer.concat([Buffer.from([0xc3]), payload.subarray(128)]);
  attacker.write(first, ...chunksOf({ type: 1, csid: 2, payload: be(4_096, 4) }), remainder);
  expect((await attacker.reply(1)).name).toBe('_result');
});

test('a conversation that stops at any byte is no different from one that never began', async () => {
  const polite = Buffer.concat([
    message(1, be(4_096, 4)),
    message(20, amf('connect', 1, { app: 'live', tcUrl: 'rtmp://127.0.0.1/live' })),
    message(20, amf('createStream', 2, null)),
    ...chunksOf({ type: 20, streamId: 1, payload: amf('publish', 3, null, 'cut-short', 'live') }),
    ...chunksOf({ type: 9, csid: 6, streamId: 1, payload: Buffer.alloc(200, 0x17) }),
  ]);
  for (let length = 0; length < polite.length; length += 7) {
    const attacker = await arena.attacker();
    attacker.write(polite.subarray(0, length));
    if (length % 2 === 0) attacker.socket.end();
    else attacker.vanish();
  }
});

test('random bytes after the handshake end in a protocol error or are ignored', async () => {
  const draws = new Draws(20_261_120);
  const noise = (): Buffer => Buffer.from(Array.from({ length: 20_000 }, () => draws.whole(0, 255)));
  const attackers = await Promise.all(Array.from({ length: 64 }, () => arena.attacker()));
  for (const attacker of attackers) attacker.write(noise());
  await Promise.all(attackers.map((attacker) => attacker.closes()));
  expect(
    await arena.server.metric('headgate_denied_total', '{reason="protocol_error"}'),
  ).toBeGreaterThanOrEqual(64);
});
