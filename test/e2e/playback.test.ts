import { afterEach, expect, test } from 'vitest';
import { decodeFlv, type FlvTag, isKeyframe, makeClip, parseFlv } from '../support/flv.ts';
import { RtmpClient } from '../support/rtmp-client.ts';
import { pause, TestServer, until } from '../support/server.ts';
import { Watcher } from '../support/watcher.ts';

/** The whole road: a publisher over RTMP, the native store, and players of every kind. */

let server: TestServer;
const clients: RtmpClient[] = [];
const watchers: Watcher[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.vanish();
  for (const watcher of watchers.splice(0)) watcher.kill();
  await server.stop();
});

const TAGS = parseFlv(makeClip({ durationS: 6, gop: 25 })).tags;

async function open(): Promise<RtmpClient> {
  const client = await RtmpClient.open({ port: server.ports.rtmp });
  clients.push(client);
  return client;
}

async function publisher(): Promise<RtmpClient> {
  const client = await open();
  expect(await client.publish('live', 'cam1')).toMatchObject({ code: 'NetStream.Publish.Start' });
  return client;
}

/** Sends the tags from `fromMs` to `toMs` at their own pace. */
async function play(client: RtmpClient, fromMs: number, toMs: number, speed = 1): Promise<void> {
  const began = performance.now();
  for (const tag of TAGS.filter(({ timestamp }) => timestamp >= fromMs && timestamp < toMs)) {
    const dueMs = (tag.timestamp - fromMs) / speed - (performance.now() - began);
    if (dueMs > 1) await pause(dueMs);
    client.sendTag(tag);
  }
}

function watch(url: string): Watcher {
  const watcher = new Watcher(url);
  watchers.push(watcher);
  return watcher;
}

test('players that join mid-stream start at a keyframe and decode everything to the end', async () => {
  server = await TestServer.start();
  const encoder = await publisher();
  await play(encoder, 0, 1_500, 4);
  const http = `http://127.0.0.1:${server.ports.playback}/live/cam1.flv`;
  watch(http);
  watch(`${server.rtmp()}/cam1`);
  await server.stream('/live/cam1', ({ playback }) => playback.players === 2);
  await play(encoder, 1_500, 10_000, 2);
  await encoder.unpublish('cam1');
  for (const watcher of watchers) {
    expect([await watcher.exited, watcher.told()]).toEqual([0, { complaints: [], frames: 125 }]);
  }
  await until(async () => (await server.totals()).connections === 0, 'all to be gone');
});

test('a player receives, byte for byte and in order, what was published after its keyframe', async () => {
  server = await TestServer.start();
  const encoder = await publisher();
  await play(encoder, 0, 1_500, 8);
  await server.stream('/live/cam1', ({ usage }) => usage.packets > 90);
  const response = await fetch(`http://127.0.0.1:${server.ports.playback}/live/cam1.flv`);
  const viewer = await open();
  expect(await viewer.play('live', 'cam1')).toMatchObject({ code: 'NetStream.Play.Start' });
  await server.stream('/live/cam1', ({ playback }) => playback.players === 2);
  await play(encoder, 1_500, 10_000, 8);
  await encoder.unpublish('cam1');
  const file = Buffer.from(await response.arrayBuffer());
  const received = parseFlv(file);
  expect(received).toMatchObject({ complete: true, error: null, hasAudio: true, hasVideo: true });
  const keyframe = TAGS.findIndex((tag) => isKeyframe(tag) && tag.timestamp > 1_000);
  const payloads = (tags: readonly FlvTag[]): Buffer[] => tags.map(({ payload }) => payload);
  // metadata, video and audio header first, whatever order the encoder sent them in
  expect(payloads(received.tags.slice(0, 3))).toEqual(expect.arrayContaining(payloads(TAGS.slice(0, 3))));
  expect(received.tags.slice(3)).toEqual(TAGS.slice(keyframe));
  expect(decodeFlv(file)).toMatchObject({ errors: '', videoFrames: 125 });
  await viewer.closes();
  expect(viewer.statuses.at(-1)?.code).toBe('NetStream.Play.UnpublishNotify');
  const media = viewer.media.filter(({ payload }) => !payload.includes('RtmpSampleAccess'));
  expect(media.map(({ type, timestamp }) => [type, timestamp])).toEqual(
    received.tags.map(({ type, timestamp }) => [type, timestamp]),
  );
  expect(media.every(({ payload }, i) => payload.equals(received.tags[i]?.payload as Buffer))).toBe(true);
});

test('nobody publishes by HTTP, and a player of nothing is told so', async () => {
  server = await TestServer.start();
  const http = `http://127.0.0.1:${server.ports.playback}/live/cam1.flv`;
  expect((await fetch(http, { method: 'POST', body: 'FLV' })).status).toBe(405);
  expect((await fetch(http)).status).toBe(404);
  const viewer = await open();
  expect(await viewer.play('live', 'cam1')).toMatchObject({
    level: 'error',
    code: 'NetStream.Play.StreamNotFound',
  });
  await viewer.closes();
});

test('a player that reads nothing is dropped; the others and the publisher do not notice', async () => {
  server = await TestServer.start({
    config:
      'playback: { max_queue: 256KiB }\nlimits: { client: { max_bandwidth: unlimited }, stream: { max_bitrate: unlimited, max_packets_per_sec: unlimited } }',
  });
  const encoder = await publisher();
  encoder.setChunkSize(65_536);
  const frame = { type: 8, payload: Buffer.concat([Buffer.from([0xaf, 1]), Buffer.alloc(8_000)]) };
  encoder.sendTag({ ...frame, timestamp: 0 });
  const deaf = await open();
  await deaf.play('live', 'cam1');
  deaf.socket.pause();
  const body = fetch(`http://127.0.0.1:${server.ports.playback}/live/cam1.flv`).then((response) =>
    response.arrayBuffer(),
  );
  await server.stream('/live/cam1', ({ playback }) => playback.players === 2);
  let sent = 1;
  let alone = false;
  const looking = server
    .stream('/live/cam1', ({ playback }) => playback.players === 1)
    .then(() => {
      alone = true;
    });
  while (!alone) {
    for (let i = 0; i < 20; i += 1) encoder.sendTag({ ...frame, timestamp: sent++ });
    await encoder.drained();
    await pause(2);
  }
  await looking;
  await encoder.unpublish('cam1');
  const file = parseFlv(Buffer.from(await body));
  expect(file.complete).toBe(true);
  expect(file.tags.at(-1)?.timestamp).toBe(sent - 1);
});
