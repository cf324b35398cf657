import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AuditEvent } from '../../src/telemetry/events.ts';
import { headgate } from '../support/cli.ts';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { TestServer, until } from '../support/server.ts';

/** The audit log of a real server, written and read back. */
let folder: string;
let file: string;
let server: TestServer | null = null;
const publishers: Publisher[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'headgate-audit-'));
  file = path.join(folder, 'audit.jsonl');
});
afterEach(async () => {
  await Promise.all(publishers.splice(0).map((publisher) => publisher.stop()));
  await server?.stop();
  server = null;
  rmSync(folder, { recursive: true, force: true });
});

const SECRETS =
  'auth: { mode: keys }\nclients:\n  - { id: alice, keys: [ k-secret-1, k-secret-2 ], limits: { max_streams: 1 } }';
const audit = (more = ''): string => `audit: { file: "${file}"${more} }`;

function events(name = file): AuditEvent[] {
  if (!existsSync(name)) return [];
  const lines = readFileSync(name, 'utf8').trimEnd().split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as AuditEvent);
}

const reasons = (name = file) =>
  events(name).map((event) => (event.kind === 'receipt' ? event.receipt.reason : event.action.action));

/** A publisher that is let in, and one that is refused. */
async function publishTwice(to: TestServer): Promise<void> {
  const media = clip({ kbps: 1000 });
  publishers.push(new Publisher(media, `${to.rtmp()}/k-secret-1`));
  await to.stream('/live/alice-1');
  const refused = new Publisher(media, `${to.rtmp()}/k-secret-2`);
  publishers.push(refused);
  await refused.exited;
}

test('what is decided and done is in the file, without a secret, and is read back with filters', async () => {
  server = await TestServer.start({ config: `${SECRETS}\n${audit()}` });
  await publishTwice(server);
  const url = ['--url', server.url('')];
  expect((await headgate(['kick', 'alice-1', '--reason', 'too loud', ...url])).code).toBe(0);
  await until(() => reasons().includes('kick'), 'the kick in the file');
  await until(() => reasons().includes('client_streams'), 'the refusal in the file');
  expect(readFileSync(file, 'utf8')).not.toContain('k-secret');
  expect(events()[0]).toMatchObject({ node: 'ingest-1', kind: 'audit', action: { action: 'start' } });
  await server.stop('SIGTERM');
  expect(reasons()).toContain('drain');
  // Rotated and packed by somebody else, as logrotate does it.
  writeFileSync(`${file}.1.gz`, gzipSync(readFileSync(file)));
  writeFileSync(file, '{"kind":"receipt","rec');
  const read = (...args: string[]) => headgate(['events', '--file', file, ...args]);
  const all = await read('--json', '-n', '1000');
  expect(all.stderr).toBe('headgate: 1 lines could not be read\n');
  const told = all.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(told[0]).toMatchObject({ kind: 'audit', action: { action: 'start' } });
  expect(told[0]).not.toHaveProperty('node');
  const refused = await read('--reason', 'client_streams');
  expect(refused.stdout).toMatch(/^\S+ \S+ +refuse +client_streams +\/live\/alice-2 .*\n$/);
  expect((await read('--key', 'alice-1', '--action', 'cut')).stdout).toMatch(/ cut +kicked +\/live\/alice-1/);
  expect((await read('--since', '2999-01-01')).stderr).toContain('no such events in these files');
  expect((await read('--since', '1h', '--json', '-n', '1000')).stdout).toBe(all.stdout);
  const nowhere = await headgate(['events', '--file', path.join(folder, 'none')]);
  expect(nowhere).toMatchObject({ code: 1, stdout: '' });
  expect(nowhere.stderr).toContain('there is no such file');
});

describe('while it runs', () => {
  test('SIGHUP begins a new file where logrotate moved the old one, and a reload moves it elsewhere', async () => {
    server = await TestServer.start({ config: audit() });
    await until(() => reasons().includes('start'), 'the first line');
    renameSync(file, `${file}.old`);
    server.process.kill('SIGHUP');
    await until(() => reasons().includes('reload'), 'the new file');
    expect(reasons(`${file}.old`)).toContain('start');
    const other = path.join(folder, 'other.jsonl');
    server.configure(`audit: { file: "${other}" }`);
    await until(() => reasons(other).includes('reload'), 'the other file');
    server.configure(`audit: { file: "${folder}/none/a.jsonl" }`);
    const failed = await until(
      () => server!.log.find(({ msg }) => msg.startsWith('config not reloaded')),
      'the complaint',
    );
    expect(failed.msg).toContain('audit.file: there is no folder');
    server.configure('audit: { file: null }');
    const changes = () => server!.log.filter(({ msg }) => msg.startsWith('config changed: audit.file'));
    await until(() => changes().length === 2, 'the end of it');
    const { size } = statSync(other);
    expect((await headgate(['api', '/readyz', '--url', server.url('')])).code).toBe(0);
    expect(statSync(other).size).toBe(size);
  });

  test('a folder that vanishes is told in the log and the metrics; publishers notice nothing', async () => {
    const gone = path.join(folder, 'logs');
    spawnSync('mkdir', [gone]);
    file = path.join(gone, 'audit.jsonl');
    server = await TestServer.start({ config: audit() });
    publishers.push(new Publisher(clip({ kbps: 1000 }), `${server.rtmp()}/cam1`));
    await server.stream('/live/cam1');
    rmSync(gone, { recursive: true });
    const told = await until(
      () => server!.log.find(({ msg }) => msg.startsWith('the audit log cannot')),
      'the complaint',
    );
    expect(told).toMatchObject({ level: 'error', cause: 'ENOENT' });
    expect(await server.metric('headgate_audit_log_failing')).toBe(1);
    const before = (await server.stream('/live/cam1')).usage.bytes;
    await server.stream('/live/cam1', ({ usage }) => usage.bytes > before + 100_000);
    spawnSync('mkdir', [gone]);
    await until(async () => (await server!.metric('headgate_audit_log_failing')) === 0, 'the recovery');
    expect(existsSync(file)).toBe(true);
  });
});

