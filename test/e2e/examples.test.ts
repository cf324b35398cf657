import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { until } from '../support/server.ts';

/**
 * The examples as a user runs them: beside an installed package, which is what
 * `npm pack` made, unpacked. Its dependencies and the built addon are those of
 * the checkout; that they install by themselves is the pack test's affair.
 */

const CHECKOUT = path.resolve(import.meta.dirname, '../..');
/** Packing compiles TypeScript and the dashboard. */
const PACK_TIMEOUT_MS = 180_000;

let temp: string;

function run(command: string, args: readonly string[], cwd = temp): string {
  const ran = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (ran.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}

beforeAll(() => {
  temp = mkdtempSync(path.join(tmpdir(), 'headgate-examples-'));
  const packed = run('npm', ['pack', '--json', '--pack-destination', temp], CHECKOUT);
  const filename = /"filename":\s*"([^"]+)"/.exec(packed)?.[1] ?? '';
  const modules = path.join(temp, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(path.join(CHECKOUT, 'node_modules'))) {
    if (!name.startsWith('.'))
      symlinkSync(path.join(CHECKOUT, 'node_modules', name), path.join(modules, name));
  }
  run('tar', ['-xzf', filename]);
  rmSync(path.join(modules, 'headgate'), { force: true });
  cpSync(path.join(temp, 'package'), path.join(modules, 'headgate'), { recursive: true });
  // The addons themselves, without what the compiler left beside them.
  const [built, here] = [path.join(CHECKOUT, 'build/Release'), path.join(modules, 'headgate/build/Release')];
  cpSync(built, here, { recursive: true, filter: (from) => !from.includes('obj.target') });
  cpSync(path.join(modules, 'headgate/examples'), temp, { recursive: true });
  writeFileSync(path.join(temp, 'package.json'), '{ "private": true, "type": "module" }');
}, PACK_TIMEOUT_MS);
afterAll(() => rmSync(temp, { recursive: true, force: true }));

const running: Example[] = [];
afterEach(async () => {
  for (const example of running.splice(0)) await example.end('SIGKILL');
});

class Example {
  readonly process: ChildProcess;
  output = '';

  constructor(file: string, env: Record<string, string> = {}) {
    const plain = { ...process.env, RTMP_PORT: '0', PORT: '0', ...env };
    this.process = spawn(process.execPath, [file], { cwd: temp, env: plain });
    const hear = (text: Buffer) => {
      this.output += text;
    };
    this.process.stdout?.on('data', hear);
    this.process.stderr?.on('data', hear);
    running.push(this);
  }

  says(pattern: RegExp): Promise<RegExpExecArray> {
    return until(
      () => {
        if (this.process.exitCode !== null) throw new Error(`the example has ended: ${this.output}`);
        return pattern.exec(this.output);
      },
      `${pattern}`,
      20_000,
    );
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill(signal);
      await once(this.process, 'exit');
    }
    return this.process.exitCode;
  }
}

test('every example is strict TypeScript against the declarations that are shipped', () => {
  const options = {
    compilerOptions: {
      module: 'nodenext',
      target: 'es2023',
      lib: ['es2023'],
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noPropertyAccessFromIndexSignature: true,
      noEmit: true,
      allowImportingTsExtensions: true,
    },
    include: ['*.ts'],
  };
  writeFileSync(path.join(temp, 'tsconfig.json'), JSON.stringify(options));
  expect(run(path.join(CHECKOUT, 'node_modules/.bin/tsc'), ['-p', '.'])).toBe('');
});

test('every example is run below, and listed in their README', () => {
  const files = readdirSync(path.join(CHECKOUT, 'examples')).filter((name) => name.endsWith('.ts'));
  const readme = readFileSync(path.join(CHECKOUT, 'examples/README.md'), 'utf8');
  const here = readFileSync(import.meta.filename, 'utf8');
  expect(files.filter((name) => !readme.includes(`(${name})`) || !here.includes(`'${name}'`))).toEqual([]);
});

test('limiter.ts prints what the family answers', () => {
  expect(run(process.execPath, ['limiter.ts']).split('\n')).toEqual([
    'Gcra: 0 0 250, three at once: never',
    'TokenBucket: 0 0 250, three at once: never',
    'LeakyBucket: 0 0 250, three at once: never',
    expect.stringMatching(/^SlidingWindow: 0 0 1\d\d\d, three at once: never$/),
    'FixedWindow: 0 0 1000, three at once: never',
    'ann true, ann true, ann false, bob true',
    'held 1, refused 1',
    '',
  ]);
});

