import { Command, CommanderError } from 'commander';
import { HeadgateError } from '../lib/errors.ts';
import { VERSION } from '../version.ts';

const CONFIG_HELP = 'config file (default: config/headgate.yaml, or the built-in defaults)';

/** Runs the command line; resolves with the exit code: 0 done, 1 runtime failure, 2 bad usage or config. */
export async function run(argv: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command('headgate')
    .description('Ingest server for live media with a limiter at its heart.')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(see --help)');
  program
    .command('serve')
    .description('run the ingest server')
    .option('-c, --config <file>', CONFIG_HELP)
    .action(async (options: { config?: string }) => {
      const { runServe } = await import('./commands/serve.ts');
      code = await runServe({ file: options.config ?? null, env: process.env });
    });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof HeadgateError)) throw error;
    process.stderr.write(`headgate: ${error.message}\n`);
    return error.code === 'HG_USAGE' ? 2 : 1;
  }
  return code;
}
