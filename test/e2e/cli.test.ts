import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StreamSnapshot } from '../../src/core/stream.ts';
import { Cli, type Ran, headgate as run } from '../support/cli.ts';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { TestServer, until } from '../support/server.ts';

/** Every command that asks a server, against a real one with real publishers. */
const CONFIG =
  'limits:\n  client: { max_streams: 3 }\n  ip: { connection_rate: 1000/s, max_connections: 100 }';

let server: TestServer;
let file: string;
const publishers: Publisher[] = [];
const running: Cli[] = [];

function publish(name: string): Publisher {
  const publisher = new Publisher(file, `${server.rtmp()}/${name}`);
  publishers.push(publisher);
  return publisher;
}

function env(): Record<string, string> {
  return { HEADGATE_URL: server.url('') };
}

function headgate(...args: string[]): Promise<Ran> {
  return run(args, { env: env() });
}

function start(...args: string[]): Cli {
  const cli = new Cli(args, { env: env() });
  running.push(cli);
  return cli;
}

beforeAll(async () => {
  file = clip({ kbps: 1000 });
  server = await TestServer.start({ config: CONFIG });
  publish('cam1');
  publish('cam2');
  await server.stream('/live/cam1', ({ usage }) => usage.bitrate_bps > 500_000 && usage.fps > 0);
  await server.stream('/live/cam2');
});
afterAll(async () => {
  await Promise.all([
    ...running.map((cli) => cli.stop()),
    ...publishers.map((publisher) => publisher.stop()),
  ]);
  await server.stop();
});

test('streams lists what is live', async () => {
  const { code, stdout, stderr } = await headgate('streams');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(
    /^ID +PATH .*\n(s-\w+ +\/live\/cam[12] +live .* rtmp +[\d.]+ [kM]bps +6Mbps .*\n){2}$/,
  );
});

test('a reader that has seen enough is no error', () => {
  const main = path.resolve(import.meta.dirname, '../../src/main.ts');
  for (const command of ['streams --json', 'events --json -n 1000', 'stream cam1', '--help']) {
    const line = `set -o pipefail; "${process.execPath}" "${main}" ${command} | true`;
    const { status, stderr } = spawnSync('bash', ['-c', line], {
      encoding: 'utf8',
      env: { ...process.env, ...env() },
    });
    expect({ command, status, stderr }).toEqual({ command, status: 0, stderr: '' });
  }
});

test('a full disk is an error of one line', async () => {
  const main = path.resolve(import.meta.dirname, '../../src/main.ts');
  const line = `exec "${process.execPath}" "${main}" streams >/dev/full`;
  const { status, stderr } = spawnSync('bash', ['-c', line], {
    encoding: 'utf8',
    env: { ...process.env, ...env() },
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^headgate: the output cannot be written: .*ENOSPC.*\n$/);
});

test('stream tells what the publisher sends', async () => {
  const { code, stdout } = await headgate('stream', '/live/cam1');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\/live\/cam1 {2}s-\w+ {2}live\n/);
  expect(stdout).toMatch(/bitrate +[\d.]+ [kM]bps of 6Mbps +#+-+ +\d+%/);
  expect(stdout).toMatch(/frames +\d+(\.\d)? fps of 60fps/);
  expect(stdout).toMatch(/max_bitrate +6Mbps +limits\.stream/);
  expect(stdout).toMatch(/video +h264 640x360/);
  expect(stdout).toMatch(/streams +2 of 3/);
});

test('limit holds a live stream, says until when, and is taken back', async () => {
  const set = await headgate(
    'limit',
    'cam2',
    'max_bitrate=300kbps',
    'on_exceed=drop',
    'grace=never',
    '--for',
    '10m',
  );
  expect(set).toMatchObject({ code: 0, stderr: '' });
  expect(set.stdout).toMatch(/^\/live\/cam2 {2}s-\w+ {2}limits until \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ\n/);
  expect(set.stdout).toContain('max_bitrate 300kbps  was 6Mbps, now from override');
  await server.stream('/live/cam2', ({ usage }) => usage.dropped_frames > 0);
  const page = await headgate('stream', 'cam2');
  expect(page.stdout).toMatch(/max_bitrate +300kbps +override, until /);
  expect(page.stdout).toMatch(/drop +stream_bitrate +\/live\/cam2 .* of 300kbps/);
  const why = await headgate('why', 'cam2');
  expect(why.stdout).toMatch(
    /\/live\/cam2 from 127\.0\.0\.1 over rtmp, stream s-\w+, lost video frames because .*300kbps/,
  );
  const cleared = await headgate('limit', 'cam2', '--clear', '--json');
  expect((JSON.parse(cleared.stdout) as StreamSnapshot).limits).toMatchObject({
    max_bitrate_bps: 6e6,
    override_until: null,
  });
});

test('a refused publisher finds out why', async () => {
  const third = publish('cam3');
  await server.stream('/live/cam3');
  const refused = publish('cam4');
  await refused.exited;
  const { code, stdout } = await headgate('why', refused.stderr.trim());
  expect(code).toBe(0);
  expect(stdout).toContain('client_streams');
  expect(stdout).toContain(
    '/live/cam4 from 127.0.0.1 over rtmp was refused because this client had 3 streams live and may have 3.',
  );
  const [receipt] = stdout.split(' ');
  expect((await headgate('why', 'live/cam4')).stdout).toMatch(new RegExp(`^${receipt} `));
  await third.stop();
});

test('kick disconnects, keeps out, and is told by why', async () => {
  const { id } = await server.stream('/live/cam2');
  const { code, stdout } = await headgate('kick', id, '--cooldown', '2s', '--reason', 'too loud');
  expect(code).toBe(0);
  expect(stdout).toContain(
    `kicked /live/cam2 (${id}) of 127.0.0.1 from 127.0.0.1: its stream key and address are refused for 2s`,
  );
  await until(
    async () => (await server.streams()).every((stream) => stream.id !== id),
    'the stream to be gone',
  );
  const why = await headgate('why', id, '-n', '1');
  expect(why.stdout).toContain('was disconnected because an operator disconnected it.');
  expect(why.stdout).toContain('Told then: an operator kicked this stream: too loud.');
  const gone = await headgate('kick', id);
  expect(gone.code).toBe(1);
  expect(gone.stderr).toContain(`no live stream ${id}`);
});

test('top --once shows the streams within the columns there are', async () => {
  const { code, stdout } = await headgate('top', '--once');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^headgate ingest-1 {2}ready, gate open {2}up /);
  expect(stdout).toContain('/live/cam1');
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
});

