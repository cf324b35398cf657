import { Command, CommanderError } from 'commander';
import { wallMs } from '../lib/clock.ts';
import { HeadgateError } from '../lib/errors.ts';
import { VERSION } from '../version.ts';
import { helpAfter } from './manual/help.ts';
import { PROGRAM_ABOUT } from './manual/pages.ts';
import { endWhenUnread, liveOnUnread, type Terminal, terminalOf } from './terminal.ts';
import { usageError } from './usage.ts';
import { backpressure, kick, limit } from './wires/act.ts';
import { api, clients, config, history, ips, resources, stream, streams, top } from './wires/look.ts';
import { check, completion, serve, token } from './wires/server.ts';
import { events, why } from './wires/trail.ts';
import { pageOf, type Wire } from './wiring.ts';

/**
 * The command line: what each command is called, what it takes and what it says
 * of itself. What it does is in `commands/`, loaded when it is asked for, so
 * that `--version` does not wait for a server to load.
 */

/** Columns that help is wrapped at where there is no terminal. */
const HELP_COLUMNS = 100;

const LOOKING: readonly Wire[] = [top, streams, stream, history, clients, ips, resources, config, api];
const ACTING: readonly Wire[] = [kick, limit, backpressure];
const GROUPS: readonly (readonly [title: string, wires: readonly Wire[]])[] = [
  ['The server:', [serve, check, token]],
  ['Look:', LOOKING],
  ['Find out why:', [why, events]],
  ['Act:', ACTING],
  ['Shell:', [completion]],
];

/** What a shell asks with; see `completion/`. */
const COMPLETE = '__complete';

/** Runs the command line; resolves with the exit code: 0 done, 1 runtime failure, 2 bad usage or config. */
export async function run(
  argv: readonly string[],
  terminal: Terminal = processTerminal(argv),
): Promise<number> {
  let code = 0;
  const program = commandLine(terminal, (result) => {
    code = result;
  });
  if (argv[0] === COMPLETE) {
    const { runComplete } = await import('./completion/complete.ts');
    return runComplete(program, argv.slice(2), terminal);
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof HeadgateError)) throw error;
    terminal.stderr.write(`headgate: ${error.message}\n`);
    return error.code === 'HG_USAGE' ? 2 : 1;
  }
  return code;
}

/** Every command with what it takes; what `--help`, the manual and completion are made from. */
export function commandLine(terminal: Terminal, exit: (code: number) => void): Command {
  const program = new Command('headgate')
    .description(PROGRAM_ABOUT.join('\n\n'))
    .version(VERSION)
    .exitOverride()
    .configureHelp({ helpWidth: terminal.columns ?? HELP_COLUMNS })
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      getOutHasColors: () => terminal.colour,
    });
  for (const [title, wires] of GROUPS) {
    for (const wire of wires) {
      const command = wire(program, terminal, exit);
      command
        .helpGroup(title)
        .addHelpText('after', () => helpAfter(pageOf(command), command))
        .configureOutput({
          outputError: (text, write) => write(usageError(text, `headgate ${command.name()}`)),
        });
    }
  }
  return program.configureOutput({ outputError: (text, write) => write(usageError(text, 'headgate')) });
}

function processTerminal(argv: readonly string[]): Terminal {
  if (argv[0] === 'serve') liveOnUnread(process);
  else endWhenUnread(process);
  return terminalOf(process.stdout, process.stderr, process.env, wallMs);
}
