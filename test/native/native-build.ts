import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
const OBJECTS = path.join(ROOT, 'build/test');

/** As the addon is compiled. */
const FLAGS = [
  ...['-std=c++17', '-g', '-O1', '-fno-exceptions', '-fno-rtti', '-ffp-contract=off', '-pthread'],
  ...['-Wall', '-Wextra', '-Werror'],
];

/** What a program is checked for at run time; the first error ends it. */
const CHECKED = {
  memory: ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
  threads: ['-fsanitize=thread'],
  nothing: [],
} as const;

type Checked = keyof typeof CHECKED;

/** Compilers at once: what a small machine has cores for. */
const JOBS = 2;

interface Finished {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a program to its end; its output is stdout and stderr together. */
export function run(program: string, args: readonly string[], env = process.env): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output: Buffer.concat(output).toString() }));
  });
}

async function compile(args: readonly string[], checked: Checked, result: string): Promise<void> {
  if (existsSync(result)) return;
  const flags = [...FLAGS, ...CHECKED[checked]];
  const { code, output } = await run(process.env['CXX'] ?? 'g++', [...flags, ...args, '-o', result]);
  if (code !== 0) throw new Error(`${args.join(' ')} does not compile:\n${output}`);
}

/** A name for the state of a source file: of it, of every header it may include, and of the flags. */
function stateOf(source: string, checked: Checked): string {
  const hash = createHash('sha256').update([...FLAGS, ...CHECKED[checked]].join(' '));
  const headers = ['native', 'native/test'].flatMap((dir) =>
    readdirSync(path.join(ROOT, dir))
      .filter((name) => name.endsWith('.h'))
      .map((name) => path.join(dir, name)),
  );
  for (const file of [source, ...headers]) hash.update(readFileSync(path.join(ROOT, file)));
  return hash.digest('hex').slice(0, 16);
}

/**
 * Compiles C++ sources (paths from the root) into one program under
 * AddressSanitizer and UBSan, or what else it is to be checked for, and returns
 * its path. What did not change since the last time is not compiled again.
 */
export async function buildProgram(
  name: string,
  sources: readonly string[],
  checked: Checked = 'memory',
): Promise<string> {
  mkdirSync(OBJECTS, { recursive: true });
  const objects = sources.map((source) => ({
    source,
    object: path.join(OBJECTS, `${path.basename(source, '.cc')}-${stateOf(source, checked)}.o`),
  }));
  const waiting = [...objects];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await compile(['-c', next.source], checked, next.object);
    }
  };
  await Promise.all(Array.from({ length: JOBS }, work));
  const state = createHash('sha256').update(objects.map(({ object }) => object).join());
  const program = path.join(OBJECTS, `${name}-${state.digest('hex').slice(0, 16)}`);
  await compile(
    objects.map(({ object }) => object),
    checked,
    program,
  );
  return program;
}
