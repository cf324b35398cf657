import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** A package around the real bin/headgate, with the Node it demands and the parts it has chosen by each test. */
let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'headgate-bin-'));
  cpSync(path.resolve(import.meta.dirname, '../../bin'), path.join(root, 'bin'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

function put(name: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
  writeFileSync(path.join(root, name), text);
  chmodSync(path.join(root, name), 0o755);
}

function needsNode(range: string): void {
  put('package.json', JSON.stringify({ type: 'module', engines: { node: range } }));
}

function headgate(...args: string[]) {
  return spawnSync(process.execPath, [path.join(root, 'bin/headgate'), ...args], { encoding: 'utf8' });
}

const SAYS = (what: string) => `console.log('${what}', process.argv.slice(2).join(' '));\n`;

test('an installed package runs dist', () => {
  needsNode('>=22.18.0');
  put('dist/main.js', SAYS('dist'));
  expect(headgate('check', '-c', 'x').stdout).toBe('dist check -c x\n');
});

test('a checkout runs its sources, whatever was built', () => {
  needsNode('>=22.18.0');
  put('dist/main.js', SAYS('dist'));
  put('src/main.ts', `const what: string = 'source';\n${SAYS('src')}export { what };\n`);
  expect(headgate('top').stdout).toBe('src top\n');
});

test('a package without its program says so in one line', () => {
  needsNode('>=22.18.0');
  const run = headgate('serve');
  expect(run.status).toBe(1);
  expect(run.stderr).toMatch(/^headgate: dist\/main\.js is missing from .*\n$/);
});

test('a Node that is too old says which is needed', () => {
  needsNode('>=999.1.0');
  const run = headgate('serve');
  expect(run.status).toBe(1);
  expect(run.stderr).toMatch(/^headgate: needs Node 999\.1\.0 or newer, this is v.*\n$/);
});

test('a Node that is too old hands over to the packaged one, and its exit code comes back', () => {
  needsNode('>=999.1.0');
  put('node_modules/.bin/node', '#!/bin/sh\nshift\necho "packaged $*"\nexit 7\n');
  const run = headgate('kick', 's-1');
  expect(run.stdout).toBe('packaged kick s-1\n');
  expect(run.status).toBe(7);
});

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s reaches the Node that took over', async (signal) => {
  needsNode('>=999.1.0');
  put(
    'node_modules/.bin/node',
    `#!${process.execPath}\nprocess.on('${signal}', () => process.exit(5));\nsetInterval(() => {}, 1000);\nconsole.log('ready');\n`,
  );
  const child = spawn(process.execPath, [path.join(root, 'bin/headgate'), 'serve'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill(signal);
  expect(await once(child, 'exit')).toEqual([5, null]);
});

test('a Node that took over and died of a signal is reported like a shell would', async () => {
  needsNode('>=999.1.0');
  put('node_modules/.bin/node', '#!/bin/sh\nkill -KILL $$\n');
  expect(headgate('serve').status).toBe(128 + 9);
});
