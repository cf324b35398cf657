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

/** One file per rule, each with an import that the rule forbids. */
const BROKEN: readonly (readonly [rule: string, file: string, text: string])[] = [
  ['core-is-pure', 'src/core/node.ts', "import { cpus } from 'node:os';\nexport const n = cpus();\n"],
  ['core-is-pure', 'src/core/package.ts', "import { z } from 'zod';\nexport const n = z;\n"],
  [
    'core-is-pure',
    'src/core/type.ts',
    "import type { nothing } from '../config/empty.ts';\nexport type A = typeof nothing;\n",
  ],
  ['lib-uses-lib', 'src/lib/a.ts', "export { nothing } from '../core/empty.ts';\n"],
  ['lib-without-packages', 'src/lib/package.ts', "import { z } from 'zod';\nexport const n = z;\n"],
  ['telemetry-knows-no-sibling', 'src/telemetry/a.ts', "import '../config/empty.ts';\n"],
  ['sampler-knows-no-sibling', 'src/sampler/a.ts', "import '../config/empty.ts';\n"],
  ['native-knows-no-sibling', 'src/native/a.ts', "import '../ingest/empty.ts';\n"],
  ['http-below-app', 'src/http/a.ts', "import '../app.ts';\n"],
  ['app-below-cli', 'src/app.ts', "import './cli/empty.ts';\n"],
  ['cli-below-main', 'src/cli/a.ts', "import '../main.ts';\n"],
  ['http-limit-stands-alone', 'src/http-limit/a.ts', "import '../config/empty.ts';\n"],
  ['exports-below-nothing', 'src/limiter.ts', "import './config/empty.ts';\n"],
  ['exports-are-for-others', 'src/config/exported.ts', "import '../fastify.ts';\n"],
  ['http-limit-without-frameworks', 'src/fastify.ts', "import 'fastify';\n"],
  ['node-media-server-is-fenced', 'src/ingest/a.ts', "import 'node-media-server';\n"],
  [
    'src-without-dev-packages',
    'src/ingest/dev.ts',
    "import { test } from 'vitest';\nexport const n = test;\n",
  ],
  ['resolves', 'src/config/a.ts', "import './gone.ts';\n"],
  ['no-cycles', 'src/core/cycle-a.ts', "import './cycle-b.ts';\n"],
];

test('each rule is noticed when it is broken', () => {
  const { ok, output } = cruise(
    treeOf({
      ...Object.fromEntries(
        ['core', 'config', 'ingest', 'cli'].map((layer) => [`src/${layer}/empty.ts`, EMPTY]),
      ),
      'src/main.ts': EMPTY,
      'src/core/cycle-b.ts': "import './cycle-a.ts';\n",
      ...Object.fromEntries(BROKEN.map(([, file, text]) => [file, text])),
    }),
  );
  expect(ok).toBe(false);
  expect(BROKEN.filter(([rule, file]) => !output.includes(`error ${rule}: ${file} →`))).toEqual([]);
});

test('what is allowed passes', () => {
  const { ok, output } = cruise(
    treeOf({
      'src/main.ts': "import './cli/a.ts';\n",
      'src/index.ts': "import './app.ts';\n",
      'src/express.ts':
        "import './http-limit/a.ts';\nimport type { Express } from 'express';\nexport type A = Express;\n",
      'src/http-limit/a.ts':
        "import '../core/a.ts';\nimport type { IncomingMessage } from 'node:http';\nexport type A = IncomingMessage;\n",
      'src/sampler/a.ts': "import '../core/a.ts';\nimport 'systeminformation';\nimport 'node:v8';\n",
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
