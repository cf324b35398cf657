import { z } from 'zod';
import { type ListenAddress, listenAddress } from './address.ts';
import { documented, leaf, orObject } from './field.ts';
import { duration, text } from './kinds.ts';

/** What the config says of SRT: its listeners, and the passphrases that encrypt. */

/**
 * What SRTO_PASSPHRASE takes (SRT API, socket options), printable so that it can be typed into an encoder's URL.
 * The length of the key (AES-128, 192, 256) is the encoder's choice.
 */
const PASSPHRASE = {
  pattern: /^[ -~]{10,79}$/,
  means: '10 to 79 printable ASCII characters',
  secret: true,
};

export const passphrase = (doc: string) => leaf(text(PASSPHRASE), doc).nullable().prefault(null);

/** The default port is the one that most SRT servers use. */
const DEFAULT_ADDRESS = '0.0.0.0:8890';

export interface SrtListen extends ListenAddress {
  /** ms */
  readonly latency: number;
  /** null: streams are not encrypted */
  readonly passphrase: string | null;
}

const listener = documented(
  orObject(
    'address',
    z.strictObject({
      address: leaf(
        listenAddress(),
        'Address and UDP port; "[::]:8890" is every address, IPv4 included.',
      ).prefault(DEFAULT_ADDRESS),
      latency: leaf(
        duration({ min: '20ms', max: '10s' }),
        'How long a lost packet may take to be sent again; four round trips at least. An encoder may ask for more.',
      ).prefault('120ms'),
      passphrase: passphrase('Publishers and players must encrypt with it. No encryption when null.'),
    }),
  ),
  'An address, or { address, latency, passphrase }.',
  'address',
);

/** One listener or a list of them, as address and port beside what else it says; null when there is none. */
export const srtListeners = documented(
  z.preprocess(
    (input) => (Array.isArray(input) || input === null ? input : [input]),
    z
      .array(listener)
      .transform((listeners): SrtListen[] =>
        listeners.map(({ address, ...rest }) => ({ ...address, ...rest })),
      ),
  ),
  'SRT over UDP for publishers and players: an address, { address, latency, passphrase }, or a list of them. Off when null.',
  'single',
).nullable();

export const SRT_DEFAULT = {
  address: DEFAULT_ADDRESS,
  latency: '120ms',
  passphrase: null,
} as const;
