import { Argument, Option } from 'commander';
import { PROTOCOLS, STREAM_STATES } from '../../core/stream.ts';
import { ENDPOINTS } from '../../http/endpoints.ts';
import { PAGES } from '../manual/pages.ts';
import { interrupted } from '../terminal.ts';
import {
  type ClientOptions,
  client,
  contextOf,
  counted,
  JSON_HELP,
  STREAM_HELP,
  suggesting,
  type Wire,
} from '../wiring.ts';

/** Commands that show what a running server does. */

/** Rows of a history: all that is kept of five minutes, and what fits a screen. */
const PAST_MAX = 1_000;
const PAST_SHOWN = 20;

export const streamArgument = (usage: string) =>
  suggesting(new Argument(usage, STREAM_HELP), { live: 'streams' });

/** Endpoints that can be asked for as they are. */
const PATHS = ENDPOINTS.filter(({ method, path }) => method === 'GET' && !path.endsWith('/events'))
  .map(({ path }) => path.replace(/\[.*\]$/, ''))
  .filter((path) => !path.includes('{'));

export const top: Wire = (program, terminal, exit) =>
  client(program, 'top', PAGES.top)
    .option('--once', 'print one frame and end')
    .option('--json', `${JSON_HELP}; one line a second, or one list with --once`)
    .action(async (options: ClientOptions & { once?: true }) => {
      const { runTop } = await import('../commands/top.ts');
      const { once = false, json = false } = options;
      const asked = { once, json, interrupted: () => interrupted(process) };
      exit(await runTop(asked, await contextOf(options, terminal)));
    });

export const streams: Wire = (program, terminal, exit) =>
  client(program, 'streams', PAGES.streams)
    .addOption(new Option('--state <state>', 'only those in this state').choices(STREAM_STATES))
    .addOption(suggesting(new Option('--client <id>', 'only those of this client'), { live: 'clients' }))
    .addOption(new Option('--protocol <protocol>', 'only those that came over it').choices(PROTOCOLS))
    .option('--json', JSON_HELP)
    .action(async (options: ClientOptions & { state?: string; client?: string; protocol?: string }) => {
      const { runStreams } = await import('../commands/streams.ts');
      const { state, client: of, protocol, json = false } = options;
      exit(await runStreams({ state, client: of, protocol, json }, await contextOf(options, terminal)));
    });

export const stream: Wire = (program, terminal, exit) =>
  client(program, 'stream', PAGES.stream)
    .addArgument(streamArgument('<id>'))
    .option('--json', JSON_HELP)
    .action(async (meant: string, options: ClientOptions) => {
      const { runStream } = await import('../commands/stream.ts');
      exit(
        await runStream({ stream: meant, json: options.json ?? false }, await contextOf(options, terminal)),
      );
    });

export const history: Wire = (program, terminal, exit) =>
  client(program, 'history', PAGES.history)
    .addArgument(streamArgument('[id]'))
    .option('-n, --rows <count>', 'the latest so many intervals', counted(PAST_MAX), PAST_SHOWN)
    .option('--json', JSON_HELP)
    .action(async (meant: string | undefined, options: ClientOptions & { rows: number }) => {
      const { runHistory } = await import('../commands/history.ts');
      const asked = { stream: meant, rows: options.rows, json: options.json ?? false };
      exit(await runHistory(asked, await contextOf(options, terminal)));
    });

export const clients: Wire = (program, terminal, exit) =>
  client(program, 'clients', PAGES.clients)
    .addArgument(suggesting(new Argument('[id]', 'one client'), { live: 'clients' }))
    .option('--tier <name>', 'only those of this tier')
    .option('--live', 'only those with a live stream')
    .option('--json', JSON_HELP)
    .action(async (one: string | undefined, options: ClientOptions & { tier?: string; live?: true }) => {
      const { runClients } = await import('../commands/clients.ts');
      const { tier, live = false, json = false } = options;
      exit(await runClients({ client: one, tier, live, json }, await contextOf(options, terminal)));
    });

export const ips: Wire = (program, terminal, exit) =>
  client(program, 'ips', PAGES.ips)
    .addArgument(suggesting(new Argument('[address]', 'one, as it is listed'), { live: 'ips' }))
    .option('--cooldown', 'only those that have to wait after a cut')
    .option('--live', 'only those with a live stream')
    .option('--json', JSON_HELP)
    .action(async (ip: string | undefined, options: ClientOptions & { cooldown?: true; live?: true }) => {
      const { runIps } = await import('../commands/ips.ts');
      const { cooldown = false, live = false, json = false } = options;
      exit(await runIps({ ip, cooldown, live, json }, await contextOf(options, terminal)));
    });

export const resources: Wire = (program, terminal, exit) =>
  client(program, 'resources', PAGES.resources)
    .option('--json', JSON_HELP)
    .action(async (options: ClientOptions) => {
      const { runResources } = await import('../commands/resources.ts');
      exit(await runResources({ json: options.json ?? false }, await contextOf(options, terminal)));
    });

export const config: Wire = (program, terminal, exit) =>
  client(program, 'config', PAGES.config)
    .option('--json', JSON_HELP)
    .action(async (options: ClientOptions) => {
      const { runConfig } = await import('../commands/config.ts');
      exit(await runConfig({ json: options.json ?? false }, await contextOf(options, terminal)));
    });

export const api: Wire = (program, terminal, exit) =>
  client(program, 'api', PAGES.api)
    .addArgument(suggesting(new Argument('<path>', 'begins with /, a query may follow'), { words: PATHS }))
    .action(async (path: string, options: ClientOptions) => {
      const { runApi } = await import('../commands/api.ts');
      exit(await runApi({ path }, await contextOf(options, terminal)));
    });
