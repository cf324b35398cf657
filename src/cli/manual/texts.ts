import { commandLine } from '../program.ts';
import type { Terminal } from '../terminal.ts';
import { manualEntries } from './entries.ts';
import { manualMarkdown } from './markdown.ts';
import { manualPage } from './roff.ts';

/** Columns of a synopsis in the manual. */
const COLUMNS = 100;

/** A terminal that nobody looks at: only what the commands are called is asked for. */
const NOBODY: Terminal = {
  stdout: { write: () => true },
  stderr: { write: () => true },
  env: {},
  isTty: false,
  columns: COLUMNS,
  colour: false,
  unicode: false,
  wallMs: () => 0,
};

/** The files of the manual, by their path in the package. */
export function manualTexts(): Readonly<Record<string, string>> {
  const entries = manualEntries(commandLine(NOBODY, () => undefined));
  return { 'man/headgate.1': manualPage(entries), 'docs/cli.md': manualMarkdown(entries) };
}
