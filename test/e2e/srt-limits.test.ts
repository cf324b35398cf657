import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { StreamSnapshot } from '../../src/core/stream.ts';
import { headgate } from '../support/cli.ts';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { fetchFor, type HttpReading } from '../support/http-read.ts';
import { pause, TestServer, until } from '../support/server.ts';
import { SrtCaller } from '../support/srt-client.ts';
import { SrtPublisher, tsClip } from '../support/srt-publishers.ts';
import { decodeErrors, unitsOf } from '../support/ts-probe.ts';

/** The limits of a stream, held against real encoders over SRT: what a player receives decodes all the while. */

let server: TestServer;
const publishers: (SrtPublisher | Publisher)[] = [];
const callers: SrtCaller[] = [];

const resource = (name: string): string => `#!::r=live/${name},m=publish`;

function publish(name: string, file: string): SrtPublisher {
  const publisher = new SrtPublisher('ffmpeg', file, { port: server.ports.srt, streamId: resource(name) });
  publishers.push(publisher);
  return publisher;
}

async function leave(): Promise<void> {
  for (const caller of callers.splice(0)) caller.vanish();
  await Promise.all(publishers.splice(0).map((publisher) => publisher.stop()));
  await server.stop();
}

/** Mbit/s admitted between two looks. */
function admittedMbps(from: StreamSnapshot, to: StreamSnapshot): number {
  return ((to.usage.bytes - from.usage.bytes) * 8) / ((to.uptime_ms - from.uptime_ms) * 1_000);
}

describe('side by side for six seconds', () => {
  const WATCHED_MS = 6_000;
  const STREAMS = {
    throttled: {
      limits: 'max_bitrate: 1Mbps, on_exceed: throttle, grace: never',
      file: { kbps: 2_000, gopSeconds: 1, bFrames: 2 },
    },
    dropped: {
      limits: 'max_bitrate: 1Mbps, on_exceed: drop, grace: never',
      file: { kbps: 2_000, gopSeconds: 1 },
    },
    'too-fast': {
      limits: 'max_fps: 30fps, on_exceed: drop, grace: never',
      file: { kbps: 1_000, fps: 60, gopSeconds: 1 },
    },
    'many-packets': {
      limits: 'max_packets_per_sec: 60/s, on_exceed: drop, grace: never',
      file: { kbps: 1_000, gopSeconds: 1 },
    },
    observed: {
      limits:
        'max_bitrate: 500kbps, max_fps: 20fps, max_packets_per_sec: 50/s, on_exceed: observe, grace: 1s',
      file: { kbps: 1_000, gopSeconds: 1 },
    },
    compliant: {
      limits:
        'max_bitrate: 1500kbps, max_fps: 30fps, max_packets_per_sec: 150/s, on_exceed: throttle, grace: 1s',
      file: { kbps: 1_000, gopSeconds: 1 },
    },
  } as const;
  type Name = keyof typeof STREAMS;
  const NAMES = Object.keys(STREAMS) as Name[];

  const from = new Map<string, StreamSnapshot>();
  const to = new Map<string, StreamSnapshot>();
  const played = new Map<string, Buffer>();

  beforeAll(async () => {
    const policies = NAMES.map(
      (name) =>
        `  - { name: ${name}, match: { stream: ${name} }, override: true, stream: { ${STREAMS[name].limits} } }`,
    );
    server = await TestServer.start({
      config: ['limits: { client: { max_streams: 20 } }', 'policies:', ...policies].join('\n'),
    });
    const files = NAMES.map((name) => [name, tsClip(STREAMS[name].file)] as const);
    for (const [name, file] of files) publish(name, file);
    // The burst allowance is used up by then, and the limits hold.
    for (const name of NAMES) await server.stream(`/live/${name}`, ({ uptime_ms }) => uptime_ms > 3_000);
    const readings = new Map<string, HttpReading>();
    for (const name of NAMES)
      readings.set(name, fetchFor(`http://127.0.0.1:${server.ports.playback}/live/${name}.ts`));
    for (const stream of await server.streams()) from.set(stream.name, stream);
    await pause(WATCHED_MS);
    for (const stream of await server.streams()) to.set(stream.name, stream);
    for (const [name, reading] of readings) played.set(name, await reading.stop());
  });
  afterAll(leave);

  const seen = (name: Name) => ({ from: from.get(name)!, to: to.get(name)!, played: played.get(name)! });

  test.each(NAMES)('what a player receives of the %s stream decodes, and its audio is whole', (name) => {
    const ts = seen(name).played;
    expect(decodeErrors(ts)).toBe('');
    // 44,100 Hz in frames of 1,024 samples are 43 a second; a player waits up to a second for its first keyframe.
    expect(unitsOf(ts, 'a')).toBeGreaterThan(43 * (WATCHED_MS / 1_000 - 2));
    expect(unitsOf(ts, 'v')).toBeGreaterThan(30);
  });

  test.each(['throttled', 'dropped'] as const)(
    'a %s stream is held at its bitrate by dropping',
    async (name) => {
      const stream = seen(name);
      expect(admittedMbps(stream.from, stream.to)).toBeLessThan(1.13);
      expect(admittedMbps(stream.from, stream.to)).toBeGreaterThan(0.7);
      expect(stream.to.usage.dropped_frames).toBeGreaterThan(stream.from.usage.dropped_frames + 30);
      expect(stream.to.usage.keyframes - stream.from.usage.keyframes).toBeGreaterThanOrEqual(3);
      expect(stream.to.usage.throttled_ms).toBe(0);
      await server.stream(`/live/${name}`, ({ state }) => state === 'dropping');
      expect(
        await server.receipt('stream_bitrate', (receipt) => receipt.path === `/live/${name}`),
      ).toMatchObject({ action: 'drop', protocol: 'srt', limit: 1_000_000 });
    },
  );

  test('a stream of too many frames is held at its frame rate', async () => {
    const { from: start, to: end } = seen('too-fast');
    const fps = ((end.usage.frames - start.usage.frames) * 1_000) / (end.uptime_ms - start.uptime_ms);
    expect(fps).toBeLessThan(33);
    expect(fps).toBeGreaterThan(20);
    expect(await server.receipt('stream_fps', ({ path }) => path === '/live/too-fast')).toMatchObject({
      limit: 30,
    });
  });

  test('a stream of too many packets is held at its packet rate', async () => {
    const { from: start, to: end } = seen('many-packets');
    const rate = ((end.usage.packets - start.usage.packets) * 1_000) / (end.uptime_ms - start.uptime_ms);
    expect(rate).toBeLessThan(70);
    expect(rate).toBeGreaterThan(30);
    expect(
      await server.receipt('stream_packet_rate', ({ path }) => path === '/live/many-packets'),
    ).toMatchObject({ limit: 60 });
  });

  test('observe counts and changes nothing', async () => {
    const { from: start, to: end } = seen('observed');
    expect(admittedMbps(start, end)).toBeGreaterThan(1);
    expect(end.state).toBe('exceeding');
    expect(end.usage).toMatchObject({ dropped_frames: 0, dropped_bytes: 0, throttled_ms: 0 });
    expect(end.usage.violations).toBeGreaterThan(0);
    expect(await server.receipt('stream_bitrate', ({ path }) => path === '/live/observed')).toMatchObject({
      action: 'observe',
    });
  });

  test('a stream that keeps to its limits is never touched', () => {
    const { to: end } = seen('compliant');
    expect(end.state).toBe('live');
    expect(end.usage).toMatchObject({ dropped_frames: 0, dropped_bytes: 0, violations: 0 });
    expect(end.limits).toMatchObject({ on_exceed: 'throttle', max_fps: 30 });
  });
});

