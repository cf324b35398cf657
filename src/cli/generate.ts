import { mkdirSync, writeFileSync } from 'node:fs';
import { manualTexts } from './manual/texts.ts';

/** `node src/cli/generate.ts` writes man/headgate.1 and docs/cli.md anew; a test holds both equal to the commands. */
const root = new URL('../../', import.meta.url);
mkdirSync(new URL('man/', root), { recursive: true });
for (const [file, text] of Object.entries(manualTexts())) writeFileSync(new URL(file, root), text);
