import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { TestServer, until } from '../support/server.ts';
import { SrtPublisher, tsClip } from '../support/srt-publishers.ts';
import { Watcher } from '../support/watcher.ts';

/** The whole road of an SRT stream: a real encoder, and a real player of every kind that there is. */

let server: TestServer;
const publishers: SrtPublisher[] = [];
const watchers: Watcher[] = [];

afterEach(async () => {
  for (const publisher of publishers.splice(0)) await publisher.stop();
  for (const watcher of watchers.splice(0)) watcher.kill();
  await server.stop();
});

const CLIP = tsClip({ kbps: 800, fps: 25, seconds: 20, gopSeconds: 1 });

function publish(file: string, streamId = '#!::r=live/cam1,m=publish'): SrtPublisher {
  const publisher = new SrtPublisher('ffmpeg', file, { port: server.ports.srt, streamId });
  publishers.push(publisher);
  return publisher;
}

const http = (streamPath: string): string => `http://127.0.0.1:${server.ports.playback}${streamPath}`;

/** ffmpeg looks at a stream for five seconds before it plays it, unless it is told that one will do. */
const IMPATIENT = ['-analyzeduration', '1000000'];

function watch(url: string, options: readonly string[] = []): Watcher {
  const watcher = new Watcher(url, [...IMPATIENT, ...options]);
  watchers.push(watcher);
  return watcher;
}

function watchSrt(streamId: string): Watcher {
  return watch(`srt://127.0.0.1:${server.ports.srt}`, ['-srt_streamid', streamId]);
}

const playersAre = (count: number, streamPath = '/live/cam1') =>
  server.stream(streamPath, ({ playback }) => playback.players === count);

const decoded = (frames: number, them: readonly Watcher[]) =>
  until(() => them.every((one) => one.told().frames >= frames), `${frames} frames everywhere`, 20_000);

test('plays as MPEG-TS over HTTP and SRT, and as FLV and over RTMP, from the first packet to the end', async () => {
  server = await TestServer.start();
  const publisher = publish(CLIP);
  await server.stream('/live/cam1', ({ usage }) => usage.frames > 10);
  const srt = watchSrt('#!::r=live/cam1,m=request');
  const others = [
    watch(http('/live/cam1.ts')),
    watch(http('/live/cam1.flv')),
    watch(`${server.rtmp()}/cam1`),
  ];
  await playersAre(4);
  for (const protocol of ['http-ts', 'http-flv', 'rtmp', 'srt'])
    expect(await server.metric('headgate_players', `{protocol="${protocol}"}`), protocol).toBe(1);
  await decoded(50, [srt, ...others]);
  others.push(watch(http('/live/cam1.ts')), watch(http('/live/cam1.flv')));
  await decoded(25, others);
  expect([srt, ...others].flatMap((watcher) => watcher.told().complaints)).toEqual([]);
  await publisher.stop('SIGTERM');
  for (const watcher of others) {
    expect([await watcher.exited, watcher.told().complaints]).toEqual([0, []]);
  }
  // SRT has no end of file: its library tells ffmpeg that the connection is lost, however it ended.
  await srt.exited;
  expect(srt.told().complaints).toEqual([expect.stringContaining('Input/output error')]);
  await until(async () => (await server.totals()).connections === 0, 'all to be gone');
});

test('what a limited publisher is left with decodes everywhere, and is less', async () => {
  server = await TestServer.start({
    config: 'limits: { stream: { max_bitrate: 500kbps, on_exceed: throttle, grace: never } }',
  });
  publish(CLIP);
  await server.stream('/live/cam1', ({ usage }) => usage.dropped_frames > 0);
  const all = [
    watch(http('/live/cam1.ts')),
    watch(http('/live/cam1.flv')),
    watchSrt('#!::r=live/cam1,m=request'),
  ];
  await decoded(75, all);
  expect(all.map((watcher) => watcher.told().complaints)).toEqual([[], [], []]);
  const { usage, state } = await server.stream('/live/cam1');
  expect(state).toBe('dropping');
  expect(usage.bitrate_avg_bps).toBeLessThan(700_000);
});

test('who watches reaches nothing but public names', async () => {
  server = await TestServer.start({
    config: 'auth: { mode: keys }\nclients: [ { id: alice, keys: [ k-alice-secret ] } ]',
  });
  publish(CLIP, '#!::r=live/k-alice-secret,m=publish');
  await server.stream('/live/alice-1', ({ usage }) => usage.frames > 10);
  const public_ = [watch(http('/live/alice-1.ts')), watchSrt('#!::r=live/alice-1,m=request')];
  await decoded(25, public_);
  expect((await fetch(http('/live/k-alice-secret.ts'))).status).toBe(404);
  const stranger = watchSrt('#!::r=live/k-alice-secret,m=request');
  expect(await stranger.exited).not.toBe(0);
  expect(stranger.told().frames).toBe(0);
  expect(server.log.filter((line) => JSON.stringify(line).includes('k-alice-secret'))).toEqual([]);
});

test('a player that dies does not disturb the others', async () => {
  server = await TestServer.start();
  publish(CLIP);
  await server.stream('/live/cam1', ({ usage }) => usage.frames > 10);
  const [stopped, other] = [watchSrt('#!::r=live/cam1,m=request'), watch(http('/live/cam1.ts'))];
  await decoded(10, [stopped, other]);
  stopped.process.kill('SIGSTOP');
  // as long as SRT waits for a peer of which it hears nothing, and then some
  await server.stream('/live/cam1', ({ playback }) => playback.players === 1);
  const before = other.told().frames;
  await decoded(before + 25, [other]);
  expect(other.told().complaints).toEqual([]);
  expect((await server.stream('/live/cam1')).usage.dropped_frames).toBe(0);
});

/** A clip of codecs that FLV does not know, made once. */
function modernClip(): string {
  const file = path.join(path.dirname(CLIP), 'hevc-opus.ts');
  if (existsSync(file)) return file;
  mkdirSync(path.dirname(file), { recursive: true });
  const part = `${file}.${process.pid}.part`;
  const video = [
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'log-level=none:keyint=25:bframes=0',
  ];
  const made = spawnSync(
    'ffmpeg',
    [
      ...['-v', 'error', '-nostdin', '-y'],
      ...['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=10'],
      ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=10'],
      ...[...video, '-c:a', 'libopus', '-f', 'mpegts', part],
    ],
    { encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(`ffmpeg could not make the clip: ${made.stderr}`);
  renameSync(part, file);
  return file;
}

test('codecs that FLV does not know are played as MPEG-TS, and who asks for FLV is told so', async () => {
  server = await TestServer.start();
  publish(modernClip());
  await server.stream('/live/cam1', ({ media }) => media.video_codec !== null);
  const all = [watch(http('/live/cam1.ts')), watchSrt('#!::r=live/cam1,m=request')];
  await decoded(25, all);
  expect(all.map((watcher) => watcher.told().complaints)).toEqual([[], []]);
  const asked = await fetch(http('/live/cam1.flv'));
  expect([asked.status, await asked.text()]).toEqual([
    404,
    'headgate: the codecs of /live/cam1 cannot be played as FLV or over RTMP; use /live/cam1.ts\n',
  ]);
  const flash = watch(`${server.rtmp()}/cam1`);
  expect(await flash.exited).not.toBe(0);
});
