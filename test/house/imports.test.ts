import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ROOT } from './repository.ts';

const CONFIG = path.join(ROOT, '.dependency-cruiser.cjs');
const CRUISE = path.join(ROOT, 'node_modules/.bin/depcruise');

const trees: string[] = [];
afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true });
});

/** A source tree of its own with the given files, for the rules to find fault with. */
function treeOf(files: Record<string, string>): string {
  const tree = mkdtempSync(path.join(tmpdir(), 'headgate-imports-'));
  trees.push(tree);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(tree, name)), { recursive: true });
    writeFileSync(path.join(tree, name), text);
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(tree, 'node_modules'));
  symlinkSync(path.join(ROOT, 'package.json'), path.join(tree, 'package.json'));
  return tree;
}

function cruise(cwd: string): { ok: boolean; output: string } {
  const run = spawnSync(CRUISE, ['src', '--config', CONFIG], { cwd, encoding: 'utf8' });
  return { ok: run.status === 0, output: run.stdout + run.stderr };
}

test('imports point downwards only and form no cycle', () => {
  const { ok, output } = cruise(ROOT);
  expect(ok, output).toBe(true);
});

const EMPTY = 'export const nothing = 0;\n';

test.each([
  ['core-is-pure', { 'src/core/a.ts': "import { cpus } from 'node:os';\nexport const n = cpus();\n" }],
  ['core-is-pure', { 'src/core/a.ts': "import { z } from 'zod';\nexport const n = z;\n" }],
  [
    'core-is-pure',
    {
      'src/core/a.ts': "import type { B } from '../config/b.ts';\nexport type A = B;\n",
      'src/config/b.ts': 'export type B = 1;\n',
    },
  ],
  ['lib-uses-lib', { 'src/lib/a.ts': "export { nothing } from '../core/b.ts';\n", 'src/core/b.ts': EMPTY }],
  ['lib-without-packages', { 'src/lib/a.ts': "import { z } from 'zod';\nexport const n = z;\n" }],
  [
    'telemetry-knows-no-sibling',
    { 'src/telemetry/a.ts': "import '../config/b.ts';\n", 'src/config/b.ts': EMPTY },
  ],
  ['native-knows-no-sibling', { 'src/native/a.ts': "import '../ingest/b.ts';\n", 'src/ingest/b.ts': EMPTY }],
  ['http-below-app', { 'src/http/a.ts': "import '../app.ts';\n", 'src/app.ts': EMPTY }],
  ['app-below-cli', { 'src/app.ts': "import './cli/b.ts';\n", 'src/cli/b.ts': EMPTY }],
  ['cli-below-main', { 'src/cli/a.ts': "import '../main.ts';\n", 'src/main.ts': EMPTY }],
  ['node-media-server-is-fenced', { 'src/ingest/a.ts': "import 'node-media-server';\n" }],
  [
    'src-without-dev-packages',
    { 'src/ingest/a.ts': "import { test } from 'vitest';\nexport const n = test;\n" },
  ],
  ['resolves', { 'src/config/a.ts': "import './gone.ts';\n" }],
  ['no-cycles', { 'src/core/a.ts': "import './b.ts';\n", 'src/core/b.ts': "import './a.ts';\n" }],
])('%s is noticed when broken (%#)', (rule, files) => {
  const { ok, output } = cruise(treeOf(files));
  expect(output).toContain(`error ${rule}:`);
  expect(ok).toBe(false);
});

test('what is allowed passes', () => {
  const { ok, output } = cruise(
    treeOf({
      'src/main.ts': "import './cli/a.ts';\n",
      'src/cli/a.ts': "import '../app.ts';\n",
      'src/app.ts': "import './http/a.ts';\nimport './ingest/rtmp/nms.ts';\nimport './config/a.ts';\n",
      'src/http/a.ts': "import '../config/a.ts';\nimport 'fastify';\n",
      'src/ingest/rtmp/nms.ts': "import 'node-media-server';\nimport '../../native/a.ts';\n",
      'src/native/a.ts': "import '../core/a.ts';\nimport 'node:fs';\n",
      'src/config/a.ts': "import '../lib/a.ts';\nimport 'zod';\n",
      'src/core/a.ts': "import '../lib/a.ts';\n",
      'src/lib/a.ts': EMPTY,
    }),
  );
  expect(ok, output).toBe(true);
});
