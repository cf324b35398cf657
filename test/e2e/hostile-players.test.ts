import net from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { OPEN_DOORS } from '../support/bystander.ts';
import { cpuOf } from '../support/flood.ts';
import { fetchFor } from '../support/http-read.ts';
import type { RtmpClient } from '../support/rtmp-client.ts';
import { amf, chunksOf } from '../support/rtmp-wire.ts';
import { until } from '../support/server.ts';

/** Players who do not read, who come and go, or who want what nobody sends; and publishers whose GOP never ends. */

const MiB = 1024 * 1024;
const GOP_BYTES = 2 * MiB;

const CONFIG = [
  OPEN_DOORS,
  'playback: { max_players: 40, max_queue: 1MiB, gop_per_stream: 2MiB, gop_total: 4MiB }',
  'policies:',
  '  - { name: no-limits, match: { app: free }, override: true, stream: { max_bitrate: unlimited, max_fps: unlimited, max_packets_per_sec: unlimited } }',
].join('\n');

let arena: Arena;

beforeAll(async () => {
  arena = await Arena.open({ config: CONFIG });
});
afterEach(() => arena.unharmed());
afterAll(() => arena.close());

const frame = (first: number, bytes: number): Buffer =>
  Buffer.concat([Buffer.from([first, 1, 0, 0, 0]), Buffer.alloc(bytes - 5, 0x55)]);

async function hose(name: string): Promise<RtmpClient> {
  const client = await arena.attacker();
  expect((await client.publish('free', name)).code).toBe('NetStream.Publish.Start');
  client.setChunkSize(65_536);
  return client;
}

/** Sends frames as fast as they are taken until `enough`. */
async function pour(client: RtmpClient, enough: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; !(await enough()); i += 1) {
    for (let k = 0; k < 20; k += 1)
      client.send({
        type: 9,
        csid: 6,
        streamId: 1,
        timestamp: i * 40,
        payload: frame(k === 0 ? 0x17 : 0x27, 50_000),
      });
    await client.drained();
  }
}

/** Asks for a stream and never reads what comes. */
function deafHttp(path: string, upgrade = ''): net.Socket {
  const socket = net.connect({ host: '127.0.0.1', port: arena.server.ports.playback }).on('error', () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`);
  return socket.pause();
}

const WEBSOCKET =
  'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n';

test('players of every kind that stop reading are dropped, and who reads misses nothing', async () => {
  const publisher = await hose('deaf');
  publisher.send({ type: 9, csid: 6, streamId: 1, payload: frame(0x17, 1_000) });
  await arena.server.stream('/free/deaf', ({ usage }) => usage.keyframes === 1);
  const rtmp = await arena.attacker();
  await rtmp.play('free', 'deaf');
  rtmp.socket.pause();
  const deaf = [deafHttp('/free/deaf.flv'), deafHttp('/free/deaf', WEBSOCKET)];
  const player = fetchFor(`http://127.0.0.1:${arena.server.ports.playback}/free/deaf.flv`);
  await arena.server.stream('/free/deaf', ({ playback }) => playback.players === 4);
  const before = arena.server.rss();
  let peak = 0;
  const dropped = (): number =>
    arena.server.log.filter(({ msg }) => msg === 'a slow player was dropped').length;
  await pour(publisher, () => {
    peak = Math.max(peak, arena.server.rss() - before);
    return dropped() === 3;
  });
  // Three queues of a megabyte, the reader's own, and buffers that V8 has not freed yet.
  expect(peak).toBeLessThan(150 * MiB);
  await arena.server.stream('/free/deaf', ({ playback }) => playback.players === 1);
  const from = player.bytes();
  publisher.send({ type: 9, csid: 6, streamId: 1, payload: frame(0x17, 50_000) });
  await until(() => player.bytes() > from, 'the reader to go on');
  await player.stop();
  for (const socket of deaf) socket.destroy();
});

