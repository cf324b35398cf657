// Brings what a run needs: `setup.js serve` before `npm start`, `setup.js test` before `npm test`.
//
// It runs on whatever Node the machine has (18 or newer), before anything is installed, so it is plain JavaScript
// without dependencies. Each step first looks whether there is anything to do; when nothing is missing it says
// nothing and takes a few milliseconds. It writes to this checkout and, through the system's package manager, to
// the system; nowhere else. The `npm ci` that it runs runs no install scripts, ours included, so the two cannot call
// each other.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { addonIsCurrent, buildAddon, srtFlags } from './build-addon.js';
import { dashboardIsCurrent } from './build-dashboard.js';
import {
  CHROMIUM_BY_HAND,
  chromiumPath,
  fetchPromtool,
  onPath,
  PROMTOOL_BY_HAND,
  promtoolPath,
} from './test-programs.js';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const OLDEST_NODE_MAJOR = 18;
/** Seconds to wait while another apt or dpkg holds the lock: unattended upgrades take minutes. */
const APT_LOCK_SECONDS = 300;

/**
 * Everything that comes from the system. `missing` answers in milliseconds whether the thing is there; `packages`
 * are Debian's and Ubuntu's names; those in `packagesIfKnown` are asked for only where the release has them. What has
 * a `fetch` of its own is not installed; `byHand` tells what to do when neither works.
 */
const SYSTEM = [
  {
    what: 'python3',
    why: 'node-gyp, which builds the native addon, is written in it',
    runs: ['serve', 'test'],
    missing: () => !onPath('python3'),
    packages: ['python3'],
  },
  {
    what: 'make',
    why: 'it drives the build of the native addon',
    runs: ['serve', 'test'],
    missing: () => !onPath('make'),
    packages: ['make'],
  },
  {
    what: 'g++',
    why: 'it compiles the native addon',
    runs: ['serve', 'test'],
    missing: () => !onPath('g++'),
    packages: ['g++'],
  },
  {
    what: 'libsrt 1.5 or newer, with headers',
    why: 'SRT encoders publish through it; it is built in where it is found',
    runs: ['serve', 'test'],
    // RTMP works without, and a server that was not told to listen for SRT starts with a warning.
    optional: ['serve'],
    missing: () => srtFlags() === '',
    // This flavour's AES costs half of the other's, whose OpenSSL would meet Node's own in one process.
    packages: ['pkg-config', 'libsrt-gnutls-dev'],
  },
  {
    what: 'ffmpeg',
    why: 'the end-to-end tests publish and play with it',
    runs: ['test'],
    missing: () => !onPath('ffmpeg'),
    packages: ['ffmpeg'],
  },
  {
    what: 'srt-live-transmit',
    why: 'the end-to-end tests publish and play with it over SRT',
    runs: ['test'],
    missing: () => !onPath('srt-live-transmit'),
    packages: ['srt-tools'],
  },
  {
    what: 'GStreamer with its SRT and MPEG-TS plugins',
    why: 'the end-to-end tests publish with it over SRT',
    runs: ['test'],
    missing: () => !onPath('gst-launch-1.0') || !gstreamerHas('srtsink') || !gstreamerHas('tsparse'),
    packages: ['gstreamer1.0-tools', 'gstreamer1.0-plugins-bad'],
  },
  {
    what: 'clang with its sanitizer and fuzzer libraries',
    why: 'the C++ tests run under AddressSanitizer and UBSan, the fuzz target under libFuzzer',
    runs: ['test'],
    missing: () => !onPath('clang++') || !clangHas('fuzzer') || !clangHas('asan'),
    packages: ['clang'],
    // Releases that lack this package ship the libraries with clang itself.
    packagesIfKnown: ['libclang-rt-dev'],
  },
  {
    what: 'zsh',
    why: 'the tests complete commands in it',
    runs: ['test'],
    missing: () => !onPath('zsh'),
    packages: ['zsh'],
  },
  {
    what: 'fish',
    why: 'the tests complete commands in it',
    runs: ['test'],
    missing: () => !onPath('fish'),
    packages: ['fish'],
  },
  {
    what: 'promtool',
    why: 'the tests judge metrics, alert rules and the Grafana dashboard with it',
    runs: ['test'],
    missing: () => promtoolPath() === null,
    // Installed, Debian's prometheus is a service that starts at once; only one program of it is wanted.
    packages: [],
    fetch: fetchPromtool,
    byHand: PROMTOOL_BY_HAND,
  },
  {
    what: 'Chromium',
    why: 'the tests of the dashboard drive it',
    runs: ['test'],
    // Ubuntu has it as a snap only, which is not ours to install; all other tests run without.
    optional: ['test'],
    missing: () => chromiumPath() === null,
    packages: [],
    packagesIfKnown: ['chromium'],
    byHand: CHROMIUM_BY_HAND,
  },
];

