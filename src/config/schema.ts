import { z } from 'zod';
import { NAME } from '../core/names.ts';
import { listenAddress, network } from './address.ts';
import { documented, field, filled, leaf, orObject } from './field.ts';
import { count, duration, FILE_PATH, oneOf, size, text } from './kinds.ts';
import { admin } from './schema-admin.ts';
import { audit } from './schema-audit.ts';
import { client, policy, tier } from './schema-clients.ts';
import { howMany, limits } from './schema-limits.ts';
import { adaptive, backpressure, resources } from './schema-resources.ts';
import { SRT_DEFAULT, srtListeners } from './schema-srt.ts';

/**
 * The config: every key with its type, unit, default and meaning, in one
 * place. `Config` mirrors the YAML key for key, its values in base units:
 * bits/s, bytes, ms, frames/s; `unlimited` and `never` are Infinity, null is
 * off. The JSON Schema, the environment overrides and `headgate check` follow
 * from here, and a test holds config/headgate.yaml equal to it.
 */

const address = leaf(listenAddress(), 'Address and port, such as 0.0.0.0:1935 or "[::]:1935".');

function listener(doc: string, fallback: string | null) {
  const schema = orObject('address', z.strictObject({ address })).transform((value) => value.address);
  return field(documented(schema.nullable(), doc, 'address'), fallback);
}

const rtmps = documented(
  orObject(
    'address',
    z.strictObject({
      address,
      cert: leaf(
        text(FILE_PATH),
        'Certificate chain, PEM. A relative path starts at the folder of the config file.',
      ),
      key: leaf(text(FILE_PATH), 'Private key of the certificate, PEM.'),
    }),
  )
    .transform((value) => ({ ...value.address, cert: value.cert, key: value.key }))
    .nullable(),
  'RTMP over TLS: { address, cert, key }. Off when null.',
);

const listen = filled(
  {
    rtmp: listener('RTMP for publishers and players. Off when null.', '0.0.0.0:1935'),
    rtmps: field(rtmps, null),
    srt: field(srtListeners, SRT_DEFAULT),
    playback: listener('HTTP-FLV, WebSocket-FLV and MPEG-TS for players. Off when null.', '0.0.0.0:8000'),
    admin: listener(
      'API, /metrics, health. Without admin.tokens it must stay on loopback. Off when null.',
      '127.0.0.1:8080',
    ),
  },
  'Where to listen. A change needs a restart, but for passphrases.',
);

const stage = duration({ min: '100ms', max: '1h' });
const timeouts = filled(
  {
    handshake: field(
      leaf(stage, 'A connection that has not finished its handshake by then is closed.'),
      '5s',
    ),
    publish: field(leaf(stage, 'A connection that neither publishes nor plays by then is closed.'), '10s'),
    idle: field(
      leaf(
        duration({ min: '1s', max: '1d', off: 'never' }),
        'A publisher that sends nothing this long is closed.',
      ),
      '15s',
    ),
    drain: field(
      leaf(duration({ max: '1h', zero: 'allowed' }), 'On SIGTERM live streams are closed within this time.'),
      '10s',
    ),
  },
  'How long each stage of a connection may take.',
);

const auth = filled(
  {
    mode: field(
      leaf(oneOf(['open', 'keys']), 'open lets anybody publish; keys asks for a stream key of a client.'),
      'open',
    ),
  },
  'Who may publish.',
);

const networks = (doc: string) =>
  field(documented(z.array(leaf(network(), 'A network or address.')), doc), []);

const logging = filled(
  {
    level: field(
      leaf(
        oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
        'Least important line written.',
      ),
      'info',
    ),
    pretty: field(
      leaf(oneOf(['auto', true, false]), 'Coloured lines instead of JSON; auto: on a terminal.'),
      'auto',
    ),
  },
  'The log, on standard output.',
);

const playback = filled(
  {
    max_players: field(leaf(howMany(), 'Players at once.'), 1000),
    max_queue: field(leaf(size({ min: '64KiB' }), 'A player that is this far behind is dropped.'), '4MiB'),
    gop_per_stream: field(
      leaf(size({ zero: 'allowed', max: '1GiB' }), 'Kept per stream so that a player starts at once.'),
      '8MiB',
    ),
    gop_total: field(leaf(size({ zero: 'allowed' }), 'Kept for all streams together.'), '256MiB'),
  },
  'Players.',
);

/** Every section with its default; the shape of a config file. */
export const configSchema = filled(
  {
    version: field(leaf(oneOf([1]), 'Version of this format.'), 1),
    node: field(
      filled({ id: field(leaf(text(NAME), 'Name of this server.'), 'ingest-1') }, 'This server.'),
      {},
    ),
    listen: field(listen, {}),
    admin: field(admin, {}),
    timeouts: field(timeouts, {}),
    limits: field(limits, {}),
    resources: field(resources, {}),
    adaptive: field(adaptive, {}),
    backpressure: field(backpressure, {}),
    auth: field(auth, {}),
    clients: field(documented(z.array(client), 'Who publishes with which keys.'), []),
    tiers: field(documented(z.record(z.string(), tier), 'Named sets of limits for clients.'), {}),
    policies: field(documented(z.array(policy), 'Limits for the streams that match.'), []),
    allow: networks('Addresses that are never limited, still counted.'),
    deny: networks('Addresses that are refused at once.'),
    logging: field(logging, {}),
    metrics: field(
      filled(
        {
          max_streams: field(
            leaf(
              count({ min: 0, max: 100_000 }),
              'Streams that get a metric of their own, the first to come.',
            ),
            200,
          ),
        },
        'Prometheus metrics.',
      ),
      {},
    ),
    playback: field(playback, {}),
    audit: field(audit, {}),
  },
  'Headgate config.',
);

type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;

/** The config in base units, as everything but this folder sees it; frozen through and through. */
export type Config = Frozen<z.output<typeof configSchema>>;

/** Limits that a tier, a policy or an operator sets for a stream. */
export type StreamOverrides = Config['policies'][number]['stream'];

/** The config of an empty file. */
export function defaultConfig(): Config {
  return configSchema.parse({});
}
