import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { StreamSnapshot } from '../../src/core/stream.ts';
import { fetchFor } from '../support/http-read.ts';
import { LossyRelay } from '../support/lossy-relay.ts';
import { pause, TestServer, until } from '../support/server.ts';
import { SrtCaller } from '../support/srt-client.ts';
import {
  SRT_CLIENTS,
  type SrtClientName,
  SrtPublisher,
  type SrtTarget,
  tsClip,
} from '../support/srt-publishers.ts';
import { decodeErrors, longestStepOf, unitsOf } from '../support/ts-probe.ts';
import { messagesOf } from '../support/ts-wire.ts';

/** Encoders that people use, and what is shown of them. */

const PASSPHRASE = 'correct-horse-battery';
const KBPS = 1_000;
/** Video and audio as set, and what a transport stream adds to them: 188 for every 184, PES heads, tables. */
const BITRATE = { from: 1_050_000, to: 1_350_000 };

let server: TestServer;
const publishers: SrtPublisher[] = [];
const leavers: (() => void)[] = [];

afterEach(async () => {
  for (const leave of leavers.splice(0)) leave();
  await Promise.all(publishers.splice(0).map((publisher) => publisher.stop()));
  await server.stop();
});

const resource = (name: string): string => `#!::r=live/${name},m=publish`;

function publish(client: SrtClientName, name: string, target: Partial<SrtTarget> = {}): SrtPublisher {
  const publisher = new SrtPublisher(client, tsClip({ kbps: KBPS }), {
    port: server.ports.srt,
    streamId: resource(name),
    ...target,
  });
  publishers.push(publisher);
  return publisher;
}

/** Ports of all SRT listeners, in the order of the config. */
function srtPorts(): number[] {
  const ready = server.log.find(({ msg }) => msg === 'headgate is ready');
  const listening = ready?.['listening'] as { srt: { port: number }[] } | undefined;
  return (listening?.srt ?? []).map(({ port }) => port);
}

test('ffmpeg, srt-live-transmit and GStreamer publish, in clear and enciphered, over IPv4 and IPv6', async () => {
  const listeners = [
    '"127.0.0.1:0"',
    `{ address: "127.0.0.2:0", passphrase: "${PASSPHRASE}" }`,
    '{ address: "[::1]:0", latency: 250ms }',
  ];
  server = await TestServer.start({
    listen: `  srt: [ ${listeners.join(', ')} ]`,
    config: 'limits: { client: { max_streams: 20 } }',
  });
  const [clear = 0, enciphered = 0, six = 0] = srtPorts();
  for (const client of SRT_CLIENTS) publish(client, client, { port: clear });
  for (const [i, keyBits] of ([128, 192, 256] as const).entries())
    publish(SRT_CLIENTS[i]!, `aes-${keyBits}`, {
      host: '127.0.0.2',
      port: enciphered,
      passphrase: PASSPHRASE,
      keyBits,
    });
  publish('ffmpeg', 'six', { port: six, host: '::1' });
  const names = [...SRT_CLIENTS, 'aes-128', 'aes-192', 'aes-256', 'six'];
  await Promise.all(names.map((name) => server.stream(`/live/${name}`, ({ usage }) => usage.frames > 0)));
  await server.stream('/live/gstreamer', ({ uptime_ms }) => uptime_ms > 2_000);
  const from = new Map((await server.streams()).map((stream) => [stream.name, stream]));
  await pause(5_000);
  const streams = await server.streams();
  expect(streams.map(({ name }) => name).sort()).toEqual(names.toSorted());
  for (const stream of streams) expectSound(stream, from.get(stream.name)!);
  expect(streams.find(({ name }) => name === 'six')).toMatchObject({ ip: '::1' });
  expect(await server.metric('headgate_streams', '{protocol="srt",state="live"}')).toBe(names.length);
});

/** What comes at once: srt-live-transmit reads a pipe that ffmpeg fills a third of a second at a time. */
const BURST_FRAMES = 10;

function expectSound(
  { name, media, state, protocol, usage, transport, uptime_ms }: StreamSnapshot,
  from: StreamSnapshot,
): void {
  expect({ name, media, state, protocol }).toEqual({
    name,
    state: 'live',
    protocol: 'srt',
    media: { video_codec: 'h264', width: 640, height: 360, audio_codec: 'aac' },
  });
  const seconds = (uptime_ms - from.uptime_ms) / 1_000;
  const bitrate = ((usage.bytes - from.usage.bytes) * 8) / seconds;
  expect(bitrate, name).toBeGreaterThan(BITRATE.from);
  expect(bitrate, name).toBeLessThan(BITRATE.to);
  // A burst more or less at each look; whether every frame is counted is asked below.
  expect(Math.abs(usage.frames - from.usage.frames - 30 * seconds), name).toBeLessThan(2 * BURST_FRAMES);
  expect(usage.fps, name).toBeCloseTo(30, 0);
  expect(usage.dropped_frames, name).toBe(0);
  expect(usage.violations, name).toBe(0);
  expect(usage.packets, name).toBeGreaterThan(usage.bytes / 1_316 - 1);
  expect(transport.loss, name).toBe(0);
}

