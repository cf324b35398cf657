import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { OPEN_DOORS } from '../support/bystander.ts';
import { cpuOf, flood } from '../support/flood.ts';
import { amf, be, chunksOf } from '../support/rtmp-wire.ts';
import { until } from '../support/server.ts';

/** Strangers who send as much as they can: the server takes what it must, at a price it can pay. */

const MiB = 1024 * 1024;

/**
 * What a flood may leave on its way although the server reads no more: both
 * sides' socket buffers, which Linux lets grow to some 10 MiB on loopback.
 */
const IN_FLIGHT_BYTES = 16 * MiB;

/** Media that nobody publishes: 8 MiB at once, 1 MiB a second after it. */
const SKIPPED_BURST_BYTES = 8 * MiB;

const CONFIG = [
  OPEN_DOORS,
  'policies:',
  '  - { name: no-limits, match: { app: free }, override: true, stream: { max_bitrate: unlimited, max_fps: unlimited, max_packets_per_sec: unlimited } }',
  '  - { name: drops, match: { app: drops }, stream: { max_bitrate: 500kbps, on_exceed: drop, grace: 2s, cooldown: 0s } }',
].join('\n');

let arena: Arena;

beforeAll(async () => {
  arena = await Arena.open({ config: CONFIG });
});
afterEach(() => arena.unharmed());
afterAll(() => arena.close());

/** About a megabyte of video in messages of 60 kB, on message stream 1. */
const video = Buffer.concat(
  Array.from({ length: 17 }, () =>
    Buffer.concat(
      chunksOf({ type: 9, csid: 6, streamId: 1, payload: Buffer.alloc(60_000, 0x27), chunkSize: 4096 }),
    ),
  ),
);
/** Messages of two bytes whose header is one. */
const tinyFollowers = (count: number): Buffer => Buffer.alloc(3 * count, Buffer.from([0xc6, 0x27, 1]));

test.each<[string, (name: string) => Promise<Awaited<ReturnType<Arena['attacker']>>>]>([
  [
    'before it publishes',
    async () => {
      const client = await arena.attacker();
      await client.connect('live');
      client.setChunkSize(4096);
      await client.createStream();
      return client;
    },
  ],
  [
    'while it plays',
    async () => {
      const client = await arena.attacker();
      await client.play('live', 'bystander');
      client.setChunkSize(4096);
      return client;
    },
  ],
  [
    'after deleteStream',
    async (name) => {
      const client = await arena.publisher(name);
      client.command('deleteStream', [null, 1]);
      await client.status(({ code }) => code === 'NetStream.Unpublish.Success');
      return client;
    },
  ],
])('a stranger that floods media %s is read slowly', async (what, begin) => {
  const client = await begin(what.replaceAll(' ', '-'));
  let taken = 0;
  const spent = await cpuOf(arena.server, async () => {
    taken = await flood(client, video, 1_500);
  });
  expect(taken).toBeLessThan(SKIPPED_BURST_BYTES + 3 * MiB + IN_FLIGHT_BYTES);
  // Reading 30 MB costs some 30 ms; the bystander and the API of this test the rest.
  expect(spent).toBeLessThan(1.5);
});

test('messages of two bytes are read at 4,096 a second whatever the limits', async () => {
  const count = 40_000;
  const client = await arena.attacker();
  expect((await client.publish('free', 'tiny')).code).toBe('NetStream.Publish.Start');
  const began = performance.now();
  client.write(
    ...chunksOf({ type: 9, csid: 6, streamId: 1, payload: Buffer.from([0x27, 1]) }),
    tinyFollowers(count - 1),
  );
  const { id } = await arena.server.stream('/free/tiny', ({ usage }) => usage.packets === count);
  // The burst goes at once, and so does the last read of 64 KiB; what lies between takes its time.
  expect(performance.now() - began).toBeGreaterThan(((count - 8_192 - 65_536 / 3) / 4_096) * 1_000);
  await fetch(arena.server.url(`/api/v1/streams/${id}?cooldown=0s`), { method: 'DELETE' });
  await client.closes();
});

test('audio, which drop lets pass, ends at grace when it is all there is', async () => {
  const client = await arena.attacker();
  expect((await client.publish('drops', 'loud')).code).toBe('NetStream.Publish.Start');
  const before = arena.server.rss();
  const audio = Buffer.concat(
    chunksOf({ type: 8, csid: 4, streamId: 1, payload: Buffer.alloc(4_000, 0xaf), chunkSize: 4096 }),
  );
  await flood(client, audio, 8_000);
  await client.closes();
  expect(await arena.receipt(client, 'stream_bitrate', /grace/)).toMatchObject({
    action: 'cut',
    limit: 500_000,
  });
  expect(arena.server.rss() - before).toBeLessThan(40 * MiB);
});

