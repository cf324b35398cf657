// Bundles web/ into build/dashboard: one page, one script, one style sheet, each with its brotli and gzip form beside it.
// The names of script and style sheet carry their hash, so a browser may keep them for ever. setup.js asks
// dashboardIsCurrent() before every run, on a Node that may be older than the bundler wants; run as a program it builds.
//
// `node scripts/build-dashboard.js [FOLDER]`

import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const WEB = path.join(ROOT, 'web');
const BUILT = path.join(ROOT, 'build/dashboard');
/** What the last build was made from, and the digest of that. */
const STAMP = path.join(ROOT, 'build/dashboard-built.json');
/** Characters of a hash in a file name: 48 bits tell any two builds apart. */
const HASH_CHARS = 12;

function digestOf(inputs) {
  const hash = createHash('sha256');
  for (const name of inputs) {
    const file = path.join(ROOT, name);
    hash.update(`${name}\0`).update(existsSync(file) ? readFileSync(file) : '');
  }
  return hash.digest('hex');
}

/** A build that was broken off while it wrote its stamp has made nothing. */
function readStamp() {
  try {
    const { inputs = [], digest = '' } = JSON.parse(readFileSync(STAMP, 'utf8'));
    return { inputs, digest };
  } catch {
    return { inputs: [], digest: '' };
  }
}

/** Whether build/dashboard was made from what is here now. */
export function dashboardIsCurrent() {
  if (!existsSync(STAMP) || !existsSync(path.join(BUILT, 'index.html'))) return false;
  const { inputs, digest } = readStamp();
  // A script that is new is imported by one that changed; a style sheet that is new is named nowhere.
  return ownSheets().every((name) => inputs.includes(name)) && digestOf(inputs) === digest;
}

/** In the order of their names. */
function ownSheets() {
  return readdirSync(path.join(WEB, 'styles'))
    .sort()
    .map((name) => `web/styles/${name}`);
}

/** The chart library's own before ours. */
function styleSheets() {
  const chart = createRequire(import.meta.url).resolve('uplot/dist/uPlot.min.css');
  return [chart, ...ownSheets().map((name) => path.join(ROOT, name))];
}

/** Takes comments and the space around punctuation away; no string in our sheets holds either. */
function squeezed(css) {
  return css
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/\s*([{};,])\s*/g, '$1')
    .trim();
}

function write(folder, name, content) {
  const file = path.join(folder, name);
  const bytes = Buffer.from(content);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params }));
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }));
}

function hashed(name, content) {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, HASH_CHARS);
  return name.replace(/(?=\.\w+$)/, `-${hash}`);
}

async function bundle() {
  const { rolldown } = await import('rolldown');
  const build = await rolldown({
    input: path.join(WEB, 'main.tsx'),
    platform: 'browser',
    tsconfig: path.join(WEB, 'tsconfig.json'),
  });
  const { output } = await build.generate({ format: 'esm', minify: true, codeSplitting: false });
  await build.close();
  const [script, ...more] = output;
  if (more.length > 0) throw new Error(`one script was expected, there are ${output.length}`);
  // What the bundler leaves outside is Node's: something that is not for browsers was imported from src/.
  if (script.imports.length > 0) throw new Error(`a browser has no ${script.imports.join(', ')}`);
  return script;
}

/** Builds into `folder`, which holds nothing else afterwards. */
export async function buildDashboard(folder = BUILT) {
  const script = await bundle();
  const sheets = styleSheets();
  const css = squeezed(sheets.map((file) => readFileSync(file, 'utf8')).join('\n'));
  const names = { SCRIPT: hashed('dashboard.js', script.code), STYLE: hashed('dashboard.css', css) };
  const page = readFileSync(path.join(WEB, 'index.html'), 'utf8');
  // A server that starts meanwhile sees the old build or the new one, whole.
  const fresh = `${folder}.${process.pid}`;
  write(fresh, `assets/${names.SCRIPT}`, script.code);
  write(fresh, `assets/${names.STYLE}`, css);
  write(
    fresh,
    'index.html',
    page.replace(/%(SCRIPT|STYLE)%/g, (_all, name) => names[name]),
  );
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
  if (folder !== BUILT) return;
  const files = [...script.moduleIds, ...sheets, path.join(WEB, 'index.html'), fileURLToPath(import.meta.url)]
    .map((file) => path.relative(ROOT, file))
    // The lock stands for what is in node_modules; ids of the bundler's own are no files.
    .filter((file) => !file.includes('node_modules') && existsSync(path.join(ROOT, file)));
  const inputs = [...new Set([...files, 'web/tsconfig.json', 'package-lock.json'])].sort();
  writeFileSync(STAMP, JSON.stringify({ inputs, digest: digestOf(inputs) }));
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await buildDashboard(process.argv[2] === undefined ? BUILT : path.resolve(process.argv[2]));
}
