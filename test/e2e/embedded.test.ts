import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import pino from 'pino';
import { afterEach, expect, test } from 'vitest';
import {
  ConfigError,
  createServer,
  HeadgateError,
  type HeadgateServer,
  type Listening,
  type Receipt,
  type ServerOptions,
} from '../../src/index.ts';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { until } from '../support/server.ts';

/** Only RTMP, on a free port; a machine that is busy with tests refuses nobody. */
const QUIET = {
  listen: { rtmp: '127.0.0.1:0', srt: null, playback: null, admin: null },
  resources: { cpu: null, heap: null, memory: null, event_loop: null },
  adaptive: { enabled: false },
  backpressure: { enabled: false },
} as const satisfies ServerOptions;

const servers: HeadgateServer[] = [];
const publishers: Publisher[] = [];
afterEach(async () => {
  for (const publisher of publishers.splice(0)) await publisher.stop();
  for (const server of servers.splice(0)) await server.stop();
});

async function started(options: ServerOptions = {}): Promise<HeadgateServer> {
  const server = createServer({ ...QUIET, ...options } as ServerOptions);
  servers.push(server);
  await server.start();
  return server;
}

function publish(server: HeadgateServer, name: string, kbps = 800): Publisher {
  const publisher = new Publisher(
    clip({ kbps }),
    `rtmp://127.0.0.1:${server.listening.rtmp?.port}/live/${name}`,
  );
  publishers.push(publisher);
  return publisher;
}

async function refuses(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(false));
    socket.once('error', () => resolve(true));
  }).finally(() => socket.destroy()) as Promise<boolean>;
}

test('a program sees its streams, hears of decisions, and acts on them', async () => {
  const server = await started();
  const receipts: Receipt[] = [];
  const moments: string[] = [];
  server.on('receipt', (receipt) => receipts.push(receipt));
  const stop = server.on('stream', ({ type, stream }) => moments.push(`${type} ${stream.path}`));
  expect(server.streams()).toEqual([]);
  const publisher = publish(server, 'cam1', 2500);
  const stream = await until(() => {
    const found = server.stream('/live/cam1');
    return found !== null && found.usage.bitrate_bps > 1_000_000 && found;
  }, 'the stream');
  expect(server.stream(stream.id)?.path).toBe('/live/cam1');
  expect(server.totals()).toMatchObject({ streams: 1, connections: 1 });

  expect(server.limit(stream.id, { max_bitrate: '1Mbps', grace: 'never', for: '1m' })).toMatchObject({
    limits: { max_bitrate_bps: 1_000_000, grace_ms: null },
  });
  await until(() => receipts.find(({ reason }) => reason === 'stream_bitrate'), 'a receipt of the excess');
  expect(server.stream(stream.id)?.state).toBe('throttled');

  const receipt = server.kick(stream.id, { cooldown: '1m', reason: 'enough' });
  expect(server.receipts({ reason: 'kicked' })[0]).toMatchObject({ id: receipt, path: '/live/cam1' });
  expect(await publisher.exited).not.toBe(0);
  expect(moments).toEqual(['started /live/cam1', 'ended /live/cam1']);
  stop();

  const again = publish(server, 'cam1');
  expect(await again.exited).not.toBe(0);
  expect(server.receipts({ reason: 'cooldown', limit: 1 })[0]).toMatchObject({ ip: '127.0.0.1' });
  expect(server.kick('s-none')).toBeNull();
});

test('a new config holds for live streams, and a wrong one changes nothing', async () => {
  const server = await started();
  publish(server, 'cam1');
  await until(() => server.stream('/live/cam1'), 'the stream');
  server.configure({ ...QUIET, limits: { stream: { max_bitrate: '2Mbps' } } });
  expect(server.stream('/live/cam1')?.limits.max_bitrate_bps).toBe(2_000_000);
  expect(() => server.configure({ limits: { stream: { max_bitrate: '2' } } })).toThrow(ConfigError);
  expect(server.stream('/live/cam1')?.limits.max_bitrate_bps).toBe(2_000_000);
});

test.each([
  [{ limits: { stream: { max_bitrat: '6Mbps' } } }, 'limits.stream.max_bitrat: is not a known key'],
  [{ limits: { stream: { max_bitrate: 6 } } }, 'limits.stream.max_bitrate: 6 has no unit'],
  [{ limits: { global: { max_streams: Number.NaN } } }, 'config: is not a config object: it holds NaN'],
  [{ file: '/nowhere/headgate.yaml' }, '/nowhere/headgate.yaml: there is no such file'],
])('%j is refused as the file would be', (options, message) => {
  const refused = () => createServer(options as ServerOptions);
  expect(refused).toThrow(HeadgateError);
  expect(refused).toThrow(message);
});