/** Status and rate limit of the answers to `count` requests. */
async function ask(url: string, count: number, init: RequestInit = {}): Promise<Response[]> {
  const answers: Response[] = [];
  for (let n = 0; n < count; n++) answers.push(await fetch(url, init));
  return answers;
}

test('fastify.ts limits by address, and a scope by token and cost', async () => {
  const example = new Example('fastify.ts');
  const [, base = ''] = await example.says(/listening on (\S+)/);
  const answers = await ask(base, 11);
  expect(answers.map(({ status }) => status)).toEqual([...Array(10).fill(200), 429]);
  const refused = answers.at(-1);
  expect(refused?.headers.get('ratelimit-policy')).toBe('"default";q=10;w=6');
  expect(refused?.headers.get('retry-after')).toBe('1');
  expect(refused?.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(await refused?.json()).toMatchObject({ status: 429, 'violated-policies': ['default'] });
  expect(await example.end()).toBe(0);
});

test('a scope of fastify.ts has its own limit, and routes outside it do not', async () => {
  const example = new Example('fastify.ts');
  const [, base = ''] = await example.says(/listening on (\S+)/);
  const headers = { authorization: 'Bearer ann' };
  const answers = await ask(`${base}/search`, 3, { method: 'POST', headers });
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
  expect(answers[0]?.headers.get('x-ratelimit-remaining')).toBe('3');
  expect(answers[2]?.headers.get('ratelimit')).toMatch(/^"[a-z]+";r=\d+;t=\d+, "search";r=0;t=\d+$/);
  const others = await ask(`${base}/search`, 1, { headers: { authorization: 'Bearer bob' } });
  expect(others[0]?.status).toBe(200);
  expect((await fetch(base)).headers.get('x-ratelimit-limit')).toBeNull();
});

test('express.ts limits by address, believes its own proxy, and leaves the probe alone', async () => {
  const example = new Example('express.ts');
  const [, base = ''] = await example.says(/listening on (\S+)/);
  const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
  const answers = await ask(base, 11, from('192.0.2.1'));
  expect(answers.map(({ status }) => status)).toEqual([...Array(10).fill(200), 429]);
  expect(answers.at(-1)?.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect((await ask(base, 1, from('192.0.2.2')))[0]?.status).toBe(200);
  const probes = await ask(`${base}/healthz`, 12, from('192.0.2.1'));
  expect(new Set(probes.map(({ status }) => status))).toEqual(new Set([200]));
  const searches = await ask(`${base}/search`, 4, {
    headers: { 'x-forwarded-for': '192.0.2.3', 'x-user': 'ann' },
  });
  expect(searches.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
  expect(await example.end()).toBe(0);
});

test('embedded-server.ts takes a publisher, tells of it, and drains', async () => {
  const example = new Example('embedded-server.ts');
  const [, port = ''] = await example.says(/rtmp:\/\/127\.0\.0\.1:(\d+)/);
  const publisher = new Publisher(clip({ kbps: 800 }), `rtmp://127.0.0.1:${port}/live/cam1`);
  await example.says(/\/live\/cam1 started/);
  await example.says(/\/live\/cam1 [1-9]\d+ of 4000000 bit\/s/);
  const ended = example.end();
  await publisher.exited;
  expect(await ended).toBe(0);
  expect(example.output).toMatch(/cut \/live\/cam1: draining.*drained/s);
});

test('attach.ts puts limits on a node-media-server application', async () => {
  const [rtmp, http] = ['24935', '24936'];
  const example = new Example('attach.ts', {
    RTMP_PORT: rtmp,
    HTTP_PORT: http,
    STORE: path.join(temp, 'nms'),
  });
  await example.says(/^attached$/m);
  const publishers = ['a', 'b', 'c'].map((name) => {
    return new Publisher(clip({ kbps: 800 }), `rtmp://127.0.0.1:${rtmp}/live/${name}`);
  });
  await example.says(/refuse \/live\/[abc]: client_streams \(r-\w+\)/);
  const gone = await Promise.race(publishers.map((publisher) => publisher.exited.then(() => publisher)));
  expect(gone.stderr).toContain('Server error: headgate: client_streams limit=2');
  expect(await example.end()).toBe(0);
  expect(example.output).toMatch(/^stopped$/m);
  for (const publisher of publishers) await publisher.stop();
  const socket = connect(Number(rtmp), '127.0.0.1');
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
});
