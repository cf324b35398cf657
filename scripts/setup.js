// Brings what a run needs: `setup.js serve` before `npm start`, `setup.js test` before `npm test`.
//
// It runs on whatever Node the machine has (18 or newer), before anything is installed, so it is plain JavaScript
// without dependencies. Each step first looks whether there is anything to do; when nothing is missing it says
// nothing and takes a few milliseconds. It writes to this checkout and, through the system's package manager, to
// the system; nowhere else. The `npm ci` that it runs runs no install scripts, ours included, so the two cannot call
// each other.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { addonIsCurrent, buildAddon, srtFlags } from './build-addon.js';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const OLDEST_NODE_MAJOR = 18;
/** Seconds to wait while another apt or dpkg holds the lock: unattended upgrades take minutes. */
const APT_LOCK_SECONDS = 300;

/**
 * Everything that comes from the system. `missing` answers in milliseconds whether the thing is there; `packages`
 * are Debian's and Ubuntu's names; those in `packagesIfKnown` are asked for only where the release has them.
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
];

function say(line) {
  process.stdout.write(`setup: ${line}\n`);
}

/** Ends the run: what went wrong, and what to type. */
function stop(problem, remedy) {
  process.stderr.write(`setup: ${problem}\nsetup: ${remedy}\n`);
  process.exit(1);
}

function onPath(command) {
  return (process.env.PATH ?? '').split(path.delimiter).some((dir) => {
    try {
      accessSync(path.join(dir, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
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

function aptKnows(name) {
  return spawnSync('apt-cache', ['show', '--no-all-versions', name], { stdio: 'ignore' }).status === 0;
}

function sayWhy(entries) {
  for (const entry of entries) say(`${entry.what} is missing: ${entry.why}`);
}

/** Whether apt-get installed them. */
function aptInstall(prefix, packages) {
  const run = (...args) => {
    const [command, ...rest] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args];
    return spawnSync(command, rest, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  };
  const lock = `DPkg::Lock::Timeout=${APT_LOCK_SECONDS}`;
  say('apt-get update: to know the current packages');
  if (!run('update', '-qq', '-o', lock)) say('apt-get update failed; trying with the lists that are here');
  const known = packages();
  say(`apt-get install ${known.join(' ')}`);
  return run('install', '-y', '-qq', '--no-install-recommends', '-o', lock, ...known);
}

function installNeeded(wanted) {
  if (wanted.length === 0) return;
  sayWhy(wanted);
  const certain = wanted.flatMap((entry) => entry.packages);
  const perhaps = wanted.flatMap((entry) => entry.packagesIfKnown ?? []);
  const packages = () => [...certain, ...perhaps.filter(aptKnows)];
  if (!onPath('apt-get')) {
    stop(
      'this system has no apt-get',
      `install with its own package manager, then run this again: ${certain.join(' ')}`,
    );
  }
  const prefix = rootPrefix();
  if (prefix === null) {
    stop(
      'installing needs root, and sudo asks for a password',
      `type: sudo apt-get update && sudo apt-get install -y ${packages().join(' ')}`,
    );
  }
  if (!aptInstall(prefix, packages)) {
    stop(
      'apt-get could not install them',
      `type: apt-get install ${packages().join(' ')}   and see what it says`,
    );
  }
  const still = wanted.filter((entry) => entry.missing()).map((entry) => entry.what);
  if (still.length > 0)
    stop(`still missing after the install: ${still.join(', ')}`, 'install it by hand, then run this again');
}

/** Tries once: what cannot be had here shall not cost every start an apt-get. */
function installOptional(wanted) {
  const tried = path.join(ROOT, 'build/optional-packages-tried');
  const packages = wanted.flatMap((entry) => entry.packages);
  if (wanted.length === 0 || (existsSync(tried) && readFileSync(tried, 'utf8') === packages.join(' ')))
    return;
  sayWhy(wanted);
  const prefix = onPath('apt-get') ? rootPrefix() : null;
  const installed = prefix !== null && aptInstall(prefix, () => packages);
  if (!installed || wanted.some((entry) => entry.missing()))
    say(`going on without; to have it, install ${packages.join(' ')} by hand`);
  mkdirSync(path.dirname(tried), { recursive: true });
  writeFileSync(tried, packages.join(' '));
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

/** Install scripts stay off: no package here needs its own, and strangers' code does not run unasked. */
function installNodePackages() {
  const lock = path.join(ROOT, 'package-lock.json');
  const stamp = path.join(ROOT, 'node_modules/.installed-lock.sha256');
  if (packagesAreCurrent(lock, stamp)) return;
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
