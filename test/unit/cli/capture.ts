import { run } from '../../../src/cli/program.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';

/** What a command printed and how it ended. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Wall time of every test here, ten seconds after the streams of the samples have lived a minute. */
export const NOW_MS = Date.parse('2026-11-20T21:41:10.000Z');

/** A terminal that remembers what was written to it. */
export class CapturedTerminal implements Terminal {
  readonly env: Terminal['env'];
  readonly isTty: boolean;
  readonly columns: number | null;
  readonly colour: boolean;
  readonly unicode: boolean;
  out = '';
  err = '';
  readonly stdout = {
    write: (text: string) => {
      this.out += text;
    },
  };
  readonly stderr = {
    write: (text: string) => {
      this.err += text;
    },
  };

  constructor(given: Partial<Pick<Terminal, 'env' | 'isTty' | 'columns' | 'colour' | 'unicode'>> = {}) {
    this.env = given.env ?? {};
    this.isTty = given.isTty ?? false;
    this.columns = given.columns ?? null;
    this.colour = given.colour ?? false;
    this.unicode = given.unicode ?? false;
  }

  wallMs(): number {
    return NOW_MS;
  }
}

/** Runs a command line in this process. */
export async function headgate(argv: readonly string[], terminal = new CapturedTerminal()): Promise<Ran> {
  const code = await run(argv, terminal);
  return { code, stdout: terminal.out, stderr: terminal.err };
}