describe('frames are counted as ffprobe counts them', () => {
  const folder = path.resolve(import.meta.dirname, '../../build/clips');

  /** Ten seconds of some codec, made once. */
  function tenSeconds(name: string, ...encode: string[]): string {
    const file = path.join(folder, `ten-seconds-${name}.ts`);
    if (existsSync(file)) return file;
    mkdirSync(folder, { recursive: true });
    const source = [
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=320x180:rate=60000/1001:duration=10',
      '-f',
      'lavfi',
      '-i',
      'sine=duration=10',
    ];
    const made = spawnSync(
      'ffmpeg',
      ['-v', 'error', '-nostdin', '-y', ...source, ...encode, '-f', 'mpegts', file],
      { encoding: 'utf8' },
    );
    if (made.status !== 0) throw new Error(made.stderr);
    return file;
  }

  const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '120'];

  test.each<[string, string, string[]]>([
    ['h264', 'aac', [...X264, '-bf', '3', '-c:a', 'aac']],
    ['h264', 'mp2', [...X264, '-r', '25', '-x264-params', 'keyint=25:slices=4', '-c:a', 'mp2']],
    [
      'hevc',
      'ac3',
      [
        '-c:v',
        'libx265',
        '-preset',
        'ultrafast',
        '-x265-params',
        'log-level=none',
        '-r',
        '30',
        '-c:a',
        'ac3',
      ],
    ],
    ['mpeg2', 'mp2', ['-c:v', 'mpeg2video', '-b:v', '1M', '-bf', '2', '-r', '30000/1001', '-c:a', 'mp2']],
  ])('%s with %s', async (video, audio, encode) => {
    const file = tenSeconds(`${video}-${audio}`, ...encode);
    server = await TestServer.start({
      config:
        'limits: { stream: { max_bitrate: unlimited, max_fps: unlimited, max_packets_per_sec: unlimited } }',
    });
    const { caller, answer } = await SrtCaller.call({ port: server.ports.srt, streamId: resource('exact') });
    leavers.push(() => caller.hangUp());
    expect(answer).toEqual({ accepted: true });
    const messages = messagesOf(readFileSync(file));
    // Ten seconds in two: the server looks at its counters four times a second.
    const stretch = Math.ceil(messages.length / 100);
    for (const [i, message] of messages.entries()) {
      caller.send(message);
      if (i % stretch === 0) await pause(18);
    }
    const bytes = messages.reduce((sum, { length }) => sum + length, 0);
    const stream = await server.stream(
      '/live/exact',
      ({ usage, media }) => usage.bytes >= bytes && media.width !== null,
    );
    const exact = unitsOf(file, 'v');
    expect(exact).toBeGreaterThan(240);
    expect(stream.usage).toMatchObject({ bytes, packets: messages.length, frames: exact });
    expect(stream.media).toMatchObject({ video_codec: video, audio_codec: audio, width: 320, height: 180 });
    expect(stream.usage.fps).toBeCloseTo(exact / 10, 0);
  });
});

test('through a network that loses 5 % each way, late and doubled, no frame is missing', async () => {
  server = await TestServer.start();
  const relay = await LossyRelay.open(
    server.ports.srt,
    { loss: 0.05, delayMs: 5, late: 0.05, lateMs: 15, doubled: 0.02 },
    42,
  );
  leavers.push(() => relay.close());
  publish('ffmpeg', 'lossy', { port: relay.port, latencyMs: 600 });
  await server.stream('/live/lossy', ({ usage }) => usage.frames > 30);
  const reading = fetchFor(`http://127.0.0.1:${server.ports.playback}/live/lossy.ts`);
  const from = await server.stream('/live/lossy');
  await pause(5_000);
  const { usage, transport, uptime_ms } = await server.stream('/live/lossy');
  const played = await reading.stop();
  expect(
    Math.abs(usage.frames - from.usage.frames - (30 * (uptime_ms - from.uptime_ms)) / 1_000),
  ).toBeLessThan(10);
  expect(relay.lost).toBeGreaterThan(20);
  expect(transport.loss).toBeGreaterThan(0.02);
  expect(transport.loss).toBeLessThan(0.12);
  expect(transport.retransmitted).toBeGreaterThan(10);
  expect(transport.rtt_ms).toBeGreaterThan(5);
  expect(decodeErrors(played)).toBe('');
  // From the first keyframe on, one every thirtieth of a second.
  expect(unitsOf(played, 'v')).toBeGreaterThan(60);
  expect(longestStepOf(played)).toBeLessThan(1.5 / 30);
});

test('killed publishers give their places back: at once to who comes back, else within the peer timeout', async () => {
  server = await TestServer.start({ config: 'limits: { client: { max_streams: 2 } }' });
  const gone = publish('srt-live-transmit', 'gone');
  const returning = publish('ffmpeg', 'returning');
  const { id } = await server.stream('/live/returning', ({ usage }) => usage.frames > 0);
  await server.stream('/live/gone', ({ usage }) => usage.frames > 0);
  await Promise.all([gone.stop('SIGKILL'), returning.stop('SIGKILL')]);
  const began = performance.now();
  publish('ffmpeg', 'returning');
  await server.stream('/live/returning', (stream) => stream.id !== id && stream.usage.frames > 0);
  expect(performance.now() - began).toBeLessThan(4_000);
  await until(async () => (await server.totals()).connections === 1, 'the other place', 8_000);
  expect(performance.now() - began).toBeLessThan(6_500);
  expect(await server.totals()).toMatchObject({ streams: 1 });
});

test('a living publisher is not put out by another who wants its name', async () => {
  server = await TestServer.start();
  publish('ffmpeg', 'cam');
  const { id } = await server.stream('/live/cam', ({ usage }) => usage.frames > 0);
  const { caller, answer } = await SrtCaller.call({
    port: server.ports.srt,
    streamId: resource('cam'),
    localAddress: '127.0.0.2',
  });
  leavers.push(() => caller.vanish());
  expect(answer).toEqual({ accepted: false, refused: 1409 });
  expect(await server.receipt('stream_duplicate')).toMatchObject({
    protocol: 'srt',
    ip: '127.0.0.2',
    path: '/live/cam',
  });
  expect((await server.stream('/live/cam')).id).toBe(id);
});
