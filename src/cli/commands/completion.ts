import { completionScript, type Shell } from '../completion/scripts.ts';
import type { Terminal } from '../terminal.ts';

/** `headgate completion SHELL`: prints what the shell has to run. */
export function runCompletion({ shell }: { readonly shell: Shell }, { stdout }: Terminal): number {
  stdout.write(completionScript(shell));
  return 0;
}
