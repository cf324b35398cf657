/**
 * What a command may know of the terminal it talks to. Commands get it as an
 * argument, so that a test reads what they print.
 */

export interface Output {
  write(text: string): unknown;
}

export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** somebody looks at stdout; false for a pipe or a file */
  readonly isTty: boolean;
  /** characters in a line of stdout; null where there are no lines to fit */
  readonly columns: number | null;
  /** colours may be used: a terminal that can, and no NO_COLOR (https://no-color.org) */
  readonly colour: boolean;
  /** false: only ASCII is drawn */
  readonly unicode: boolean;
  /** wall time for display, Unix ms */
  wallMs(): number;
}

interface StandardOutput extends Output {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** The terminal of a process, from its streams and environment. */
export function terminalOf(
  stdout: StandardOutput,
  stderr: Output,
  env: Terminal['env'],
  wallMs: () => number,
): Terminal {
  const isTty = stdout.isTTY === true;
  const noColor = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '';
  // The order in which the C library asks (POSIX, environment variables for locales).
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return {
    stdout,
    stderr,
    env,
    isTty,
    // A pseudo terminal that was never given a size says 0.
    columns: isTty ? stdout.columns || null : null,
    colour: isTty && !noColor && env['TERM'] !== 'dumb',
    unicode: isTty && /utf-?8/i.test(locale),
    wallMs,
  };
}

/**
 * Ends the process when its output can no longer be written: quietly when the
 * reader has seen enough (`| head -1`), with a line and 1 when a disk is full.
 */
export function endWhenUnread({ stdout, stderr, exit }: NodeJS.Process): void {
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') exit(0);
    stderr.write(`headgate: the output cannot be written: ${error.message}\n`);
    exit(1);
  });
  // Nobody is left to be told.
  stderr.on('error', () => exit(1));
}

/** A server lives on when nobody reads what it says. */
export function liveOnUnread({ stdout, stderr }: NodeJS.Process): void {
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
}

/** Aborted when somebody at the keyboard, or the system, asks the process to end. */
export function interrupted(process: NodeJS.Process): AbortSignal {
  const asked = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => asked.abort());
  return asked.signal;
}
