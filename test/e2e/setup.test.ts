import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const CHECKOUT = path.resolve(import.meta.dirname, '../..');

/** A bare machine: a checkout with nothing installed, and a PATH that holds only what a test puts there. */
let root: string;
let bin: string;
let calls: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'headgate-setup-'));
  bin = path.join(root, 'machine');
  calls = path.join(root, 'calls');
  mkdirSync(bin);
  mkdirSync(path.join(root, 'native'));
  writeFileSync(path.join(root, 'native/addon.cc'), '');
  writeFileSync(path.join(root, 'package.json'), '{"type":"module"}');
  writeFileSync(path.join(root, 'package-lock.json'), '{}');
  for (const name of ['setup.js', 'build-addon.js', 'test-programs.js']) {
    cpSync(path.join(CHECKOUT, 'scripts', name), path.join(root, 'scripts', name));
  }
  dashboard('');
});
afterEach(() => rmSync(root, { recursive: true }));

function program(name: string, body: string): void {
  writeFileSync(path.join(bin, name), `#!/bin/sh\necho "${name} $*" >> '${calls}'\n${body}\n`);
  chmodSync(path.join(bin, name), 0o755);
}

/** Stands for the script that bundles the dashboard, which needs packages that are not here; `failing` runs first. */
function dashboard(failing: string): void {
  writeFileSync(
    path.join(root, 'scripts/build-dashboard.js'),
    `import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
export const dashboardIsCurrent = () => existsSync('build/dashboard');
if (process.argv[1].endsWith('build-dashboard.js')) {
  ${failing}
  mkdirSync('build/dashboard');
  appendFileSync(${JSON.stringify(calls)}, 'dashboard\\n');
}`,
  );
}

/** Programs as Debian has them. What apt-get installs appears in PATH; `npm ci` leaves what npm leaves. */
function debian(): void {
  program('env', 'while case "$1" in *=*) true;; *) false;; esac; do shift; done; exec "$@"');
  program('sudo', '[ "$1" = -n ] && shift; exec "$@"');
  program('true', '');
  program('apt-cache', 'exit 0');
  program(
    'apt-get',
    `[ "$1" = install ] || exit 0
for name in python3 make g++ ffmpeg chromium; do
  case " $* " in *" $name "*) echo '#!/bin/sh' > '${bin}/'$name; /bin/chmod +x '${bin}/'$name;; esac
done`,
  );
  program(
    'npm',
    `/bin/mkdir -p '${root}/node_modules/.bin'; : > '${root}/node_modules/.package-lock.json'; /bin/ln -sf '${process.execPath}' '${root}/node_modules/.bin/node'`,
  );
  writeFileSync(
    path.join(root, 'gyp.cjs'),
    `require('node:fs').mkdirSync('build/Release', { recursive: true });
require('node:fs').writeFileSync('build/Release/headgate.node', '');
require('node:fs').writeFileSync('build/Release/headgate_srt.node', '');
require('node:fs').appendFileSync(${JSON.stringify(calls)}, 'gyp ' + process.argv[2] + '\\n');`,
  );
}

function setup(mode: string): { status: number | null; out: string; calls: string[] } {
  rmSync(calls, { force: true });
  const env = { PATH: bin, npm_config_node_gyp: path.join(root, 'gyp.cjs') };
  const run = spawnSync(process.execPath, ['scripts/setup.js', mode], { cwd: root, env, encoding: 'utf8' });
  const made = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
  return { status: run.status, out: run.stdout + run.stderr, calls: made };
}

test('a bare Debian gets compiler, packages, addon and dashboard, each with its reason; the second run does nothing', () => {
  debian();
  const first = setup('serve');
  expect(first.out).toMatch(/g\+\+ is missing: it compiles the native addon/);
  expect(first.status).toBe(0);
  const apt = first.calls.filter((call) => call.startsWith('apt-get'));
  expect(apt[0]).toMatch(/^apt-get update/);
  expect(apt[1]).toMatch(/^apt-get install .*python3 make g\+\+$/);
  expect(first.calls).toContainEqual(expect.stringMatching(/^npm ci .*--ignore-scripts/));
  expect(first.calls.filter((call) => call.startsWith('gyp'))).toEqual(['gyp configure', 'gyp build']);
  expect(first.calls.at(-1)).toBe('dashboard');

  expect(setup('serve')).toEqual({ status: 0, out: '', calls: [] });
});

