import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { NAME } from '../core/names.ts';
import { ROLES, type Role } from '../core/roles.ts';
import { wallMs } from '../lib/clock.ts';
import { HeadgateError } from '../lib/errors.ts';
import { VERSION } from '../version.ts';
import type { Context } from './context.ts';
import { endWhenUnread, interrupted, liveOnUnread, type Terminal, terminalOf } from './terminal.ts';
import { usageError } from './usage.ts';

/**
 * The command line: what each command is called, what it takes and what it says
 * of itself. What it does is in `commands/`, loaded when it is asked for, so
 * that `--version` does not wait for a server to load.
 */

const CONFIG_HELP = 'config file (default: config/headgate.yaml, or the built-in defaults)';
const STREAM_HELP = 'id (s-7k2f), path (/live/cam1) or name (cam1) of a live stream';

/** Columns that help is wrapped at where there is no terminal. */
const HELP_COLUMNS = 100;

/** What one answer of the API holds at most, and what fits a screen. */
const LISTED_MAX = 1_000;
const EVENTS_SHOWN = 20;
const RECEIPTS_SHOWN = 5;

/** Runs the command line; resolves with the exit code: 0 done, 1 runtime failure, 2 bad usage or config. */
export async function run(
  argv: readonly string[],
  terminal: Terminal = processTerminal(argv),
): Promise<number> {
  let code = 0;
  const exit = (result: number): void => {
    code = result;
  };
  const program = new Command('headgate')
    .description('Ingest server for live media with a limiter at its heart.')
    .version(VERSION)
    .exitOverride()
    .configureHelp({ helpWidth: terminal.columns ?? HELP_COLUMNS })
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      getOutHasColors: () => terminal.colour,
    });
  for (const wire of [serve, check, top, streams, stream, kick, limit, why, events, token]) {
    const command = wire(program, terminal, exit);
    command.configureOutput({
      outputError: (text, write) => write(usageError(text, `headgate ${command.name()}`)),
    });
  }
  program.configureOutput({ outputError: (text, write) => write(usageError(text, 'headgate')) });
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

function processTerminal(argv: readonly string[]): Terminal {
  if (argv[0] === 'serve') liveOnUnread(process);
  else endWhenUnread(process);
  return terminalOf(process.stdout, process.stderr, process.env, wallMs);
}

/** Wires one command into the program; `exit` takes its exit code. */
type Wire = (program: Command, terminal: Terminal, exit: (code: number) => void) => Command;

const serve: Wire = (program, { env }, exit) =>
  program
    .command('serve')
    .description('run the ingest server')
    .option('-c, --config <file>', CONFIG_HELP)
    .action(async ({ config }: { config?: string }) => {
      const { runServe } = await import('./commands/serve.ts');
      exit(await runServe({ file: config ?? null, env }));
    });

const check: Wire = (program, { env, stdout, stderr }, exit) =>
  program
    .command('check')
    .description('validate a config: print every error with its place, or the limits in force')
    .option('-c, --config <file>', CONFIG_HELP)
    .action(async ({ config }: { config?: string }) => {
      const { runCheck } = await import('./commands/check.ts');
      exit(runCheck({ file: config ?? null, env, stdout, stderr }));
    });

interface ClientOptions {
  readonly url?: string;
  readonly token?: string;
  readonly json?: true;
}

/** A command that asks a running server. */
function client(program: Command, usage: string, description: string): Command {
  return program
    .command(usage)
    .description(description)
    .option('--url <url>', 'admin API of the server (default: HEADGATE_URL, or http://127.0.0.1:8080)')
    .option(
      '--token <token>',
      'admin token (default: HEADGATE_TOKEN, which other users of this machine do not see)',
    );
}

async function contextOf({ url, token }: ClientOptions, terminal: Terminal): Promise<Context> {
  const [{ ApiClient }, { apiAddress }] = await Promise.all([
    import('./api/client.ts'),
    import('./api/address.ts'),
  ]);
  return { api: new ApiClient(apiAddress({ url, token }, terminal.env)), terminal };
}

const JSON_HELP = "the API's own JSON";

const top: Wire = (program, terminal, exit) =>
  client(program, 'top', 'live table of streams: usage against limits')
    .option('--once', 'print one frame and end')
    .option('--json', `${JSON_HELP}; one line a second, or one snapshot with --once`)
    .action(async (options: ClientOptions & { once?: true }) => {
      const { runTop } = await import('./commands/top.ts');
      const { once = false, json = false } = options;
      const asked = { once, json, interrupted: () => interrupted(process) };
      exit(await runTop(asked, await contextOf(options, terminal)));
    });

const streams: Wire = (program, terminal, exit) =>
  client(program, 'streams', 'list the live streams, oldest first')
    .option('--json', JSON_HELP)
    .action(async (options: ClientOptions) => {
      const { runStreams } = await import('./commands/streams.ts');
      exit(await runStreams({ json: options.json ?? false }, await contextOf(options, terminal)));
    });

