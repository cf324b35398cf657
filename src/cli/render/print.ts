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

interface ListView {
  readonly lines: readonly Line[];
  readonly count: number;
  /** beyond what one answer of the API holds */
  readonly omitted: number;
  readonly what: string;
}

/** Prints a list, or says on stderr that it is empty or not whole. */
export function printList(terminal: Terminal, { lines, count, omitted, what }: ListView): void {
  if (count === 0) terminal.stderr.write(`headgate: no ${what}\n`);
  else printView(terminal, lines);
  if (omitted > 0) terminal.stderr.write(`headgate: ${omitted} more ${what} are not shown\n`);
}
