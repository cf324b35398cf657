// Builds build/Release/headgate.node, and headgate_srt.node beside it, with the node-gyp that comes with npm. Run as a program it always builds (make
// does only what is needed); setup.js and install.js import it.
//
// The headers of Node are taken from the machine whenever they are there: node-gyp would download them into the
// home directory otherwise. The addon uses Node-API only, so the headers need not be those of the very Node that
// loads it.

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const ADDON = path.join(ROOT, 'build/Release/headgate.node');
const SRT_ADDON = path.join(ROOT, 'build/Release/headgate_srt.node');
/** Says when the last build began that went well, and holds srtFlags() of then. */
const STAMP = path.join(ROOT, 'build/addon-built');
/** The oldest that has all figures we read; binding.gyp says the same. */
const LIBSRT = 'srt >= 1.5.0';
const LOG = path.join(ROOT, 'build/addon.log');
/** Lines of the build's output shown when it fails: enough for a compiler error with its context. */
const LOG_LINES_SHOWN = 30;

function newestMs(entry) {
  const stat = statSync(entry);
  if (!stat.isDirectory()) return stat.mtimeMs;
  // The tests of the native code are programs of their own; the addon does not contain them.
  const names = readdirSync(entry).filter((name) => name !== 'test' && name !== 'fuzz');
  return Math.max(0, ...names.map((name) => newestMs(path.join(entry, name))));
}

/** What compiles and links with libsrt on this machine; '' where it is missing or too old. */
export function srtFlags() {
  const found = spawnSync('pkg-config', ['--cflags', '--libs', LIBSRT], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.trim() : '';
}

function builtWithTheseSrtFlags() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === srtFlags();
}

/** Whether the addon is there, and was built after anything it is built from was changed. */
export function addonIsCurrent() {
  if (!existsSync(ADDON) || !existsSync(SRT_ADDON) || !builtWithTheseSrtFlags()) return false;
  const sources = ['native', 'binding.gyp']
    .map((name) => path.join(ROOT, name))
    .filter((file) => existsSync(file));
  return sources.every((source) => newestMs(source) <= statSync(STAMP).mtimeMs);
}

function hasHeaders(dir) {
  return (
    existsSync(path.join(dir, 'include/node/node_api.h')) &&
    existsSync(path.join(dir, 'include/node/common.gypi'))
  );
}

/** A directory with Node's headers, or null when node-gyp has to fetch them. */
function headersDir() {
  const asked = process.env.npm_config_nodedir;
  if (asked && existsSync(asked)) return asked;
  const packaged = path.join(ROOT, 'node_modules', `node-${process.platform}-${process.arch}`);
  const running = path.resolve(path.dirname(realpathSync(process.execPath)), '..');
  return [packaged, running, '/usr', '/usr/local'].find(hasHeaders) ?? null;
}

/** The path of node-gyp's program: npm says where its own is; else beside an npm that is found. */
function nodeGyp() {
  const named = process.env.npm_config_node_gyp;
  if (named && existsSync(named)) return named;
  const npms = [process.env.npm_execpath];
  for (const dir of [...(process.env.PATH ?? '').split(path.delimiter), path.dirname(process.execPath)]) {
    const npm = path.join(dir, 'npm');
    if (existsSync(npm)) npms.push(realpathSync(npm));
    npms.push(path.resolve(dir, '../lib/node_modules/npm/bin/npm-cli.js'));
  }
  return npms
    .filter((npm) => npm !== undefined)
    .map((npm) => path.resolve(path.dirname(npm), '../node_modules/node-gyp/bin/node-gyp.js'))
    .find((file) => existsSync(file));
}

/** Builds the addon. Returns null, or one line that says why it could not be built. */
export function buildAddon() {
  const gyp = nodeGyp();
  if (gyp === undefined) return 'node-gyp was not found: it comes with npm, install npm 9 or newer';
  const headers = headersDir();
  const from = headers === null ? ['--devdir', path.join(ROOT, 'build/node-gyp')] : ['--nodedir', headers];
  mkdirSync(path.dirname(LOG), { recursive: true });
  const began = new Date();
  let log = '';
  for (const step of [['configure'], ['build', '--jobs', 'max']]) {
    const args = [gyp, ...step, '--release', '--loglevel=warn', ...from];
    const run = spawnSync(process.execPath, args, {
      cwd: ROOT,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    log += `${run.stdout ?? ''}${run.stderr ?? ''}`;
    writeFileSync(LOG, log);
    if (run.status !== 0) return failureLine(log);
  }
  writeFileSync(STAMP, srtFlags());
  utimesSync(STAMP, began, began);
  return existsSync(ADDON)
    ? null
    : `the build ended well but left no ${path.relative(ROOT, ADDON)}: see binding.gyp`;
}

function failureLine(log) {
  process.stderr.write(`${log.trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n')}\n`);
  const debian = 'on Debian and Ubuntu: apt-get install python3 make g++';
  if (/could not find any python/i.test(log)) return `the native addon needs python3 to build (${debian})`;
  if (/not found: make|make: (not found|command not found)/i.test(log))
    return `the native addon needs make to build (${debian})`;
  if (/g\+\+: (not found|No such file)|c\+\+: not found/i.test(log))
    return `the native addon needs g++ to build (${debian})`;
  return `the native addon did not build; the whole output is in ${path.relative(process.cwd(), LOG)}`;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const failure = buildAddon();
  if (failure !== null) {
    process.stderr.write(`build-addon: ${failure}\n`);
    process.exit(1);
  }
}