const stream: Wire = (program, terminal, exit) =>
  client(program, 'stream', 'show one live stream: usage, limits and where they come from, media, decisions')
    .argument('<id>', STREAM_HELP)
    .option('--json', JSON_HELP)
    .action(async (meant: string, options: ClientOptions) => {
      const { runStream } = await import('./commands/stream.ts');
      exit(
        await runStream({ stream: meant, json: options.json ?? false }, await contextOf(options, terminal)),
      );
    });

const kick: Wire = (program, terminal, exit) =>
  client(program, 'kick', 'disconnect a publisher')
    .argument('<id>', STREAM_HELP)
    .option(
      '--cooldown <time>',
      "how long key and address are refused then, such as 30s (default: the stream's own)",
    )
    .option('--reason <text>', 'why, for the receipt and the audit trail')
    .option('--json', JSON_HELP)
    .action(async (meant: string, options: ClientOptions & { cooldown?: string; reason?: string }) => {
      const { runKick } = await import('./commands/kick.ts');
      const { cooldown, reason, json = false } = options;
      exit(await runKick({ stream: meant, cooldown, reason, json }, await contextOf(options, terminal)));
    });

const limit: Wire = (program, terminal, exit) =>
  client(program, 'limit', 'override limits of a live stream')
    .argument('<id>', STREAM_HELP)
    .argument('[changes...]', 'LIMIT=VALUE; LIMIT=config takes an override back')
    .option('--for <time>', 'how long it holds, such as 10m (default: until the stream ends)')
    .option('--clear', 'take all overrides back')
    .option('--json', JSON_HELP)
    .addHelpText(
      'after',
      `
Limits: max_bitrate=4Mbps max_fps=30fps max_packets_per_sec=2000/s grace=10s (or never)
        on_exceed=observe|throttle|drop|disconnect; unlimited lifts one

  headgate limit /live/cam1 max_bitrate=4Mbps on_exceed=drop --for 10m
  headgate limit cam1 --clear`,
    )
    .action(
      async (meant: string, changes: string[], options: ClientOptions & { for?: string; clear?: true }) => {
        const { runLimit } = await import('./commands/limit.ts');
        const { clear = false, json = false } = options;
        const asked = { stream: meant, changes, for: options.for, clear, json };
        exit(await runLimit(asked, await contextOf(options, terminal)));
      },
    );

const why: Wire = (program, terminal, exit) =>
  client(program, 'why', 'why a publisher was refused, slowed or cut: the last receipts')
    .argument('<key>', 'receipt (r-1f3c), stream id, path, name, client or address')
    .option('-n, --limit <count>', 'at most so many', listed, RECEIPTS_SHOWN)
    .option('--reason <word>', 'only for this reason, such as stream_bitrate')
    .option('--json', JSON_HELP)
    .action(async (key: string, options: ClientOptions & { limit: number; reason?: string }) => {
      const { runWhy } = await import('./commands/why.ts');
      const { limit: most, reason, json = false } = options;
      exit(await runWhy({ key, limit: most, reason, json }, await contextOf(options, terminal)));
    });

const events: Wire = (program, terminal, exit) =>
  client(program, 'events', 'audit trail: refusals, cuts and what operators did, oldest first')
    .option('-n, --limit <count>', 'at most so many to begin with', listed, EVENTS_SHOWN)
    .option('-f, --follow', 'go on with what happens from now on')
    .option('--json', `${JSON_HELP}, one event a line`)
    .action(async (options: ClientOptions & { limit: number; follow?: true }) => {
      const { runEvents } = await import('./commands/events.ts');
      const { limit: most, follow = false, json = false } = options;
      const asked = { limit: most, follow, json, interrupted: () => interrupted(process) };
      exit(await runEvents(asked, await contextOf(options, terminal)));
    });

const token: Wire = (program, terminal, exit) =>
  program
    .command('token')
    .description('make a token for the admin API: prints it once, with the config line that holds its hash')
    .addOption(
      new Option('--role <role>', 'a viewer reads; an operator also changes')
        .choices(ROLES)
        .default('viewer'),
    )
    .option('--name <name>', 'who gets it, for the audit trail', tokenName)
    .option('--json', '{ token, hash, role, name }')
    .action(async ({ role, name, json = false }: { role: Role; name?: string; json?: boolean }) => {
      const { runToken } = await import('./commands/token.ts');
      exit(runToken({ role, name: name ?? null, json }, terminal));
    });

/** The value of `token --name`. */
function tokenName(text: string): string {
  if (!NAME.pattern.test(text)) throw new InvalidArgumentError(`Expected ${NAME.means}.`);
  return text;
}

/** The value of `--limit`. */
function listed(text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > LISTED_MAX) throw new InvalidArgumentError(`Expected 1 to ${LISTED_MAX}.`);
  return count;
}