test('a flood of commands is cut before it costs anything', async () => {
  const client = await arena.attacker();
  await client.connect('live');
  const commands = Buffer.concat(
    Array.from({ length: 2_000 }, (_, i) =>
      Buffer.concat(chunksOf({ type: 20, csid: 3, payload: amf(`command-${i}`, i + 2, null) })),
    ),
  );
  const lines = arena.server.log.length;
  const spent = await cpuOf(arena.server, () => flood(client, commands, 5_000));
  await arena.receipt(client, 'protocol_error', /command_flood/);
  expect(spent).toBeLessThan(1);
  expect(arena.server.log.length - lines).toBeLessThan(5);
});

test('a flood of any control message, its replies unread, is cut', async () => {
  const kinds: readonly (readonly [name: string, type: number, payload: Buffer])[] = [
    ['pings', 4, Buffer.concat([be(6, 2), be(1, 4)])],
    ['chunk-sizes', 1, be(4096, 4)],
    ['aborts', 2, be(5, 4)],
    ['acknowledgements', 3, be(1, 4)],
    ['windows', 5, be(1, 4)],
    ['unknown', 99, Buffer.alloc(100)],
  ];
  const cut = kinds.map(async ([name, type, payload]) => {
    const client = await arena.publisher(name);
    client.socket.pause();
    await flood(client, Buffer.concat(chunksOf({ type, csid: 3, payload })), 5_000);
    client.socket.resume();
    await client.closes();
    return arena.receipt(client, 'protocol_error', /command_flood/);
  });
  for (const receipt of await Promise.all(cut))
    expect(receipt).toMatchObject({ action: 'cut', client: receipt.ip });
});

test('replies that are never read cost no memory', async () => {
  const before = arena.server.rss();
  const clients = await Promise.all(Array.from({ length: 20 }, (_, i) => arena.publisher(`deaf-${i}`)));
  const asking = Buffer.concat(
    Array.from({ length: 900 }, (_, i) =>
      Buffer.concat(chunksOf({ type: 20, csid: 3, payload: amf('releaseStream', i + 10, null, 'x') })),
    ),
  );
  for (const client of clients) client.socket.pause().write(asking);
  // Each is owed some 30 kB of answers: all that its budget of commands can bring about at once.
  await until(async () => (await arena.server.totals()).connections === 21, 'all to be connected');
  expect(arena.server.rss() - before).toBeLessThan(40 * MiB);
});

test('lengths that are declared and never sent take no memory', async () => {
  const before = arena.server.rss();
  for (let i = 0; i < 50; i += 1) {
    const client = await arena.publisher(`declared-${i}`);
    for (let csid = 10; csid < 20; csid += 1) {
      client.write(
        ...chunksOf({
          type: 9,
          csid,
          streamId: 1,
          payload: Buffer.alloc(64),
          declaredLength: 8 * MiB,
          chunkSize: 4096,
        }),
      );
    }
  }
  type Resources = { engine: { pending_bytes: number } };
  const { engine } = await until(async () => {
    const resources = await arena.server.get<Resources>('/api/v1/resources');
    return resources.engine.pending_bytes >= 50 * 10 * 64 ? resources : undefined;
  }, 'the half-sent messages to arrive');
  expect(engine.pending_bytes).toBeLessThan(50 * 10 * 64 * 3 + 2 * MiB);
  // 50 publishers at 40 kB, and what V8 needs to make them; 4 GB were declared.
  expect(arena.server.rss() - before).toBeLessThan(60 * MiB);
});

test('giant messages side by side end at two of them', async () => {
  const client = await arena.attacker();
  await client.publish('free', 'giants');
  client.setChunkSize(65_536);
  const part = Buffer.alloc(65_536);
  for (let round = 0; round < 40 && !client.closed; round += 1) {
    for (let csid = 10; csid < 20; csid += 1) {
      if (round === 0)
        client.write(
          ...chunksOf({
            type: 9,
            csid,
            streamId: 1,
            payload: part,
            declaredLength: 8 * MiB,
            chunkSize: 65_536,
          }),
        );
      else client.write(Buffer.from([0xc0 | csid]), part);
    }
    await client.drained();
  }
  await client.closes();
  await arena.receipt(client, 'protocol_error', /pending_limit/);
});
