import { createRequire } from 'node:module';

/** The version of the package: from `src/` as from `dist/` its manifest is one folder up. */
export const VERSION: string = createRequire(import.meta.url)('../package.json').version;
