import { z } from 'zod';
import { ON_EXCEED } from '../core/limits.ts';
import { PROTOCOLS } from '../core/stream.ts';
import { listenAddress, network } from './address.ts';
import { documented, field, filled, leaf, partly } from './field.ts';
import { bitrate, bool, count, duration, eventRate, fps, oneOf, perSecond, size, text } from './kinds.ts';

/**
 * The config: every key with its type, unit, default and meaning, in one
 * place. `Config` mirrors the YAML key for key, its values in base units:
 * bits/s, bytes, ms, frames/s; `unlimited` and `never` are Infinity, null is
 * off. The JSON Schema, the environment overrides and `headgate check` follow
 * from here, and a test holds config/headgate.yaml equal to it.
 */

const COUNT_MAX = 10_000_000;
const howMany = (): ReturnType<typeof count> => count({ min: 0, max: COUNT_MAX, off: 'unlimited' });

const NAME = { pattern: /^[A-Za-z0-9_-]{1,128}$/, means: '1 to 128 letters, digits, _ or -' };

/** Short enough that `<id>-<position>` is a valid public name. */
const CLIENT_ID = { pattern: /^[A-Za-z0-9_-]{1,120}$/, means: '1 to 120 letters, digits, _ or -' };

/** The unreserved characters of RFC 3986: a stream key travels in URLs, and in SRT stream ids between commas. */
const STREAM_KEY = {
  pattern: /^[A-Za-z0-9._~-]{1,256}$/,
  means: '1 to 256 letters, digits or . _ ~ -',
  secret: true,
};

/** What an HTTP header carries after "Bearer " (RFC 6750 section 2.1, widened to visible ASCII). */
const TOKEN = {
  pattern: /^[!-~]{1,512}$/,
  means: '1 to 512 visible ASCII characters without spaces',
  secret: true,
};

const GLOB = {
  pattern: /^[A-Za-z0-9._~*?-]{1,256}$/,
  means: 'a name of letters, digits or . _ ~ -, in which * stands for any characters and ? for one',
};

const FILE = { pattern: /^[^\0]{1,4096}$/, means: 'the path of a file' };

const address = leaf(listenAddress(), 'Address and port, such as 0.0.0.0:1935 or "[::]:1935".');

/** `rtmp: 0.0.0.0:1935` and `rtmp: { address: 0.0.0.0:1935 }` are the same. */
function orObject<S extends z.ZodType>(key: string, schema: S): z.ZodPreprocess<S> {
  return z.preprocess(
    (input) =>
      typeof input === 'object' && input !== null && !Array.isArray(input) ? input : { [key]: input },
    schema,
  );
}

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
        text(FILE),
        'Certificate chain, PEM. A relative path starts at the folder of the config file.',
      ),
      key: leaf(text(FILE), 'Private key of the certificate, PEM.'),
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
    playback: listener('HTTP-FLV and WebSocket-FLV for players. Off when null.', '0.0.0.0:8000'),
    admin: listener(
      'API, /metrics, health. Without admin.tokens it must stay on loopback. Off when null.',
      '127.0.0.1:8080',
    ),
  },
  'Where to listen. A change needs a restart.',
);

const ROLES = ['viewer', 'operator'] as const;