describe('alone', () => {
  afterEach(leave);

  test('disconnect cuts after grace, cools the key and the address down, and why explains it', async () => {
    server = await TestServer.start({
      config: 'limits: { stream: { max_bitrate: 500kbps, on_exceed: disconnect, grace: 2s, cooldown: 3s } }',
    });
    const first = publish('cam', tsClip({ kbps: 1_000 }));
    await server.stream('/live/cam', ({ state }) => state === 'exceeding');
    await first.exited;
    const cut = await server.receipt('stream_bitrate', ({ action }) => action === 'cut');
    expect(cut).toMatchObject({ protocol: 'srt', retry_after_ms: 3_000, limit: 500_000, path: '/live/cam' });
    const again = async () => {
      const { caller, answer } = await SrtCaller.call({ port: server.ports.srt, streamId: resource('cam') });
      callers.push(caller);
      return answer;
    };
    expect(await again()).toEqual({ accepted: false, refused: 1403 });
    expect(await server.receipt('cooldown')).toMatchObject({
      action: 'refuse',
      ip: '127.0.0.1',
      protocol: 'srt',
    });
    const why = await headgate(['why', cut.id, '--url', server.url('')]);
    expect(why.code).toBe(0);
    expect(why.stdout).toContain('stream_bitrate');
    await pause(Math.max(0, 3_000 - (Date.now() - Date.parse(cut.at))));
    publish('cam', tsClip({ kbps: 1_000 }));
    await server.stream('/live/cam');
  });

  test('a kick sticks for its cooldown', async () => {
    server = await TestServer.start();
    const publisher = publish('cam', tsClip({ kbps: 1_000 }));
    const { id } = await server.stream('/live/cam');
    const kicked = await headgate(['kick', id, '--cooldown', '30s', '--url', server.url('')]);
    expect(kicked.code).toBe(0);
    await publisher.exited;
    const { caller, answer } = await SrtCaller.call({ port: server.ports.srt, streamId: resource('cam') });
    callers.push(caller);
    expect(answer).toEqual({ accepted: false, refused: 1403 });
  });

  test('a stream of one client over RTMP and one over SRT share its cap and the budget of the server', async () => {
    server = await TestServer.start({
      config:
        'limits: { global: { max_bandwidth: 1500kbps }, client: { max_streams: 2 }, stream: { max_bitrate: 6Mbps, grace: 1s } }',
    });
    publish('by-srt', tsClip({ kbps: 1_000, gopSeconds: 1 }));
    publishers.push(new Publisher(clip({ kbps: 1_000 }), `${server.rtmp()}/by-rtmp`));
    await server.stream('/live/by-srt', ({ uptime_ms }) => uptime_ms > 4_000);
    await server.stream('/live/by-rtmp');
    const { caller, answer } = await SrtCaller.call({ port: server.ports.srt, streamId: resource('third') });
    callers.push(caller);
    expect(answer).toEqual({ accepted: false, refused: 1402 });
    expect(await server.receipt('client_streams')).toMatchObject({
      protocol: 'srt',
      limit: 2,
      path: '/live/third',
    });
    const totals = await until(async () => {
      const now = await server.totals();
      return now.bitrate_bps < 1_600_000 ? now : undefined;
    }, 'the server to be held at its bandwidth');
    // Squeezed by a budget, not offending: neither is cut, whatever its grace.
    expect(totals.streams).toBe(2);
    await server.receipt('global_bandwidth', ({ protocol }) => protocol === 'srt');
    const top = await headgate(['top', '--once', '--url', server.url('')]);
    expect(top.stdout).toMatch(/by-srt/);
    expect(top.stdout).toMatch(/by-rtmp/);
  });
});