test.each(['', '{"inputs":[', '{}'])(
  'a build of the dashboard that was broken off at %j is made anew',
  async (stamp) => {
    cpSync(path.join(CHECKOUT, 'scripts/build-dashboard.js'), path.join(root, 'scripts/real.js'));
    mkdirSync(path.join(root, 'build/dashboard'), { recursive: true });
    mkdirSync(path.join(root, 'web/styles'), { recursive: true });
    writeFileSync(path.join(root, 'build/dashboard/index.html'), '');
    writeFileSync(path.join(root, 'build/dashboard-built.json'), stamp);
    const { dashboardIsCurrent } = await import(path.join(root, 'scripts/real.js'));
    expect(dashboardIsCurrent()).toBe(false);
  },
);

test('a dashboard that does not build keeps nobody from serving; tests stop', () => {
  debian();
  dashboard("throw new Error('no binary for this machine');");
  const serving = setup('serve');
  expect(serving.status).toBe(0);
  expect(serving.out).toMatch(/the dashboard did not build.*going on without/);
  expect(serving.out).toContain('no binary for this machine');
  readyForTests();
  program('promtool', '');
  program('google-chrome', '');
  expect(setup('test')).toMatchObject({
    status: 1,
    out: expect.stringMatching(/type: node scripts\/build-d/),
  });
});

test('serving does not ask for what only tests need', () => {
  debian();
  expect(setup('serve').calls.join('\n')).not.toMatch(/ffmpeg|clang/);
  expect(setup('test').calls.join('\n')).toMatch(
    /apt-get install .*ffmpeg srt-tools .*clang zsh fish libclang-rt-dev/,
  );
});

test('a changed lock is installed, a touched one is not', () => {
  debian();
  setup('serve');
  const later = new Date(Date.now() + 60_000);
  utimesSync(path.join(root, 'package-lock.json'), later, later);
  expect(setup('serve').calls).toEqual([]);
  writeFileSync(path.join(root, 'package-lock.json'), '{ "changed": true }');
  utimesSync(path.join(root, 'package-lock.json'), later, later);
  expect(setup('serve').calls).toContainEqual(expect.stringMatching(/^npm ci/));
});

test('a changed native source is built', () => {
  debian();
  setup('serve');
  const later = new Date(Date.now() + 60_000);
  utimesSync(path.join(root, 'native/addon.cc'), later, later);
  expect(setup('serve').calls).toEqual(['gyp configure', 'gyp build']);
});

/** pkg-config as it answers when libsrt is there. */
const LIBSRT = '[ "$4" = "" ] && echo "-I/usr/include/srt -lsrt-gnutls"';

test('serving tries to get libsrt, once, and goes on without', () => {
  debian();
  const first = setup('serve');
  expect(first.calls.join('\n')).toMatch(/apt-get install .*pkg-config libsrt-gnutls-dev/);
  expect(first.out).toMatch(/going on without; to have it, install pkg-config libsrt-gnutls-dev by hand/);
  expect(first.status).toBe(0);
  expect(setup('serve')).toEqual({ status: 0, out: '', calls: [] });
});

test('a libsrt that is new on the machine is built in', () => {
  debian();
  setup('serve');
  program('pkg-config', LIBSRT);
  expect(setup('serve').calls.filter((call) => call.startsWith('gyp'))).toEqual([
    'gyp configure',
    'gyp build',
  ]);
  expect(setup('serve').calls.filter((call) => call.startsWith('gyp'))).toEqual([]);
});

test('an offline machine without libsrt serves', () => {
  debian();
  setup('serve');
  rmSync(path.join(root, 'build/optional-packages-tried'));
  program('apt-get', 'exit 100');
  expect(setup('serve')).toMatchObject({ status: 0, out: expect.stringMatching(/going on without/) });
});