test('a GOP that never ends is kept up to its cap and then not at all', async () => {
  const publisher = await hose('endless');
  let most = 0;
  publisher.send({ type: 9, csid: 6, streamId: 1, payload: frame(0x17, 1_000) });
  for (let i = 0; i < 60; i += 1) {
    publisher.send({ type: 9, csid: 6, streamId: 1, timestamp: i * 40, payload: frame(0x27, 100_000) });
    if (i % 5 === 0) most = Math.max(most, (await arena.server.stream('/free/endless')).playback.gop_bytes);
  }
  const stream = await arena.server.stream('/free/endless', ({ usage }) => usage.frames === 61);
  expect(most).toBeLessThanOrEqual(GOP_BYTES);
  expect(stream.playback.gop_bytes).toBeLessThanOrEqual(GOP_BYTES);
  // The smallest frames (of H.263) are charged their bookkeeping too.
  publisher.write(
    ...chunksOf({ type: 9, csid: 7, streamId: 1, payload: Buffer.from([0x12, 0]) }),
    Buffer.alloc(3 * 6_000, Buffer.from([0xc7, 0x22, 0])),
  );
  const tiny = await arena.server.stream('/free/endless', ({ usage }) => usage.frames === 61 + 6_001);
  expect(tiny.playback.gop_bytes).toBeGreaterThan(6_000 * 50);
  expect(tiny.playback.gop_bytes).toBeLessThanOrEqual(GOP_BYTES);
  await publisher.unpublish('endless');
});

test('all GOPs together stay under their cap', async () => {
  const publishers = await Promise.all(['g1', 'g2', 'g3', 'g4'].map((name) => hose(name)));
  for (const publisher of publishers) {
    publisher.send({ type: 9, csid: 6, streamId: 1, payload: frame(0x17, 1_000_000) });
    publisher.send({ type: 9, csid: 6, streamId: 1, payload: frame(0x27, 500_000) });
  }
  for (const name of ['g1', 'g2', 'g3', 'g4'])
    await arena.server.stream(`/free/${name}`, ({ usage }) => usage.frames === 2);
  const { engine } = await arena.server.get<{ engine: { gop_bytes: number } }>('/api/v1/resources');
  expect(engine.gop_bytes).toBeLessThanOrEqual(4 * MiB);
  expect(engine.gop_bytes).toBeGreaterThan(MiB);
});

test('500 players that come and go cost their publisher nothing', async () => {
  const spent = await cpuOf(arena.server, async () => {
    for (let round = 0; round < 25; round += 1) {
      const players = Array.from({ length: 20 }, () =>
        fetchFor(`http://127.0.0.1:${arena.server.ports.playback}/live/bystander.flv`),
      );
      await until(() => players.every((player) => player.bytes() > 0), 'all to play');
      await Promise.all(players.map((player) => player.stop()));
    }
  });
  expect(spent).toBeLessThan(10);
  const { playback } = await arena.bystander(({ playback: now }) => now.players === 0);
  expect(playback.players).toBe(0);
});

test('more players than are allowed are refused, and a place is free again when one leaves', async () => {
  const url = `http://127.0.0.1:${arena.server.ports.playback}/live/bystander.flv`;
  const players = Array.from({ length: 40 }, () => fetchFor(url));
  await arena.bystander(({ playback }) => playback.players === 40);
  expect((await fetch(url)).status).toBe(503);
  const rtmp = await arena.attacker();
  await rtmp.connect('live');
  rtmp.command('play', [null, 'bystander', -2000], await rtmp.createStream());
  await rtmp.closes();
  expect(rtmp.statuses.at(-1)).toMatchObject({ level: 'error', code: 'NetStream.Play.Failed' });
  for (const player of players) await player.stop();
  const later = await arena.attacker();
  expect((await later.play('live', 'bystander')).code).toBe('NetStream.Play.Start');
});

test('a player that floods questions, metadata and media upwards reaches nobody', async () => {
  const watcher = fetchFor(`http://127.0.0.1:${arena.server.ports.playback}/live/bystander.flv`);
  const player = await arena.attacker();
  await player.play('live', 'bystander');
  const mark = Buffer.from('upstream of the gate');
  for (let i = 0; i < 50; i += 1) {
    player.send({
      type: 9,
      csid: 6,
      streamId: 1,
      payload: Buffer.concat([Buffer.from([0x17, 1, 0, 0, 0]), mark]),
    });
    player.send({
      type: 18,
      csid: 4,
      streamId: 1,
      payload: amf('@setDataFrame', 'onMetaData', { width: 1, note: mark.toString() }),
    });
    player.command('pause', [null, true, 0], 1);
    player.command('seek', [null, 1e308], 1);
    player.command('receiveVideo', [null, false], 1);
  }
  const from = watcher.bytes();
  await until(() => watcher.bytes() > from + 50_000, 'the stream to go on');
  expect((await watcher.stop()).includes(mark)).toBe(false);
  expect(player.violation).toBeNull();
  expect(player.media.some(({ payload }) => payload.includes(mark))).toBe(false);
});
