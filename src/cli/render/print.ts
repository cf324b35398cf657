import { printLines } from '../context.ts';
import type { Terminal } from '../terminal.ts';
import { type Line, paint } from '../top/text.ts';

/** Prints lines of a view; long ones are left to the terminal to wrap, unless they were made to fit. */
export function printView(terminal: Terminal, lines: readonly Line[]): void {
  printLines(
    terminal,
    lines.map((line) => paint(line, Number.POSITIVE_INFINITY, terminal.colour)),
  );
}
