import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { until } from './server.ts';

/** The command line in a process of its own, as a user types it. */

const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts');

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
}

/** A command that runs. */
export class Cli {
  readonly process: ChildProcess;
  stdout = '';
  stderr = '';
  readonly exited: Promise<number | null>;

  constructor(args: readonly string[], options: CliOptions = {}) {
    const { HEADGATE_URL: _url, HEADGATE_TOKEN: _token, ...env } = process.env;
    this.process = spawn(process.execPath, [...(options.nodeArgs ?? []), MAIN, ...args], {
      cwd: options.cwd,
      env: { ...env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process.stdout?.on('data', (text: Buffer) => {
      this.stdout += text;
    });
    this.process.stderr?.on('data', (text: Buffer) => {
      this.stderr += text;
    });
    this.exited = new Promise((resolve) => this.process.once('close', resolve));
  }

  /** Ends it, if it has not ended by itself. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    if (this.process.exitCode === null) this.process.kill(signal);
    return this.exited;
  }
}

/** Runs a command to its end. */
export async function headgate(args: readonly string[], options: CliOptions = {}): Promise<Ran> {
  const cli = new Cli(args, options);
  const code = await cli.exited;
  return { code, stdout: cli.stdout, stderr: cli.stderr };
}

/**
 * A command in a pseudo terminal, by `script` of util-linux, and what its
 * screen shows: the few control sequences that `top` draws with.
 */
export class PseudoTerminal {
  readonly process: ChildProcess;
  readonly exited: Promise<number | null>;
  /** all that was written to the terminal */
  raw = '';
  #tty = '';

  /** `command` is a line for the shell. */
  static async start(
    command: string,
    columns: number,
    rows: number,
    env: Readonly<Record<string, string>> = {},
  ): Promise<PseudoTerminal> {
    const terminal = new PseudoTerminal(command, columns, rows, env);
    await until(() => {
      terminal.#tty = /\/dev\/pts\/\d+/.exec(terminal.raw)?.[0] ?? '';
      return terminal.#tty !== '';
    }, 'the pseudo terminal');
    return terminal;
  }

  private constructor(command: string, columns: number, rows: number, env: Readonly<Record<string, string>>) {
    const line = `tty; stty cols ${columns} rows ${rows}; ${command}`;
    // `</dev/null` would end the terminal's input: stdin stays an open pipe that keys go through.
    this.process = spawn('script', ['-qec', line, '/dev/null'], {
      env: { ...process.env, TERM: 'xterm-256color', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.raw += text;
    });
    this.exited = new Promise((resolve) => this.process.once('close', resolve));
  }

  type(keys: string): void {
    this.process.stdin?.write(keys);
  }

  /** Another size, told to whoever runs in it (SIGWINCH). */
  resize(columns: number, rows: number): Promise<number | null> {
    const stty = spawn('stty', ['-F', this.#tty, 'cols', String(columns), 'rows', String(rows)], {
      stdio: 'inherit',
    });
    return new Promise((resolve) => stty.once('close', resolve));
  }

  /** The lines on the screen since it was last cleared, without colours. */
  lines(): string[] {
    const drawn = this.raw.slice(this.raw.lastIndexOf('\u001b[2J') + 1);
    const rows: string[] = [];
    for (const match of drawn.matchAll(PLACED))
      rows[Number(match.groups?.['row']) - 1] = (match.groups?.['text'] ?? '').replace(STYLED, '');
    return Array.from(rows, (row) => row ?? '');
  }

  /** Waits until the screen shows it. */
  shows(pattern: RegExp): Promise<string> {
    return until(() => {
      const screen = this.lines().join('\n');
      return pattern.test(screen) ? screen : null;
    }, `the screen to show ${pattern}`);
  }

  async stop(): Promise<number | null> {
    if (this.process.exitCode === null) this.process.kill('SIGKILL');
    return this.exited;
  }
}

const ESC = '\u001b';
/** A line of text put at a row, up to the end of which it clears. */
const PLACED = new RegExp(`${ESC}\\[(?<row>\\d+);1H(?<text>.*?)${ESC}\\[K`, 'gs');
const STYLED = new RegExp(`${ESC}\\[[0-9;]*m`, 'g');