test('top --json is a line for every snapshot', async () => {
  const top = start('top', '--json');
  await until(() => top.stdout.split('\n').length > 2, 'two snapshots');
  const [first] = top.stdout.split('\n');
  const { streams } = JSON.parse(first!) as { streams: StreamSnapshot[] };
  expect(streams.map((stream) => stream.path)).toContain('/live/cam1');
  expect(await top.stop('SIGINT')).toBe(0);
});

describe('events', () => {
  test('begins with the last ones, goes on with what happens, and ends on Ctrl-C', async () => {
    const cli = start('events', '--follow', '-n', '2');
    const json = start('events', '--follow', '--json', '-n', '1');
    await until(() => cli.stdout.trimEnd().split('\n').length >= 2 && json.stdout !== '', 'the last events');
    expect((await headgate('limit', 'cam1', 'max_fps=45fps')).code).toBe(0);
    await until(() => cli.stdout.includes('max_fps=45'), 'the new event');
    expect(cli.stdout).toMatch(/limit +by operator@127\.0\.0\.1 on s-\w+: \/live\/cam1: max_fps=45/);
    await until(() => json.stdout.includes('max_fps=45'), 'the new event as JSON');
    const lines = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({ kind: 'audit', action: { action: 'limit' } });
    expect(new Set(cli.stdout.trimEnd().split('\n')).size).toBe(cli.stdout.trimEnd().split('\n').length);
    expect(await cli.stop('SIGINT')).toBe(0);
    expect(await json.stop('SIGTERM')).toBe(0);
    expect(cli.stderr + json.stderr).toBe('');
  });

  test('outlives the server, says so, and misses nothing', async () => {
    const first = await TestServer.start();
    const { admin } = first.ports;
    const cli = new Cli(['events', '-f', '--json', '--url', first.url('')]);
    running.push(cli);
    await until(() => cli.stdout.includes('"start"'), 'the first start');
    await first.stop();
    await until(() => cli.stderr.includes('trying again until it is back'), 'the loss to be told');
    // The environment goes before the file: the same port as before.
    const second = await TestServer.start({ env: { HEADGATE_LISTEN__ADMIN: `127.0.0.1:${admin}` } });
    await until(() => cli.stderr.includes('is back'), 'the return to be told');
    const starts = () => cli.stdout.split('\n').filter((line) => line.includes('"action":"start"'));
    await until(() => starts().length === 2, 'the second start');
    expect(cli.stderr.trimEnd().split('\n')).toHaveLength(2);
    expect(await cli.stop('SIGINT')).toBe(0);
    await second.stop();
  });

  test('ends when its reader has gone', async () => {
    const main = path.resolve(import.meta.dirname, '../../src/main.ts');
    const line = `set -o pipefail; "${process.execPath}" "${main}" events -f -n 1000 | head -1`;
    const shell = spawn('bash', ['-c', line], { env: { ...process.env, ...env() }, stdio: 'ignore' });
    const closed = new Promise((resolve) => shell.once('close', resolve));
    let ended = false;
    void closed.then(() => {
      ended = true;
    });
    await until(async () => {
      if (ended) return true;
      await headgate('limit', 'cam1', 'max_fps=44fps');
      return ended;
    }, 'the command to end');
    expect(await closed).toBe(0);
  });
});