function say(line) {
  process.stdout.write(`setup: ${line}\n`);
}

/** Ends the run: what went wrong, and what to type. */
function stop(problem, remedy) {
  process.stderr.write(`setup: ${problem}\nsetup: ${remedy}\n`);
  process.exit(1);
}

/** Whether clang's run-time library of that name is installed; its file name says the processor or does not. */
function clangHas(library) {
  const arch = { x64: 'x86_64', arm64: 'aarch64' }[process.arch] ?? process.arch;
  return [`libclang_rt.${library}-${arch}.a`, `libclang_rt.${library}.a`].some((file) => {
    const found = spawnSync('clang', [`--print-file-name=${file}`], { encoding: 'utf8' });
    return found.status === 0 && path.isAbsolute(found.stdout.trim()) && existsSync(found.stdout.trim());
  });
}

function gstreamerHas(element) {
  return spawnSync('gst-inspect-1.0', ['--exists', element], { stdio: 'ignore' }).status === 0;
}

/** The words to put before a command that needs root, or null where there is no way. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : null;
}

/** A package that only brings a snap is none: Ubuntu's chromium-browser. */
function aptKnows(name) {
  const record = spawnSync('apt-cache', ['show', '--no-all-versions', name], { encoding: 'utf8' });
  return record.status === 0 && !/^(Pre-)?Depends:.*\bsnapd\b/m.test(record.stdout);
}

function sayWhy(entries) {
  for (const entry of entries) say(`${entry.what} is missing: ${entry.why}`);
}