const admin = filled(
  {
    tokens: field(
      documented(
        z.array(
          z.strictObject({
            token: leaf(text(TOKEN), 'The secret itself, sent as "Authorization: Bearer ...".'),
            role: leaf(oneOf(ROLES), 'viewer reads; operator also kicks and sets limits.').prefault('viewer'),
          }),
        ),
        'Who may use the admin API. Needed as soon as listen.admin is not on loopback.',
      ),
      [],
    ),
  },
  'Access to the admin API.',
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

const globalLimits = {
  max_connections: field(leaf(howMany(), 'Open connections, publishers and players together.'), 1000),
  connection_rate: field(leaf(eventRate(), 'New connections per period.'), '100/s'),
  max_streams: field(leaf(howMany(), 'Streams published at once.'), 500),
  max_bandwidth: field(
    leaf(bitrate({ off: 'unlimited' }), 'Media received from all publishers together.'),
    '2Gbps',
  ),
};

const ipLimits = {
  max_connections: field(leaf(howMany(), 'Open connections per address.'), 20),
  connection_rate: field(leaf(eventRate(), 'New connections per period and address.'), '10/s'),
  max_bandwidth: field(leaf(bitrate({ off: 'unlimited' }), 'Media received per address.'), 'unlimited'),
  ipv6_prefix: field(
    leaf(
      count({ min: 16, max: 128 }),
      'IPv6 addresses that share this many leading bits count as one address.',
    ),
    64,
  ),
};

const clientLimits = {
  max_streams: field(leaf(howMany(), 'Streams a client publishes at once.'), 3),
  max_bandwidth: field(
    leaf(bitrate({ off: 'unlimited' }), 'Media received from all streams of a client.'),
    '20Mbps',
  ),
  publish_rate: field(leaf(eventRate(), 'Publish attempts of a client per period.'), '100/min'),
};

const streamLimits = {
  max_bitrate: field(
    leaf(bitrate({ off: 'unlimited' }), 'Highest bitrate of one stream, media payload.'),
    '6Mbps',
  ),
  bitrate_window: field(
    leaf(duration({ min: '100ms', max: '1m' }), 'The reported bitrate is averaged over this window.'),
    '2s',
  ),
  max_fps: field(leaf(fps({ off: 'unlimited' }), 'Highest video frame rate of one stream.'), '60fps'),
  max_packets_per_sec: field(
    leaf(perSecond({ off: 'unlimited' }), 'RTMP messages (later SRT packets) of one stream.'),
    '2000/s',
  ),
  on_exceed: field(
    leaf(
      oneOf(ON_EXCEED),
      'observe counts; throttle slows the sender by TCP backpressure; drop leaves out video frames; disconnect cuts after grace.',
    ),
    'throttle',
  ),
  grace: field(
    leaf(
      duration({ max: '1d', off: 'never', zero: 'allowed' }),
      'Sustained excess this long ends in a disconnect, whatever on_exceed says short of observe; never turns that off.',
    ),
    '10s',
  ),
  cooldown: field(
    leaf(
      duration({ max: '7d', zero: 'allowed' }),
      'After a disconnect for cause the stream key and the address are refused this long.',
    ),
    '30s',
  ),
};

const limits = filled(
  {
    global: field(filled(globalLimits, 'For the whole server.'), {}),
    ip: field(filled(ipLimits, 'For each address.'), {}),
    client: field(filled(clientLimits, 'For each client; tiers and clients may differ.'), {}),
    stream: field(filled(streamLimits, 'For each stream; tiers and policies may differ.'), {}),
  },
  'What may come in.',
);

/** What a policy, a tier or an operator may change for a stream: the same keys, each optional. */
export const streamOverrides = partly(streamLimits, 'Limits of a stream that differ.');
const clientOverrides = partly(clientLimits, 'Limits of a client that differ.');

const auth = filled(
  {
    mode: field(
      leaf(oneOf(['open', 'keys']), 'open lets anybody publish; keys asks for a stream key of a client.'),
      'open',
    ),
  },
  'Who may publish.',
);

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

const client = documented(
  z
    .strictObject({
      id: leaf(text(CLIENT_ID), 'Name of the client in logs, API and policies.'),
      tier: leaf(text(NAME), 'A tier whose limits the client gets.').nullable().prefault(null),
      priority: leaf(count({ min: 0, max: 100 }), 'Who goes last when resources run short: 100.').prefault(
        50,
      ),
      keys: documented(z.array(streamKey), 'Stream keys of the client.').prefault([]),
      limits: clientOverrides.prefault({}),
    })
    .transform((value) => ({
      ...value,
      keys: value.keys.map(({ key, name }, i) => ({ key, name: name ?? `${value.id}-${i + 1}` })),
    })),
  'One client.',
);

const tier = documented(
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
    ).exactOptional(),
    ip: leaf(network(), 'A network or address of the publisher.').exactOptional(),
    tier: leaf(text(NAME), 'Tier of the client.').exactOptional(),
    client: leaf(text(CLIENT_ID), 'Id of the client.').exactOptional(),
  }),
  'Every key given must match; none given matches every stream.',
);

const policy = documented(
  z.strictObject({
    name: leaf(text(NAME), 'Name of the policy, shown as the source of a limit.'),
    match: match.prefault({}),
    priority: leaf(count({ min: -1000, max: 1000 }), 'Higher goes first.').prefault(0),
    mode: leaf(oneOf(['enforce', 'observe']), 'observe counts what would have happened.').prefault('enforce'),
    override: leaf(
      bool(),
      'false: the most restrictive matching value wins; true: replaces lower priorities.',
    ).prefault(false),
    stream: streamOverrides.prefault({}),
  }),
  'One policy.',
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
    audit: field(
      filled(
        {
          receipts: field(leaf(count({ min: 1, max: 1_000_000 }), 'Receipts kept for headgate why.'), 10_000),
        },
        'Written records of decisions.',
      ),
      {},
    ),
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
