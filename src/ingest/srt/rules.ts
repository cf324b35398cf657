import type { SrtDoorPolicy, SrtRules } from '../../native/srt.ts';
import { keyIdOf } from '../identity.ts';

/** The parts of the config that the door decides by, beside the refusals in force. */
export interface DoorConfig {
  readonly mode: 'open' | 'keys';
  readonly ipv6Prefix: number;
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly clients: readonly DoorClient[];
  readonly policies: readonly PassphrasePolicy[];
}

interface DoorClient {
  readonly id: string;
  readonly tier: string | null;
  readonly passphrase: string | null;
  readonly keys: readonly { readonly key: string; readonly name: string }[];
}

/** A policy as the config has it; only those that set a passphrase for SRT matter here. */
export interface PassphrasePolicy {
  readonly match: {
    readonly app?: string | undefined;
    readonly stream?: string | undefined;
    readonly protocol?: readonly string[] | undefined;
    readonly ip?: string | undefined;
    readonly tier?: string | undefined;
    readonly client?: string | undefined;
  };
  readonly priority: number;
  readonly mode: 'enforce' | 'observe';
  readonly passphrase: string | null;
}

/** The tables of one listener; `passphrase` is its own, null = none. */
export function doorRules(config: DoorConfig, passphrase: string | null): SrtRules {
  return {
    mode: config.mode,
    ipv6Prefix: config.ipv6Prefix,
    passphrase: passphrase ?? '',
    allow: config.allow,
    deny: config.deny,
    keys: config.mode === 'open' ? [] : config.clients.flatMap(keysOf),
    policies: policiesOf(config.policies),
  };
}

function keysOf(client: DoorClient): SrtRules['keys'] {
  return client.keys.map(({ key, name }) => ({
    secret: key,
    client: client.id,
    tier: client.tier ?? '',
    name,
    keyId: keyIdOf(key),
    passphrase: client.passphrase ?? '',
  }));
}

/** Those with a passphrase, in the order they count: higher priority first, then the order of the file. */
function policiesOf(policies: readonly PassphrasePolicy[]): SrtDoorPolicy[] {
  return policies
    .filter(({ mode, match }) => mode === 'enforce' && match.protocol?.includes('srt') !== false)
    .toSorted((a, b) => b.priority - a.priority)
    .flatMap(({ passphrase, match }) =>
      passphrase === null
        ? []
        : [
            {
              app: match.app ?? '',
              stream: match.stream ?? '',
              network: match.ip ?? '',
              client: match.client ?? '',
              tier: match.tier ?? '',
              passphrase,
            },
          ],
    );
}
