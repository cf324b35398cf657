import { Argument, Option } from 'commander';
import { REASONS } from '../../core/reasons.ts';
import { OPERATOR_ACTIONS } from '../../telemetry/events.ts';
import { PAGES } from '../manual/pages.ts';
import { interrupted } from '../terminal.ts';
import {
  type ClientOptions,
  client,
  contextOf,
  counted,
  JSON_HELP,
  suggesting,
  type Wire,
} from '../wiring.ts';

/** Commands that tell what was decided and done. */

/** What one answer of the API holds at most, and what fits a screen. */
const LISTED_MAX = 1_000;
const EVENTS_SHOWN = 20;
const RECEIPTS_SHOWN = 5;

/** Lines shown out of a file: whoever wants more reads the file. */
const FILE_LISTED_MAX = 100_000;

const ACTIONS = ['refuse', 'cut', 'drop', 'throttle', 'observe', ...OPERATOR_ACTIONS];

const reasonOption = () =>
  suggesting(new Option('--reason <word>', 'only for this reason, such as stream_bitrate'), {
    words: REASONS,
  });

export const why: Wire = (program, terminal, exit) =>
  client(program, 'why', PAGES.why)
    .addArgument(
      suggesting(new Argument('<key>', 'receipt (r-1f3c), stream id, path, name, client or address'), {
        live: 'anybody',
      }),
    )
    .option('-n, --limit <count>', `at most so many, 1 to ${LISTED_MAX}`, counted(LISTED_MAX), RECEIPTS_SHOWN)
    .addOption(reasonOption())
    .option('--json', JSON_HELP)
    .action(async (key: string, options: ClientOptions & { limit: number; reason?: string }) => {
      const { runWhy } = await import('../commands/why.ts');
      const { limit: most, reason, json = false } = options;
      exit(await runWhy({ key, limit: most, reason, json }, await contextOf(options, terminal)));
    });

interface EventsFlags extends ClientOptions {
  readonly limit: number;
  readonly follow?: true;
  readonly reason?: string;
  readonly action?: string;
  readonly key?: string;
  readonly since?: string;
  readonly file?: string;
}

export const events: Wire = (program, terminal, exit) =>
  client(program, 'events', PAGES.events)
    .option(
      '-n, --limit <count>',
      `at most so many to begin with, 1 to ${LISTED_MAX}; with --file to ${FILE_LISTED_MAX}`,
      counted(FILE_LISTED_MAX),
      EVENTS_SHOWN,
    )
    .option('-f, --follow', 'go on with what happens from now on')
    .addOption(reasonOption())
    .addOption(
      suggesting(new Option('--action <word>', 'only what was done so, such as cut or kick'), {
        words: ACTIONS,
      }),
    )
    .addOption(
      suggesting(new Option('--key <key>', 'only about this stream, path, client, address or receipt'), {
        live: 'anybody',
      }),
    )
    .addOption(
      suggesting(new Option('--since <time>', 'only later than that: 90s, 2h, 7d ago, or a time'), {
        words: ['1m', '10m', '1h', '1d', '7d'],
      }),
    )
    .addOption(
      suggesting(new Option('--file <path>', 'read an audit log instead of asking a server'), {
        files: true,
      }),
    )
    .option('--json', `${JSON_HELP}, one event a line`)
    .action(async (options: EventsFlags) => {
      const { runEvents, runFileEvents } = await import('../commands/events.ts');
      const { limit, follow = false, json = false, file, reason, action, key, since } = options;
      const asked = { limit, json, reason, action, key, since };
      if (file !== undefined) exit(await runFileEvents({ ...asked, file, follow }, terminal));
      else {
        const following = { ...asked, follow, interrupted: () => interrupted(process) };
        exit(await runEvents(following, await contextOf(options, terminal)));
      }
    });
