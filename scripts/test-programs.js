// Programs that only tests need and that Debian and Ubuntu do not simply install: where they are, how to get them.
// It runs before anything is installed, so it is plain JavaScript without dependencies.

import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const TOOLS = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../build/tools');

/** Names of Chromium and of the browser made from it, the system's own first. */
const CHROMIUM_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Where snapd puts the browser that Ubuntu's chromium-browser, a script of a few lines, stands in for. */
const SNAP_CHROMIUM = '/snap/bin/chromium';

export const CHROMIUM_BY_HAND =
  'Debian: apt-get install chromium; Ubuntu: snap install chromium, or the google-chrome-stable package from https://www.google.com/chrome/';

export const PROMTOOL_BY_HAND =
  'put promtool, a part of Prometheus (https://prometheus.io/download/), into PATH';

function executable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function inPath(command) {
  const dirs = (process.env.PATH ?? '').split(path.delimiter);
  return dirs.map((dir) => path.join(dir, command)).find(executable) ?? null;
}

export function onPath(command) {
  return inPath(command) !== null;
}

/** Ubuntu's script is there before the browser is: without the snap it only tells to install that. */
function isEmptyShim(file) {
  const head = readFileSync(file).subarray(0, 4096).toString('latin1');
  return head.startsWith('#!') && head.includes(SNAP_CHROMIUM) && !existsSync(SNAP_CHROMIUM);
}

/** The Chromium of this machine, or null. */
export function chromiumPath() {
  const found = CHROMIUM_NAMES.map(inPath).find((file) => file !== null && !isEmptyShim(file));
  return found ?? null;
}

/** The promtool in PATH, else the one fetched into this checkout, else null. */
export function promtoolPath() {
  const fetched = path.join(TOOLS, 'promtool');
  return inPath('promtool') ?? (executable(fetched) ? fetched : null);
}

/**
 * Takes promtool out of the distribution's prometheus package, into build/. Installed, that package is a service that
 * starts at once and listens; unpacked, it is a file, and no root is needed. Whether it worked.
 */
export function fetchPromtool() {
  const folder = path.join(TOOLS, 'unpacking');
  const run = (...command) =>
    spawnSync(command[0], command.slice(1), { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
      .status === 0;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    // apt's download user may not write here; whoever runs this may.
    if (!run('apt-get', 'download', '-qq', '-o', 'APT::Sandbox::User=root', 'prometheus')) return false;
    const archive = readdirSync(folder).find((name) => name.endsWith('.deb'));
    if (archive === undefined || !run('dpkg', '-x', archive, '.')) return false;
    const unpacked = path.join(folder, 'usr/bin/promtool');
    if (!run(unpacked, '--version')) return false;
    renameSync(unpacked, path.join(TOOLS, 'promtool'));
    return true;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
