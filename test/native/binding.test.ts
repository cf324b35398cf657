import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { scratchDir } from './clips.ts';
import { run } from './native-build.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const BUILT = 'build/Release';

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

/** A checkout that holds the loader and nothing else. */
function bareCheckout(): string {
  const dir = scratchDir();
  dirs.push(dir);
  for (const name of ['package.json', 'src/native', 'src/lib']) {
    cpSync(path.join(ROOT, name), path.join(dir, name), { recursive: true });
  }
  return dir;
}

async function load(dir: string): Promise<string> {
  const binding = pathToFileURL(path.join(dir, 'src/native/binding.ts')).href;
  const script = `import('${binding}').then(({ loadNative }) => loadNative()).catch((e) => console.log(e.code, e.message))`;
  const { output } = await run(process.execPath, ['--no-warnings', '-e', script]);
  return output;
}

test('an addon that is not built is told with what to type', async () => {
  const told = await load(bareCheckout());
  expect(told).toContain('HG_NATIVE_MISSING the native addon is not built');
  expect(told).toContain('node scripts/build-addon.js');
});

test('an addon that does not load is told with why', async () => {
  const dir = bareCheckout();
  mkdirSync(path.join(dir, BUILT), { recursive: true });
  for (const built of readdirSync(path.join(ROOT, BUILT), { withFileTypes: true })) {
    if (built.isFile()) writeFileSync(path.join(dir, BUILT, built.name), 'not a library');
  }
  expect(await load(dir)).toMatch(/HG_NATIVE_MISSING the native addon does not load \(.+\): run "/);
});
