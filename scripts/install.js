// npm's `install` step. In an installed package it builds the native addon, which the server cannot run without. In a
// checkout (there is a src/) it does nothing: setup.js builds there, after making sure that the compiler is present.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAddon } from './build-addon.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

if (!existsSync(path.join(root, 'src'))) {
  const failure = buildAddon();
  if (failure !== null) {
    process.stderr.write(`headgate: ${failure}\nheadgate: then type: npm rebuild headgate\n`);
    process.exit(1);
  }
}
