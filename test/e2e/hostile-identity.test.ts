import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { fetchFor } from '../support/http-read.ts';
import type { RtmpClient } from '../support/rtmp-client.ts';
import { until } from '../support/server.ts';

/** Strangers who lie about who they are: names, somebody else's name, and no for an answer not taken. */

let arena: Arena;

beforeAll(async () => {
  arena = await Arena.open();
});
afterEach(() => arena.unharmed());
afterAll(() => arena.close());

/** Media whose body nobody else sends. */
const MARK = Buffer.from('this must never reach a player');

function sendMarked(client: RtmpClient): void {
  for (let timestamp = 0; timestamp < 400; timestamp += 40) {
    const payload = Buffer.concat([Buffer.from([0x17, 1, 0, 0, 0]), MARK]);
    client.send({ type: 9, csid: 6, streamId: 1, timestamp, payload });
  }
}

const ODD_NAMES: readonly (readonly [what: string, name: string])[] = [
  ['%00', 'cam%00'],
  ['a NUL', 'cam\0'],
  ['CRLF', 'cam\r\nHTTP/1.1 200 OK'],
  ['an escape sequence', '\u001b[2J\u001b[31mcam'],
  ['a bidirectional override', 'cam\u202egnp'],
  ['letters beyond ASCII', 'kämera'],
  ['an emoji', 'cam\u{1f600}'],
  ['two dots', '..'],
  ['a path upwards', '../../etc/passwd'],
  ['a slash', 'a/b'],
  ['a backslash', 'a\\b'],
  ['a space', 'a b'],
  ['a quote', 'a"b'],
  ['a brace', 'a}b{'],
  ['129 letters', 'x'.repeat(129)],
  ['60,000 letters', 'x'.repeat(60_000)],
  ['nothing but a query', '?key=x'],
];

test.each(ODD_NAMES)('a name with %s is refused and never repeated', async (_what, name) => {
  const attacker = await arena.attacker();
  expect((await attacker.publish('live', name)).code).toBe('NetStream.Publish.Rejected');
  const receipt = await arena.cutFor(attacker, 'protocol_error', /the stream name must be/);
  expect(receipt).toMatchObject({ path: null, client: null });
  expect(JSON.stringify(receipt)).not.toContain(name.slice(0, 20));
});

test.each(['', '..', 'live/../live', 'live\r\n', 'l\0', 'live/sub', 'x'.repeat(129), '?'])(
  'an app called %j is refused',
  async (app) => {
    const attacker = await arena.attacker();
    expect((await attacker.publish(app, 'cam')).code).toBe('NetStream.Publish.Rejected');
    await arena.cutFor(attacker, 'protocol_error', /the application name in the URL must be/);
  },
);

test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', '-', '_', '0'])(
  'a stream called %s is a stream like any other',
  async (name) => {
    const attacker = await arena.publisher(name);
    const stream = await arena.server.stream(`/live/${name}`);
    expect(stream.name).toBe(name);
    await attacker.unpublish(name);
  },
);

test('nothing that a stranger sent can drive a terminal or forge a line', async () => {
  const attacker = await arena.attacker();
  attacker.command('connect', [{ app: 'live', flashVer: '\u001b[31m\r\nFAKE', tcUrl: '\u202e\0' }]);
  const streamId = await attacker.createStream();
  attacker.command('\u001b]0;title\u0007', [null]);
  attacker.command('publish', [null, 'cam?\u001b[31m=\r\n', 'live'], streamId);
  expect((await attacker.status()).code).toBe('NetStream.Publish.Start');
  const told = await Promise.all(
    ['/api/v1/streams', '/api/v1/receipts', '/api/v1/clients', '/api/v1/ips'].map((path) =>
      arena.server.get<unknown>(path),
    ),
  );
  const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
  for (const text of textsIn([told, arena.server.log])) expect(text).not.toMatch(unsafe);
});

test('a second publisher of a path is refused and the first plays on', async () => {
  const attacker = await arena.attacker({ allowHalfOpen: true });
  const player = fetchFor(`http://127.0.0.1:${arena.server.ports.playback}/live/bystander.flv`);
  await until(() => player.bytes() > 0, 'the player to play');
  expect((await attacker.publish('live', 'bystander')).code).toBe('NetStream.Publish.BadName');
  const from = player.bytes();
  // The server has said no and closed its half: who goes on sending reaches nobody.
  while (!attacker.closed) {
    sendMarked(attacker);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await until(() => player.bytes() > from + 20_000, 'the player to go on playing');
  expect((await player.stop()).includes(MARK)).toBe(false);
  expect(await arena.receipt(attacker, 'stream_duplicate')).toMatchObject({
    action: 'refuse',
    path: '/live/bystander',
  });
});

test('a refused publisher that sends its media together with its publish reaches nobody', async () => {
  const player = fetchFor(`http://127.0.0.1:${arena.server.ports.playback}/live/bystander.flv`);
  await until(() => player.bytes() > 0, 'the player to play');
  const attacker = await arena.attacker();
  await attacker.connect('live');
  const streamId = await attacker.createStream();
  attacker.socket.cork();
  sendMarked(attacker);
  attacker.command('publish', [null, 'bystander', 'live'], streamId);
  sendMarked(attacker);
  attacker.command('publish', [null, 'bystander-2', 'live'], streamId);
  sendMarked(attacker);
  attacker.socket.uncork();
  await attacker.closes();
  const from = player.bytes();
  await until(() => player.bytes() > from + 20_000, 'the player to go on playing');
  expect((await player.stop()).includes(MARK)).toBe(false);
  expect((await arena.server.streams()).map(({ name }) => name)).toEqual(['bystander']);
});

test('a silent publisher is replaced by its own kind and by nobody else', async () => {
  const localAddress = arena.freshAddress();
  const ghost = await arena.publisher('ghosted', { localAddress });
  const { id } = await arena.server.stream('/live/ghosted', ({ uptime_ms }) => uptime_ms > 3_200);
  const stranger = await arena.attacker();
  expect((await stranger.publish('live', 'ghosted')).code).toBe('NetStream.Publish.BadName');
  const heir = await arena.publisher('ghosted', { localAddress });
  await arena.cutFor(ghost, 'stream_duplicate', /silent, and replaced/);
  expect((await arena.server.stream('/live/ghosted')).id).not.toBe(id);
  await heir.unpublish('ghosted');
});

test('the publisher of one message stream does not speak for another', async () => {
  const attacker = await arena.publisher('one');
  await attacker.createStream();
  for (const streamId of [0, 2, 3, 0xffffffff]) {
    attacker.send({ type: 9, csid: 6, streamId, payload: Buffer.alloc(1_000, 0x17) });
    attacker.send({ type: 8, csid: 4, streamId, payload: Buffer.alloc(1_000, 0xaf) });
  }
  attacker.send({ type: 8, csid: 4, streamId: 1, payload: Buffer.alloc(10, 0xaf) });
  const stream = await arena.server.stream('/live/one', ({ usage }) => usage.packets > 0);
  expect(stream.usage).toMatchObject({ bytes: 10, packets: 1, frames: 0 });
});

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [key, ...textsIn(member)]);
}