test('every mistake is told at once, each by itself', () => {
  try {
    createServer({ limits: { stream: { max_bitrate: '6', max_fps: 'many' } } });
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ code: 'HG_CONFIG_INVALID' });
    expect((error as ConfigError).problems.map((problem) => problem.path)).toEqual([
      'limits.stream.max_bitrate',
      'limits.stream.max_fps',
    ]);
  }
});

test('an order that cannot be meant is the program’s mistake', async () => {
  const server = await started();
  expect(() => server.kick('s-1', { cooldown: '30' })).toThrow(/^cooldown: 30 has no unit/);
  expect(() => server.limit('s-1', { max_bitrate: '4' })).toThrow(/^change\.max_bitrate: 4 has no unit/);
  expect(() => server.on('streams' as 'stream', () => {})).toThrow('there is no event "streams"');
});

test('a port that is taken fails the start, and nothing is left behind', async () => {
  const first = await started();
  const taken = `127.0.0.1:${first.listening.rtmp?.port}`;
  const second = createServer({ ...QUIET, listen: { ...QUIET.listen, admin: '127.0.0.1:0', rtmp: taken } });
  await expect(second.start()).rejects.toMatchObject({ code: 'HG_LISTEN' });
  expect(await refuses(second.listening.admin?.port ?? 0)).toBe(true);
});

test('a config file is followed, and the environment only when it is handed over', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'headgate-embedded-'));
  const file = path.join(folder, 'headgate.yaml');
  const listen = 'listen: { rtmp: "127.0.0.1:0", srt: null, playback: null, admin: null }\n';
  const quiet = 'resources: { cpu: null, heap: null, memory: null, event_loop: null }\n';
  const limit = (bitrate: string) => `${listen}${quiet}limits: { stream: { max_bitrate: ${bitrate} } }\n`;
  writeFileSync(file, limit('5Mbps'));
  const server = createServer({ file, env: { HEADGATE_LIMITS__CLIENT__MAX_STREAMS: '1' } });
  servers.push(server);
  await server.start();
  publish(server, 'cam1');
  const stream = await until(() => server.stream('/live/cam1'), 'the stream');
  expect(stream.limits.max_bitrate_bps).toBe(5_000_000);
  writeFileSync(file, limit('3Mbps'));
  await until(() => server.stream('/live/cam1')?.limits.max_bitrate_bps === 3_000_000, 'the new limit');
  const second = publish(server, 'cam2');
  expect(await second.exited).not.toBe(0);
  expect(server.receipts({ reason: 'client_streams' })).toHaveLength(1);
  rmSync(folder, { recursive: true });
});

test('what a listener throws is the program’s own, and the server goes on', async () => {
  const server = await started();
  // The runner counts every one as a failure.
  const runners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const heard = new Promise((resolve) => process.once('uncaughtException', resolve));
  const stop = server.on('stream', () => {
    stop();
    throw new Error('a mistake in a listener');
  });
  publish(server, 'cam1');
  await until(() => server.stream('/live/cam1'), 'the stream');
  expect(await heard).toMatchObject({ message: 'a mistake in a listener' });
  for (const listener of runners) process.on('uncaughtException', listener);
});

test('a server starts once, stops once, and stays stopped', async () => {
  const server = await started();
  const place = server.listening.rtmp;
  await server.start();
  expect(server.listening.rtmp).toEqual(place);
  await Promise.all([server.stop(), server.stop()]);
  await expect(server.start()).rejects.toThrow('a server that was stopped stays stopped');
});

test('it is silent unless it is given a logger, whose level is its own', async () => {
  const lines: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
  await started({ logger, logging: { level: 'error' } } as ServerOptions);
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toContain('headgate is ready');
});

test('several servers in one process, and nothing is left of them', async () => {
  const file = path.resolve(import.meta.dirname, '../support/two-servers.ts');
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
  const ready = await until(() => lines.find((line) => 'listening' in line), 'both servers', 30_000);
  const [first, second] = ready['listening'] as [Listening, Listening];
  expect(
    (ready['signals'] as string[]).filter((name) => name.startsWith('SIG') || name.includes('xception')),
  ).toEqual([]);

  for (const [place, name] of [
    [first, 'one'],
    [second, 'two'],
  ] as const) {
    publishers.push(new Publisher(clip({ kbps: 800 }), `rtmp://127.0.0.1:${place.rtmp?.port}/live/${name}`));
  }
  await until(() => lines.filter((line) => line['type'] === 'started').length === 2, 'both streams');
  expect(
    lines.filter((line) => 'type' in line).sort((a, b) => Number(a['index']) - Number(b['index'])),
  ).toEqual([
    { index: 0, type: 'started', path: '/live/one' },
    { index: 1, type: 'started', path: '/live/two' },
  ]);

  child.stdin.end();
  // It ends by itself: a port, timer or connection that is left would keep it.
  expect(await exited).toEqual([0, null]);
  for (const { rtmp, playback, admin } of [first, second])
    for (const place of [rtmp, playback, admin]) expect(await refuses(place?.port ?? 0)).toBe(true);
});