function aptGet(prefix, command, ...args) {
  const apt = ['apt-get', command, '-qq', '-o', `DPkg::Lock::Timeout=${APT_LOCK_SECONDS}`, ...args];
  const [program, ...rest] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', ...apt];
  return spawnSync(program, rest, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
}

function aptUpdate(prefix) {
  say('apt-get update: to know the current packages');
  if (!aptGet(prefix, 'update')) say('apt-get update failed; trying with the lists that are here');
}

/** Whether apt-get installed them; `packages` is asked when the lists are current. */
function aptInstall(prefix, packages) {
  aptUpdate(prefix);
  const known = packages();
  if (known.length === 0) return false;
  say(`apt-get install ${known.join(' ')}`);
  return aptGet(prefix, 'install', '-y', '--no-install-recommends', ...known);
}

/** Names of the packages that these need, as far as this release has them. */
function packagesOf(entries) {
  const perhaps = entries.flatMap((entry) => entry.packagesIfKnown ?? []);
  return [...entries.flatMap((entry) => entry.packages), ...perhaps.filter(aptKnows)];
}

function installNeeded(wanted) {
  if (wanted.length === 0) return;
  sayWhy(wanted);
  const fetched = wanted.filter((entry) => entry.fetch !== undefined);
  const installed = wanted.filter((entry) => entry.fetch === undefined);
  if (!onPath('apt-get')) {
    const remedies = fetched.map((entry) => entry.byHand);
    const packages = installed.flatMap((entry) => entry.packages);
    if (packages.length > 0)
      remedies.unshift(`install with its own package manager, then run this again: ${packages.join(' ')}`);
    stop('this system has no apt-get', remedies.join('; '));
  }
  if (installed.length > 0) installWithApt(installed);
  for (const entry of fetched) fetchWithApt(entry);
  const still = wanted.filter((entry) => entry.missing());
  if (still.length > 0) {
    const remedies = still.map((entry) => entry.byHand).filter((remedy) => remedy !== undefined);
    stop(
      `still missing after the install: ${still.map((entry) => entry.what).join(', ')}`,
      remedies.length > 0 ? remedies.join('; ') : 'install it by hand, then run this again',
    );
  }
}

function installWithApt(wanted) {
  const prefix = rootPrefix();
  if (prefix === null) {
    stop(
      'installing needs root, and sudo asks for a password',
      `type: sudo apt-get update && sudo apt-get install -y ${packagesOf(wanted).join(' ')}`,
    );
  }
  if (!aptInstall(prefix, () => packagesOf(wanted))) {
    stop(
      'apt-get could not install them',
      `type: apt-get install ${packagesOf(wanted).join(' ')}   and see what it says`,
    );
  }
}

/** Tries with the lists that are here first: that needs no root. */
function fetchWithApt(entry) {
  say(`fetching ${entry.what} into build/`);
  if (entry.fetch()) return;
  const prefix = rootPrefix();
  if (prefix === null) return;
  aptUpdate(prefix);
  entry.fetch();
}

/** Tries once: what cannot be had here shall not cost every start an apt-get. */
function installOptional(wanted) {
  const tried = path.join(ROOT, 'build/optional-packages-tried');
  const names = wanted.map((entry) => entry.what).join(', ');
  if (wanted.length === 0 || (existsSync(tried) && readFileSync(tried, 'utf8') === names)) return;
  sayWhy(wanted);
  const prefix = onPath('apt-get') ? rootPrefix() : null;
  if (prefix !== null) aptInstall(prefix, () => packagesOf(wanted));
  for (const entry of wanted.filter((each) => each.missing()))
    say(`going on without; to have it, ${entry.byHand ?? `install ${entry.packages.join(' ')} by hand`}`);
  mkdirSync(path.dirname(tried), { recursive: true });
  writeFileSync(tried, names);
}

function installSystemPackages(mode) {
  const missing = SYSTEM.filter((entry) => entry.runs.includes(mode) && entry.missing());
  const isOptional = (entry) => entry.optional?.includes(mode) ?? false;
  installNeeded(missing.filter((entry) => !isOptional(entry)));
  installOptional(missing.filter(isOptional));
}

function modifiedMs(file) {
  return existsSync(file) ? statSync(file).mtimeMs : 0;
}

/**
 * Whether node_modules holds what the lock says. npm writes node_modules/.package-lock.json at the end of every install
 * that went well; our stamp, the checksum of the lock installed last, saves a lock that was merely touched an install.
 */
function packagesAreCurrent(lock, stamp) {
  const installedMs = modifiedMs(path.join(ROOT, 'node_modules/.package-lock.json'));
  if (installedMs === 0) return false;
  return (
    installedMs >= modifiedMs(lock) || (existsSync(stamp) && readFileSync(stamp, 'utf8') === checksum(lock))
  );
}

function checksum(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** npm ci empties node_modules before it fills it, and it would follow a link into a folder that is not this checkout's. */
function refuseLinkedPackages() {
  const folder = path.join(ROOT, 'node_modules');
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  stop(
    `node_modules is a link to ${readlinkSync(folder)}, whose packages are not those of package-lock.json`,
    `npm ci would empty that folder; to get packages of its own for this checkout, type: rm '${folder}'`,
  );
}

/** Install scripts stay off: no package here needs its own, and strangers' code does not run unasked. */
function installNodePackages() {
  const lock = path.join(ROOT, 'package-lock.json');
  const stamp = path.join(ROOT, 'node_modules/.installed-lock.sha256');
  if (packagesAreCurrent(lock, stamp)) return;
  refuseLinkedPackages();
  say('npm ci: node_modules is missing or older than package-lock.json');
  const include = ['--include=dev', '--include=optional'];
  const options = ['ci', ...include, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const underNpm = process.env.npm_execpath;
  const ci = underNpm?.endsWith('.js')
    ? spawnSync(process.execPath, [underNpm, ...options], { cwd: ROOT, stdio: 'inherit' })
    : spawnSync('npm', options, { cwd: ROOT, stdio: 'inherit' });
  if (ci.status !== 0) stop('npm ci failed; its message stands above', 'type: npm ci --ignore-scripts');
  writeFileSync(stamp, checksum(lock));
}

/** The Node that everything here runs on comes with the packages (tools/node); npm puts it first in PATH. */
function requirePinnedNode() {
  const pinned = path.join(ROOT, 'node_modules/.bin/node');
  if (existsSync(pinned)) return;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return;
  stop(
    `there is no packaged Node for ${process.platform} ${process.arch}, and this one is ${process.version}`,
    'install Node 22.18 or newer (https://nodejs.org), then run this again',
  );
}

function buildNativeAddon() {
  if (addonIsCurrent()) return;
  say('building the native addon: it is missing or older than its sources (native/, binding.gyp)');
  const failure = buildAddon();
  if (failure !== null) stop(failure, 'type: node scripts/build-addon.js');
}

/** In a process of the pinned Node: the bundler wants a newer one than this may be. Streams are taken without a dashboard too. */
function buildDashboard() {
  if (dashboardIsCurrent()) return;
  say('building the dashboard: it is missing or older than its sources (web/)');
  const pinned = path.join(ROOT, 'node_modules/.bin/node');
  const script = path.join(ROOT, 'scripts/build-dashboard.js');
  const node = existsSync(pinned) ? pinned : process.execPath;
  const build = spawnSync(node, [script], { stdio: ['ignore', 'ignore', 'inherit'] });
  const failure = 'the dashboard did not build; its message stands above';
  if (build.status !== 0 && mode === 'test') stop(failure, 'type: node scripts/build-dashboard.js');
  if (build.status !== 0) say(`${failure}; going on without`);
}

const mode = process.argv[2];
if (mode !== 'serve' && mode !== 'test')
  stop('it takes one word', 'type: node scripts/setup.js serve   or: node scripts/setup.js test');
if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE_MAJOR) {
  stop(
    `this Node is ${process.version}`,
    `install Node ${OLDEST_NODE_MAJOR} or newer to set up with (https://nodejs.org)`,
  );
}
installSystemPackages(mode);
installNodePackages();
requirePinnedNode();
buildNativeAddon();
buildDashboard();