/** A machine on which everything that tests need is found but promtool and a browser, and that can fetch packages. */
function readyForTests(): void {
  debian();
  program('pkg-config', LIBSRT);
  setup('serve');
  for (const name of ['ffmpeg', 'srt-live-transmit', 'gst-launch-1.0', 'gst-inspect-1.0', 'zsh', 'fish'])
    program(name, '');
  // The file that clang is asked for by `--print-file-name=` is any that is there.
  program('clang++', '');
  program('clang', `echo '${path.join(root, 'package.json')}'`);
  program(
    'apt-get',
    `case "$1" in
  download) : > prometheus_2_amd64.deb;;
  install) case " $* " in *" chromium "*) echo '#!/bin/sh' > '${bin}/chromium'; /bin/chmod +x '${bin}/chromium';; esac;;
esac`,
  );
  program(
    'dpkg',
    "/bin/mkdir -p usr/bin; echo '#!/bin/sh' > usr/bin/promtool; /bin/chmod +x usr/bin/promtool",
  );
}

test('promtool is unpacked into the checkout, for its package would start a service; Chromium is installed', () => {
  readyForTests();
  const first = setup('test');
  expect(first.out).toMatch(/promtool is missing: the tests judge metrics/);
  expect(first.status).toBe(0);
  expect(first.calls).toContainEqual(expect.stringMatching(/^apt-get download .*prometheus$/));
  expect(first.calls.filter((call) => /^apt-get install/.test(call))).toEqual([
    expect.stringMatching(/ chromium$/),
  ]);
  expect(existsSync(path.join(root, 'build/tools/promtool'))).toBe(true);
  expect(existsSync(path.join(root, 'build/tools/unpacking'))).toBe(false);
  expect(setup('test').out).toBe('');
});

test('where promtool cannot be fetched, lists are updated and it is tried again; then it says what to do', () => {
  readyForTests();
  program('apt-get', '[ "$1" != download ]');
  const { status, out, calls: made } = setup('test');
  expect(status).toBe(1);
  const apt = made.filter((call) => call.startsWith('apt-get')).map((call) => call.split(' ')[1]);
  expect(apt).toEqual(['download', 'update', 'download']);
  expect(out).toMatch(/still missing after the install: promtool\n.*put promtool.*into PATH/);
});

test("Ubuntu's Chromium is a snap: its script and its package count for nothing, and tests go on without", () => {
  readyForTests();
  program('promtool', '');
  program('apt-cache', "echo 'Pre-Depends: debconf, snapd'");
  program(
    'chromium-browser',
    'if ! [ -x /snap/bin/chromium ]; then echo snap install chromium >&2; exit 1; fi',
  );
  const { status, out, calls: made } = setup('test');
  expect(status).toBe(0);
  expect(made.join('\n')).not.toMatch(/apt-get install/);
  expect(out).toMatch(/Chromium is missing[\s\S]*going on without; .*google-chrome-stable/);
  expect(setup('test')).toMatchObject({ status: 0, out: '' });
});

test('a Chrome that is there will do', () => {
  readyForTests();
  program('promtool', '');
  program('google-chrome', '');
  expect(setup('test')).toMatchObject({ status: 0, out: '' });
});

test('without apt-get it says what to install and stops', () => {
  const { status, out } = setup('serve');
  expect(status).toBe(1);
  expect(out).toMatch(/install with its own package manager.*: python3 make g\+\+\n/);
});

test('an install that brings nothing is not taken for success', () => {
  debian();
  program('apt-get', 'exit 0');
  const { status, out } = setup('serve');
  expect(status).toBe(1);
  expect(out).toMatch(/still missing after the install: python3, make, g\+\+/);
});

test('packages that are only linked to are not installed over: npm ci would empty the folder of somebody else', () => {
  debian();
  const theirs = path.join(root, 'theirs');
  mkdirSync(path.join(theirs, 'kept'), { recursive: true });
  symlinkSync(theirs, path.join(root, 'node_modules'));
  const { status, out, calls: made } = setup('serve');
  expect(status).toBe(1);
  expect(out).toMatch(/node_modules is a link to .*theirs.*\n.*type: rm .*node_modules/);
  expect(made.join('\n')).not.toMatch(/npm ci/);
  expect(existsSync(path.join(theirs, 'kept'))).toBe(true);
});

test('a failed npm ci stops the set-up and says what to type', () => {
  debian();
  program('npm', 'exit 1');
  const { status, out } = setup('serve');
  expect(status).toBe(1);
  expect(out).toMatch(/npm ci failed.*\n.*type: npm ci/);
});

test.each([[''], ['everything']])('it refuses the mode "%s"', (mode) => {
  const { status, out } = setup(mode);
  expect(status).toBe(1);
  expect(out).toMatch(/type: node scripts\/setup\.js serve/);
});
