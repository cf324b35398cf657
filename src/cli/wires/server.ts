import { Argument, InvalidArgumentError, Option } from 'commander';
import { NAME } from '../../core/names.ts';
import { ROLES, type Role } from '../../core/roles.ts';
import { SHELLS, type Shell } from '../completion/scripts.ts';
import { PAGES } from '../manual/pages.ts';
import { CONFIG_HELP, local, suggesting, type Wire } from '../wiring.ts';

/** Commands that run a server, or prepare one. */

const config = () => suggesting(new Option('-c, --config <file>', CONFIG_HELP), { files: true });

export const serve: Wire = (program, { env }, exit) =>
  local(program, 'serve', PAGES.serve)
    .addOption(config())
    .action(async (options: { config?: string }) => {
      const { runServe } = await import('../commands/serve.ts');
      exit(await runServe({ file: options.config ?? null, env }));
    });

export const check: Wire = (program, terminal, exit) =>
  local(program, 'check', PAGES.check)
    .addOption(config())
    .option('--json', '{ ok, problems, warnings, settings }')
    .action(async (options: { config?: string; json?: true }) => {
      const { runCheck } = await import('../commands/check.ts');
      exit(runCheck({ file: options.config ?? null, json: options.json ?? false, terminal }));
    });

export const token: Wire = (program, terminal, exit) =>
  local(program, 'token', PAGES.token)
    .addOption(
      new Option('--role <role>', 'a viewer reads; an operator also changes')
        .choices(ROLES)
        .default('viewer'),
    )
    .option('--name <name>', 'who gets it, for the audit trail', tokenName)
    .option('--json', '{ token, hash, role, name }')
    .action(async ({ role, name, json = false }: { role: Role; name?: string; json?: boolean }) => {
      const { runToken } = await import('../commands/token.ts');
      exit(runToken({ role, name: name ?? null, json }, terminal));
    });

export const completion: Wire = (program, terminal, exit) =>
  local(program, 'completion', PAGES.completion)
    .addArgument(new Argument('<shell>', 'for which shell').choices(SHELLS))
    .action(async (shell: Shell) => {
      const { runCompletion } = await import('../commands/completion.ts');
      exit(runCompletion({ shell }, terminal));
    });

/** The value of `token --name`. */
function tokenName(text: string): string {
  if (!NAME.pattern.test(text)) throw new InvalidArgumentError(`Expected ${NAME.means}.`);
  return text;
}
