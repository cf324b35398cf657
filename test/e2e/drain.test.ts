import { chmodSync, readdirSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import type { ResourcesSnapshot } from '../../src/http/ports.ts';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { Peers } from '../support/peers.ts';
import { pause, TestServer, until } from '../support/server.ts';

/** How the server goes, and what those who are connected are told. */

let server: TestServer;
let peers: Peers;
const encoders: Publisher[] = [];

async function start(config: string): Promise<void> {
  server = await TestServer.start({ config });
  peers = new Peers(server);
}

afterEach(async () => {
  for (const encoder of encoders.splice(0)) await encoder.stop();
  peers.leave();
  await server.stop();
});

async function readiness(): Promise<{ status: number; body: { ready: boolean; reasons: string[] } }> {
  const answer = await fetch(server.url('/readyz'));
  return { status: answer.status, body: (await answer.json()) as { ready: boolean; reasons: string[] } };
}

/** SIGTERM, once the server says that it drains. */
async function drain(): Promise<number> {
  server.process.kill('SIGTERM');
  const at = performance.now();
  await until(() => server.log.some(({ msg }) => msg === 'draining'), 'the drain to begin');
  return at;
}

test('SIGTERM tells who publishes, refuses newcomers, keeps players, and cuts who has not left in time', async () => {
  await start('timeouts: { drain: 3s }');
  const publisher = await peers.publisher('cam');
  peers.talk(publisher);
  const player = await peers.open();
  expect((await player.play('live', 'cam')).code).toBe('NetStream.Play.Start');
  const candidate = await peers.candidate();
  expect(await readiness()).toMatchObject({ status: 200, body: { ready: true } });

  const signalledAt = Date.now();
  const began = await drain();
  const warned = await publisher.status(({ level }) => level === 'warning');
  expect(warned.code).toBe('NetConnection.Connect.AppShutdown');
  expect(warned.description).toMatch(/^headgate: draining\b/);
  expect(await readiness()).toMatchObject({ status: 503, body: { ready: false, reasons: ['draining'] } });
  expect(await server.metric('headgate_gate_state')).toBe(2);
  const { gate } = await server.get<ResourcesSnapshot>('/api/v1/resources');
  expect(gate).toMatchObject({ state: 'closed', reasons: ['draining'] });
  expect(Date.parse(gate.since)).toBeGreaterThanOrEqual(signalledAt);

  // One who was connected already is told at publish, one who comes now is closed at the door.
  const told = await candidate.publish('late');
  expect(told).toMatchObject({ level: 'error', code: 'NetStream.Publish.Rejected' });
  expect(told.description).toMatch(/^headgate: draining retry_after=never receipt=r-/);
  expect(await server.receipt('draining')).toMatchObject({
    action: 'refuse',
    path: '/live/late',
    retry_after_ms: null,
  });
  await peers.shutOut();
  expect(await server.metric('headgate_denied_total', '{reason="draining"}')).toBe(2);

  // Those who play go on while there is something to play.
  const heard = player.media.length;
  await until(() => player.media.length > heard, 'the player to hear more');
  await publisher.closes();
  expect(performance.now() - began).toBeGreaterThan(1_400);
  expect(publisher.statuses.at(-1)).toMatchObject({ level: 'error', code: 'NetStream.Publish.Rejected' });
  expect(publisher.statuses.at(-1)?.description).toMatch(/^headgate: draining retry_after=0s receipt=r-/);
  await player.closes();
  expect(await server.exited).toBe(0);
  expect(performance.now() - began).toBeLessThan(3_500);
  expect(server.stderr).toBe('');
});

test('the server goes as soon as the last publisher has left, whoever else is still connected', async () => {
  await start('timeouts: { drain: 30s, publish: 1h, handshake: 1h }');
  const encoder = new Publisher(clip({ kbps: 1000 }), `${server.rtmp()}/cam`);
  encoders.push(encoder);
  await server.stream('/live/cam');
  // None of these may hold it up: half-open, connected, an endless answer, a player over HTTP, a kept-alive connection.
  await peers.knock();
  await peers.open();
  await peers.candidate();
  const events = await fetch(server.url('/api/v1/events'));
  const played = await fetch(`http://127.0.0.1:${server.ports.playback}/live/cam.flv`);
  await played.body?.getReader().read();
  await drain();
  await pause(500);
  expect(encoder.alive).toBe(true);
  await encoder.stop('SIGINT');
  const left = performance.now();
  expect(await server.exited).toBe(0);
  expect(performance.now() - left).toBeLessThan(2_500);
  await events.body?.cancel().catch(() => {});
});

test('with nobody connected SIGTERM and SIGINT end it at once', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    await start('timeouts: { drain: 30s }');
    const at = performance.now();
    server.process.kill(signal);
    expect(await server.exited).toBe(0);
    expect(performance.now() - at, signal).toBeLessThan(2_000);
  }
});

test('a second SIGTERM ends it at once', async () => {
  await start('timeouts: { drain: 30s }');
  const publisher = await peers.publisher('cam');
  peers.talk(publisher);
  const began = await drain();
  await pause(800);
  expect(server.alive).toBe(true);
  server.process.kill('SIGTERM');
  expect(await server.exited).toBe(0);
  expect(performance.now() - began).toBeLessThan(3_000);
  await publisher.closes();
});

test('a publisher that is held back by its limit is told and cut like any other', async () => {
  await start(
    'timeouts: { drain: 3s }\nlimits: { stream: { max_bitrate: 500kbps, max_packets_per_sec: unlimited, grace: never } }',
  );
  const greedy = new Publisher(clip({ kbps: 1000 }), `${server.rtmp()}/greedy`, { paced: false });
  encoders.push(greedy);
  await server.stream('/live/greedy', ({ state }) => state === 'throttled');
  await drain();
  await greedy.exited;
  expect(await server.exited).toBe(0);
});

/** `nobody` on Linux; only root may become somebody else. */
const NOBODY = 65_534;

test('in a folder that it may not write to it serves, and writes nothing anywhere near', async () => {
  const isRoot = process.getuid?.() === 0;
  server = await TestServer.start({ config: '', ...(isRoot ? { uid: NOBODY } : {}), frozen: true });
  peers = new Peers(server);
  const before = readdirSync(server.folder);
  const publisher = await peers.publisher('cam');
  peers.talk(publisher);
  const player = await peers.open();
  await player.play('live', 'cam');
  await player.message(({ type }) => type === 8);
  publisher.vanish();
  await until(async () => (await server.streams()).length === 0, 'the stream to go');
  expect(readdirSync(server.folder)).toEqual(before);
  server.process.kill('SIGTERM');
  expect(await server.exited).toBe(0);
  expect(server.stderr).toBe('');
  chmodSync(server.folder, 0o755);
});
