import { z } from 'zod';
import { NAME } from '../core/names.ts';
import { PROTOCOLS } from '../core/stream.ts';
import { network } from './address.ts';
import { documented, leaf, orObject } from './field.ts';
import { bool, count, oneOf, text } from './kinds.ts';
import { clientOverrides, streamOverrides } from './schema-limits.ts';
import { passphrase } from './schema-srt.ts';

/** Who publishes and which limits they get: clients with their keys, tiers, policies. */

/** Short enough that `<id>-<position>` is a valid public name. */
const CLIENT_ID = { pattern: /^[A-Za-z0-9_-]{1,120}$/, means: '1 to 120 letters, digits, _ or -' };

/** The unreserved characters of RFC 3986: a stream key travels in URLs, and in SRT stream ids between commas. */
const STREAM_KEY = {
  pattern: /^[A-Za-z0-9._~-]{1,256}$/,
  means: '1 to 256 letters, digits or . _ ~ -',
  secret: true,
};

const GLOB = {
  pattern: /^[A-Za-z0-9._~*?-]{1,256}$/,
  means: 'a name of letters, digits or . _ ~ -, in which * stands for any characters and ? for one',
};

const streamKey = documented(
  orObject(
    'key',
    z.strictObject({
      key: leaf(text(STREAM_KEY), 'The secret that the encoder is given as its stream key.'),
      name: leaf(
        text(NAME),
        'Public name of the stream; default <client>-<position from 1>.',
      ).exactOptional(),
    }),
  ),
  'A stream key, or { key, name }.',
  'key',
);

export const client = documented(
  z
    .strictObject({
      id: leaf(text(CLIENT_ID), 'Name of the client in logs, API and policies.'),
      tier: leaf(text(NAME), 'A tier whose limits the client gets.').nullable().prefault(null),
      priority: leaf(count({ min: 0, max: 100 }), 'Who goes last when resources run short: 100.').prefault(
        50,
      ),
      keys: documented(z.array(streamKey), 'Stream keys of the client.').prefault([]),
      passphrase: passphrase(
        "SRT publishers with a key of this client must encrypt with it, not with the listener's.",
      ),
      limits: clientOverrides.prefault({}),
    })
    .transform((value) => ({
      ...value,
      keys: value.keys.map(({ key, name }, i) => ({ key, name: name ?? `${value.id}-${i + 1}` })),
    })),
  'One client.',
);

export const tier = documented(
  z.strictObject({ client: clientOverrides.prefault({}), stream: streamOverrides.prefault({}) }),
  'Limits that the clients of this tier get.',
);

const match = documented(
  z.strictObject({
    app: leaf(
      text(GLOB),
      'Application, the first part of the path; * and ? stand for characters.',
    ).exactOptional(),
    stream: leaf(text(GLOB), 'Public name of the stream; * and ? stand for characters.').exactOptional(),
    protocol: documented(
      z.preprocess(
        (input) => (Array.isArray(input) || input === null ? input : [input]),
        z.array(leaf(oneOf(PROTOCOLS), 'A transport.')),
      ),
      'One transport or a list of them.',
      'single',
    ).exactOptional(),
    ip: leaf(network(), 'A network or address of the publisher.').exactOptional(),
    tier: leaf(text(NAME), 'Tier of the client.').exactOptional(),
    client: leaf(text(CLIENT_ID), 'Id of the client.').exactOptional(),
  }),
  'Every key given must match; none given matches every stream.',
);

export const policy = documented(
  z.strictObject({
    name: leaf(text(NAME), 'Name of the policy, shown as the source of a limit.'),
    match: match.prefault({}),
    priority: leaf(count({ min: -1000, max: 1000 }), 'Higher goes first.').prefault(0),
    mode: leaf(oneOf(['enforce', 'observe']), 'observe counts what would have happened.').prefault('enforce'),
    override: leaf(
      bool(),
      'false: the most restrictive matching value wins; true: replaces lower priorities.',
    ).prefault(false),
    passphrase: passphrase(
      'SRT publishers and players that match must encrypt with it. The first policy that has one counts.',
    ),
    stream: streamOverrides.prefault({}),
  }),
  'One policy.',
);
