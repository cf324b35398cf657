import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../support/server.ts';

const run = promisify(execFile);
const CHECKOUT = path.resolve(import.meta.dirname, '../..');
/** The oldest Node that the package claims to run on: it installs, builds and runs there. */
const OLDEST_NODE = path.join(
  CHECKOUT,
  `tools/node-oldest/node_modules/node-${process.platform}-${process.arch}/bin`,
);
/** Packing compiles TypeScript, installing compiles C++ and may fetch packages. */
const INSTALL_TIMEOUT_MS = 300_000;

/** Where npm's own settings are (registry, certificates): npm looks for them beside its Node, and here that is another. */
const NPM_SETTINGS = new Set(['npm_config_globalconfig', 'npm_config_userconfig']);

/** The environment of a user's shell: what `npm test` adds for its own run is gone. */
function userEnvironment(nodeDir: string): Record<string, string | undefined> {
  const plain = Object.entries(process.env).filter(
    ([name]) => NPM_SETTINGS.has(name) || !(name.startsWith('npm_') || name.startsWith('HEADGATE_')),
  );
  const dirs = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((dir) => !dir.includes('node_modules'));
  return { ...Object.fromEntries(plain), PATH: [nodeDir, ...dirs].join(path.delimiter), INIT_CWD: undefined };
}

const env = userEnvironment(OLDEST_NODE);
let temp: string;
let packed: string[];

function installed(...args: string[]) {
  return run(path.join(temp, 'node_modules/.bin/headgate'), args, { cwd: temp, env });
}

beforeAll(async () => {
  temp = mkdtempSync(path.join(tmpdir(), 'headgate-pack-'));
  const pack = await run('npm', ['pack', '--json', '--pack-destination', temp], {
    cwd: CHECKOUT,
    env: userEnvironment(path.dirname(process.execPath)),
    maxBuffer: 16 * 1024 * 1024,
  });
  const listing: unknown = JSON.parse(pack.stdout.slice(pack.stdout.search(/^[[{]/m)));
  const [tarball] = Object.values(listing as Record<string, { filename: string; files: { path: string }[] }>);
  packed = tarball?.files.map((file) => file.path) ?? [];
  writeFileSync(path.join(temp, 'package.json'), '{ "private": true, "allowScripts": { "headgate": true } }');
  await run('npm', ['install', '--no-audit', '--no-fund', path.join(temp, tarball?.filename ?? '')], {
    cwd: temp,
    env,
    // A registry that does not answer must not leave npm behind, trying for ever.
    timeout: INSTALL_TIMEOUT_MS - 60_000,
  });
}, INSTALL_TIMEOUT_MS);
afterAll(() => rmSync(temp, { recursive: true, force: true }));

test('the package holds what a user needs', () => {
  expect(packed).toEqual(
    expect.arrayContaining([
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'SECURITY.md',
      'bin/headgate',
      'binding.gyp',
      'config/headgate.yaml',
      'dist/dashboard/index.html',
      'dist/dashboard/index.html.br',
      'dist/main.js',
      'dist/main.d.ts',
      'man/headgate.1',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/limiter.d.ts',
      'dist/fastify.d.ts',
      'dist/express.d.ts',
      'examples/attach.ts',
      'native/addon.cc',
      'package.json',
      'scripts/build-addon.js',
      'scripts/install.js',
    ]),
  );
});

test('the package holds nothing else', () => {
  const wanted =
    /^((LICENSE|README\.md|ARCHITECTURE\.md|CHANGELOG\.md|SECURITY\.md|binding\.gyp|package\.json|bin\/headgate|scripts\/(build-addon|install)\.js)$|dist\/.*\.(js|d\.ts)$|dist\/dashboard\/(index\.html|assets\/dashboard-[0-9a-f]{12}\.(js|css))(\.br|\.gz)?$|native\/[^/]+\.(cc|h)$|config\/|docs\/|examples\/|man\/headgate\.1$)/;
  expect(packed.filter((name) => !wanted.test(name))).toEqual([]);
});

test('the installed command runs on the oldest Node it claims', async () => {
  const { engines, version } = JSON.parse(readFileSync(path.join(CHECKOUT, 'package.json'), 'utf8')) as {
    engines: { node: string };
    version: string;
  };
  const node = await run('node', ['--version'], { env });
  expect(`>=${node.stdout.trim().slice(1)}`).toBe(engines.node);
  const { stdout } = await installed('--version');
  expect(stdout.trim()).toContain(version);
});

test('the installed command checks the shipped config', async () => {
  const { stdout } = await installed('check', '-c', 'node_modules/headgate/config/headgate.yaml');
  expect(stdout).toMatch(/limits\.stream\.max_bitrate/);
});

test('the installed server serves the dashboard', async () => {
  const config = ['rtmp', 'srt', 'playback', 'admin'].map((name) => `  ${name}: "127.0.0.1:0"`).join('\n');
  writeFileSync(path.join(temp, 'headgate.yaml'), `listen:\n${config}\n`);
  const server = spawn(path.join(temp, 'node_modules/.bin/headgate'), ['serve', '-c', 'headgate.yaml'], {
    cwd: temp,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = new Promise((resolve) => server.once('close', resolve));
  try {
    let log = '';
    server.stdout.on('data', (text: Buffer) => {
      log += text;
    });
    const [, port] = await until(() => /"admin":\{[^}]*"port":(\d+)/.exec(log), 'the server to be ready');
    const headers = { accept: 'text/html' };
    const page = await (await fetch(`http://127.0.0.1:${port}/`, { headers })).text();
    const assets = [...page.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, asset]) => asset!);
    expect(assets).toHaveLength(2);
    for (const asset of assets) {
      const answer = await fetch(`http://127.0.0.1:${port}${asset}`);
      expect([asset, answer.status, (await answer.text()).length > 1_000]).toEqual([asset, 200, true]);
    }
  } finally {
    server.kill('SIGKILL');
    await closed;
  }
});

test.each(['import', 'require'])('every entry of the installed package can be had by %s', async (how) => {
  const entries = ['headgate', 'headgate/limiter', 'headgate/fastify', 'headgate/express'];
  const each = entries.map((entry) =>
    how === 'import' ? `await import('${entry}')` : `require('${entry}')`,
  );
  const program = `for (const entry of [${each.join(', ')}]) console.log(Object.keys(entry).length > 0);`;
  const type = how === 'import' ? 'module' : 'commonjs';
  const { stdout } = await run('node', [`--input-type=${type}`, '--eval', program], { cwd: temp, env });
  expect(stdout).toBe('true\n'.repeat(entries.length));
});

test('the installed addon loads', async () => {
  const load = "import { loadNative } from './node_modules/headgate/dist/native/binding.js'; loadNative();";
  await run('node', ['--input-type=module', '--eval', load], { cwd: temp, env });
});
