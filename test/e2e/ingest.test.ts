import { afterEach, expect, test } from 'vitest';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { TestServer, until } from '../support/server.ts';

let server: TestServer;
const publishers: Publisher[] = [];

function publish(url: string, kbps = 1000, options = {}): Publisher {
  const publisher = new Publisher(clip({ kbps }), url, options);
  publishers.push(publisher);
  return publisher;
}

afterEach(async () => {
  for (const publisher of publishers.splice(0)) await publisher.stop();
  await server.stop();
});

test('a stream of ffmpeg shows up with its bitrate, frame rate and codecs', async () => {
  server = await TestServer.start();
  publish(`${server.rtmp()}/cam1`);
  const early = await server.stream('/live/cam1');
  expect(early).toMatchObject({
    protocol: 'rtmp',
    app: 'live',
    name: 'cam1',
    client: '127.0.0.1',
    state: 'live',
  });
  const stream = await server.stream('/live/cam1', ({ uptime_ms }) => uptime_ms > 6_000);
  // 1000 kbit/s of video and 96 kbit/s of audio, as the encoder was told
  expect(stream.usage.bitrate_bps).toBeGreaterThan(950_000);
  expect(stream.usage.bitrate_bps).toBeLessThan(1_250_000);
  expect(stream.usage.fps).toBeCloseTo(30, 0);
  expect(stream.usage.wall_fps).toBeGreaterThan(27);
  expect(stream.usage.keyframes).toBeGreaterThanOrEqual(3);
  expect(stream.media).toEqual({ video_codec: 'h264', width: 640, height: 360, audio_codec: 'aac' });
  expect(stream.usage).toMatchObject({ dropped_frames: 0, throttled_ms: 0, violations: 0 });
  expect(stream.playback.gop_bytes).toBeGreaterThan(0);
  expect(stream.transport).toMatchObject({ loss: 0, retransmitted: 0 });
  expect(stream.transport.rtt_ms).toBeGreaterThan(0);
});

test('a publisher that leaves is gone at once, with all it held', async () => {
  server = await TestServer.start();
  const publisher = publish(`${server.rtmp()}/cam1`);
  await server.stream('/live/cam1');
  await publisher.stop('SIGINT');
  await until(async () => (await server.streams()).length === 0, 'the stream to go');
  await until(async () => (await server.totals()).connections === 0, 'the connection to go');
  const { engine } = await server.get<{ engine: Record<string, number> }>('/api/v1/resources');
  expect(engine).toMatchObject({ connections: 0, gop_bytes: 0, pending_bytes: 0 });
});

test('lowering max_bitrate in the file holds a playing stream at it', async () => {
  server = await TestServer.start({ config: 'limits: { stream: { max_bitrate: 6Mbps, grace: never } }' });
  const publisher = publish(`${server.rtmp()}/cam1`, 2000);
  await server.stream('/live/cam1', ({ usage }) => usage.bitrate_bps > 1_900_000);
  server.configure('limits: { stream: { max_bitrate: 1Mbps, grace: never } }');
  const held = await server.stream(
    '/live/cam1',
    ({ state, usage }) => state === 'throttled' && usage.bitrate_bps < 1_020_000,
  );
  expect(held.limits).toMatchObject({
    max_bitrate_bps: 1_000_000,
    sources: { max_bitrate: 'limits.stream' },
  });
  expect(held.usage.throttled_ms).toBeGreaterThan(0);
  expect(publisher.alive).toBe(true);
  const receipt = await server.receipt('stream_bitrate');
  expect(receipt).toMatchObject({
    action: 'throttle',
    limit: 1_000_000,
    path: '/live/cam1',
    stream: held.id,
  });
});

test('a bad file changes nothing and is told where one looks', async () => {
  server = await TestServer.start();
  publish(`${server.rtmp()}/cam1`);
  const before = await server.stream('/live/cam1');
  server.configure('limits: { stream: { max_bitrate: 100 } }');
  await until(
    async () => (await server.get<{ config_error: string | null }>('/readyz')).config_error,
    'the reload to fail',
  );
  const after = await server.stream('/live/cam1');
  expect(after.limits).toEqual(before.limits);
  expect(after.id).toBe(before.id);
  expect(await server.metric('headgate_config_reloads_total', '{result="failed"}')).toBe(1);
  expect(server.log.some(({ level, msg }) => level === 'error' && msg.includes('max_bitrate'))).toBe(true);
});
