// The gate: `npm run check`. Every step runs to its end whatever the others say; one line each, then the output of
// those that failed. Two run at a time, which is what a small machine has cores for.

import { spawn } from 'node:child_process';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
const BIN = path.join(ROOT, 'node_modules/.bin');
const AT_ONCE = 2;
/** The steps write into a pipe: no colours. */
const PLAIN = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined };

const STEPS = [
  {
    name: 'house rules, imports, docs',
    command: 'vitest',
    args: ['run', '--reporter=default', 'test/house'],
  },
  { name: 'types', command: 'tsc', args: ['-p', '.'] },
  { name: 'types of the dashboard', command: 'tsc', args: ['-p', 'web'] },
  { name: 'format and lint', command: 'biome', args: ['ci', '--colors=off', '--error-on-warnings', '.'] },
  { name: 'dead exports, files, packages', command: 'knip', args: [] },
];

function run(step) {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const child = spawn(path.join(BIN, step.command), step.args, {
      cwd: ROOT,
      env: PLAIN,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('close', (code) => {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'}  ${step.name} (${seconds} s)\n`);
      resolve({ ok: code === 0, output: Buffer.concat(output).toString() });
    });
  });
}

const waiting = [...STEPS];
const failed = [];
async function work() {
  for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
    const { ok, output } = await run(step);
    if (!ok) failed.push({ name: step.name, output });
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, work));

for (const { name, output } of failed) process.stdout.write(`\n--- ${name}\n${output}\n`);
process.stdout.write(`\ncheck: ${STEPS.length - failed.length} of ${STEPS.length} steps passed\n`);
process.exit(failed.length === 0 ? 0 : 1);