test('a disk that becomes full costs lines and no stream, and what is missing is told when there is room', async () => {
  // A file system of its own where root may mount one, else a bound on what the process may write.
  const small = path.join(folder, 'small');
  spawnSync('mkdir', [small]);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small]).status === 0;
  file = path.join(mounted ? small : folder, 'audit.jsonl');
  try {
    const config = `admin: { rate_limit: { requests: 10000/s, burst: 10000 } }\n${audit()}`;
    server = await TestServer.start({ config });
    if (!mounted) spawnSync('prlimit', ['--pid', String(server.process.pid), '--fsize=65536']);
    publishers.push(new Publisher(clip({ kbps: 1000 }), `${server.rtmp()}/cam1`));
    const { id } = await server.stream('/live/cam1');
    let number = 0;
    await until(
      async () => {
        for (let times = 0; times < 50; times++, number++) {
          const body = JSON.stringify({ max_fps: `${50 + (number % 9)}fps` });
          const headers = { 'content-type': 'application/json' };
          const url = server!.url(`/api/v1/streams/${id}/limits`);
          const answer = await fetch(url, { method: 'PATCH', headers, body });
          await answer.arrayBuffer();
          expect(answer.status).toBe(200);
        }
        return server!.log.find(({ msg }) => msg.startsWith('the audit log cannot be written'));
      },
      'the full disk',
      30_000,
    );
    expect(statSync(file).size).toBeLessThanOrEqual(65_536);
    expect((await server.stream('/live/cam1')).id).toBe(id);
    if (mounted) spawnSync('mount', ['-o', 'remount,size=8m', small]);
    else spawnSync('prlimit', ['--pid', String(server.process.pid), '--fsize=unlimited']);
    await until(
      () => server!.log.find(({ msg }) => msg === 'the audit log is written again'),
      'the recovery',
    );
    // Not a line was lost: what waited had room in memory.
    await until(() => reasons().filter((word) => word === 'limit').length === number, 'every line');
    expect(await server.metric('headgate_audit_log_lines_total', '{result="dropped"}')).toBe(0);
    await server.stop();
  } finally {
    if (mounted) spawnSync('umount', ['-l', small]);
  }
}, 60_000);

test('rotation keeps the bounds under a real server', async () => {
  server = await TestServer.start({ config: audit(', max_size: 64KiB, keep: 2, rotate_every: 1s') });
  publishers.push(new Publisher(clip({ kbps: 1000 }), `${server.rtmp()}/cam1`));
  await server.stream('/live/cam1');
  await until(
    async () => {
      await headgate(['limit', 'cam1', 'max_fps=50fps', '--url', server!.url('')]);
      return (await server!.metric('headgate_audit_log_rotations_total')) >= 3;
    },
    'three rotations',
    30_000,
  );
  const names = readdirSync(folder).sort();
  expect(names.filter((name) => !['audit.jsonl', 'audit.jsonl.1', 'audit.jsonl.2'].includes(name))).toEqual(
    [],
  );
}, 60_000);

test('a path that cannot be written is refused before anything starts', async () => {
  writeFileSync(path.join(folder, 'c.yaml'), `audit: { file: "${folder}/none/audit.jsonl" }\n`);
  for (const command of ['check', 'serve']) {
    const { code, stderr } = await headgate([command, '-c', path.join(folder, 'c.yaml')]);
    expect([command, code]).toEqual([command, 2]);
    expect(stderr).toContain(
      `c.yaml:1:16 audit.file: there is no folder ${folder}/none; make it, or name a file elsewhere`,
    );
  }
  const device = await headgate(['check', '-c', path.join(folder, 'c.yaml')], {
    env: { HEADGATE_AUDIT__FILE: '/dev/full' },
  });
  expect(device.code).toBe(2);
  expect(device.stderr).toContain('/dev/full is no regular file');
});
