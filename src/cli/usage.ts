import { escapeUnsafe } from '../telemetry/printable.ts';

/** Options of every command that asks a server. People write them in front of the command, too. */
const AFTER_THE_COMMAND = /^unknown option '(--url|--token|--json|-c|--config)(?:=.*)?'/;

/**
 * What commander finds wrong with a command line, in one line that begins like
 * every error here and ends with what to do. `command` is as in `headgate streams`.
 */
export function usageError(text: string, command: string): string {
  const [problem = '', hint = ''] = text.trim().split('\n');
  const what = problem.replace(/^error: /, '').replace(/\.$/, '');
  const option = command === 'headgate' ? AFTER_THE_COMMAND.exec(what)?.[1] : undefined;
  const meant = /^\(Did you mean (.+)\?\)$/.exec(hint)?.[1];
  const advice =
    option !== undefined
      ? `write ${option} after the command`
      : meant !== undefined
        ? `did you mean ${meant}?`
        : `see ${command} --help`;
  return `${escapeUnsafe(`headgate: ${what}; ${advice}`)}\n`;
}
