// Compiles src/ to dist/, with declarations, and bundles web/ into dist/dashboard, for the npm package. The checkout itself
// runs its TypeScript directly.

import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { buildDashboard } from './build-dashboard.js';

const root = path.resolve(import.meta.dirname, '..');
rmSync(path.join(root, 'dist'), { recursive: true, force: true });
// tsc complains on standard output, which belongs to `npm pack --json`.
const tsc = path.join(root, 'node_modules/.bin/tsc');
const run = spawnSync(tsc, ['-p', 'tsconfig.build.json'], { cwd: root, stdio: ['ignore', 2, 2] });
if (run.status !== 0) process.exit(run.status ?? 1);
await buildDashboard(path.join(root, 'dist/dashboard'));
