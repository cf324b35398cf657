import { Argument, Option } from 'commander';
import { BACKPRESSURE_MODES, type BackpressureMode } from '../../http/ports.ts';
import { LIMIT_WORDS } from '../limit-words.ts';
import { PAGES } from '../manual/pages.ts';
import {
  type ClientOptions,
  client,
  contextOf,
  counted,
  JSON_HELP,
  suggesting,
  type Wire,
} from '../wiring.ts';
import { streamArgument } from './look.ts';

/** Commands with which an operator acts on a running server. */

/** Spans that an operator most often means. */
const SPANS = { words: ['30s', '1m', '10m', '1h', '1d'] };

/** The highest priority there is: below it lie all the others. */
const PRIORITY_MAX = 100;

export const kick: Wire = (program, terminal, exit) =>
  client(program, 'kick', PAGES.kick)
    .addArgument(streamArgument('<id>'))
    .addOption(
      suggesting(
        new Option(
          '--cooldown <time>',
          "how long key and address are refused then, such as 30s, 24h at most (default: the stream's own)",
        ),
        SPANS,
      ),
    )
    .option('--reason <text>', 'why, for the receipt and the audit trail')
    .option('--json', JSON_HELP)
    .action(async (meant: string, options: ClientOptions & { cooldown?: string; reason?: string }) => {
      const { runKick } = await import('../commands/kick.ts');
      const { cooldown, reason, json = false } = options;
      exit(await runKick({ stream: meant, cooldown, reason, json }, await contextOf(options, terminal)));
    });

export const limit: Wire = (program, terminal, exit) =>
  client(program, 'limit', PAGES.limit)
    .addArgument(streamArgument('<id>'))
    .addArgument(
      suggesting(new Argument('[changes...]', 'LIMIT=VALUE; LIMIT=config takes an override back'), {
        words: LIMIT_WORDS,
      }),
    )
    .addOption(
      suggesting(
        new Option(
          '--for <time>',
          'how long it holds, 1s to 30d, such as 10m (default: until the stream ends)',
        ),
        SPANS,
      ),
    )
    .option('--clear', 'take all overrides back')
    .option('--json', JSON_HELP)
    .action(
      async (meant: string, changes: string[], options: ClientOptions & { for?: string; clear?: true }) => {
        const { runLimit } = await import('../commands/limit.ts');
        const { clear = false, json = false } = options;
        const asked = { stream: meant, changes, for: options.for, clear, json };
        exit(await runLimit(asked, await contextOf(options, terminal)));
      },
    );

export const backpressure: Wire = (program, terminal, exit) =>
  client(program, 'backpressure', PAGES.backpressure)
    .addArgument(
      new Argument('[mode]', 'what to order; shows what holds when left out').choices(BACKPRESSURE_MODES),
    )
    .option('--below <priority>', 'with shed: streams below it go, 1 to 100', counted(PRIORITY_MAX))
    .addOption(
      suggesting(
        new Option(
          '--for <time>',
          'with off or shed: 1s to 30d, then auto again (default: until the next order)',
        ),
        SPANS,
      ),
    )
    .option('--json', JSON_HELP)
    .action(
      async (
        mode: BackpressureMode | undefined,
        options: ClientOptions & { below?: number; for?: string },
      ) => {
        const { runBackpressure } = await import('../commands/backpressure.ts');
        const { below, json = false } = options;
        exit(
          await runBackpressure({ mode, below, for: options.for, json }, await contextOf(options, terminal)),
        );
      },
    );
