import { loadConfig } from '../../config/load.ts';
import { effectiveValues } from '../../config/mask.ts';
import { formatProblem } from '../../config/problem.ts';
import { configFile } from '../config-file.ts';
import { printJson } from '../context.ts';
import type { Terminal } from '../terminal.ts';

export interface CheckOptions {
  /** `-c FILE`; null: `config/headgate.yaml` when it exists, else the built-in defaults */
  readonly file: string | null;
  readonly json: boolean;
  readonly terminal: Pick<Terminal, 'stdout' | 'stderr' | 'env' | 'isTty'>;
}

/**
 * `headgate check`: every error as `FILE:LINE:COL path: message` on stderr and
 * exit code 2; or the effective settings with where each came from on stdout,
 * warnings on stderr, and 0. As JSON both are one object on stdout.
 */
export function runCheck({ file, json, terminal }: CheckOptions): number {
  const { stdout, stderr, env } = terminal;
  const result = loadConfig(configFile(file), env);
  if (json) {
    const { ok } = result;
    const found = ok
      ? {
          ok,
          problems: [],
          warnings: result.warnings,
          settings: effectiveValues(result.config, result.source),
        }
      : { ok, problems: result.problems, warnings: [], settings: [] };
    printJson(terminal, found);
    return ok ? 0 : 2;
  }
  if (!result.ok) {
    for (const problem of result.problems) stderr.write(`${formatProblem(problem)}\n`);
    return 2;
  }
  for (const warning of result.warnings) stderr.write(`warning: ${formatProblem(warning)}\n`);
  const rows = effectiveValues(result.config, result.source);
  const pathWidth = Math.max(...rows.map(({ path }) => path.length));
  const valueWidth = Math.max(...rows.map(({ value }) => value.length));
  for (const { path, value, origin } of rows) {
    stdout.write(`${path.padEnd(pathWidth)}  ${value.padEnd(valueWidth)}  (${origin})\n`);
  }
  return 0;
}
