import { randomBytes } from 'node:crypto';
import type { Role } from '../../core/roles.ts';
import { TOKEN_BYTES, tokenHash, tokenOf } from '../../http/token-hash.ts';
import { printJson, printLines } from '../context.ts';
import type { Terminal } from '../terminal.ts';

export interface TokenOptions {
  readonly role: Role;
  /** who gets it, for the audit trail; null: nobody in particular */
  readonly name: string | null;
  readonly json: boolean;
}

/**
 * `headgate token`: draws a token for the admin API and prints it, once, with
 * the line of the config that lets it in. The line holds only its hash.
 */
export function runToken({ role, name, json }: TokenOptions, terminal: Terminal): number {
  const token = tokenOf(randomBytes(TOKEN_BYTES));
  const hash = tokenHash(token);
  if (json) {
    printJson(terminal, { token, hash, role, name });
    return 0;
  }
  const named = name === null ? '' : `, name: ${JSON.stringify(name)}`;
  printLines(terminal, [
    '# The token. It is shown this once; give it to its owner, for HEADGATE_TOKEN or --token:',
    token,
    '',
    '# In the config file, under admin: tokens:',
    `    - { hash: "${hash}", role: ${role}${named} }`,
  ]);
  return 0;
}
