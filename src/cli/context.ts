import { escapeUnsafe } from '../telemetry/printable.ts';
import type { ApiClient } from './api/client.ts';
import type { Terminal } from './terminal.ts';

/** What every command that asks a running server gets. */
export interface Context {
  readonly api: ApiClient;
  readonly terminal: Terminal;
}

/** Prints lines on stdout, in one write. */
export function printLines(terminal: Pick<Terminal, 'stdout'>, lines: readonly string[]): void {
  if (lines.length > 0) terminal.stdout.write(`${lines.join('\n')}\n`);
}

/**
 * Prints an answer of the API in its own shape: indented for eyes, on one line
 * for programs. Characters that could drive a terminal are written as JSON escapes.
 */
export function printJson(terminal: Pick<Terminal, 'stdout' | 'isTty'>, answer: unknown): void {
  const text = terminal.isTty ? JSON.stringify(answer, null, 2) : JSON.stringify(answer);
  printLines(terminal, text.split('\n').map(escapeUnsafe));
}

/** Prints one value as one line of JSON, whoever reads. */
export function printJsonLine(terminal: Terminal, value: unknown): void {
  printLines(terminal, [escapeUnsafe(JSON.stringify(value))]);
}
