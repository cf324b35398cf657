import { ON_EXCEED } from '../core/limits.ts';
import { field, filled, leaf, partly } from './field.ts';
import { bitrate, count, duration, eventRate, fps, oneOf, perSecond } from './kinds.ts';

/** The limits: what may come in, and what a tier, a client or a policy may change about it. */

const COUNT_MAX = 10_000_000;
export const howMany = (): ReturnType<typeof count> => count({ min: 0, max: COUNT_MAX, off: 'unlimited' });

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
    leaf(perSecond({ off: 'unlimited' }), 'RTMP messages or SRT packets of one stream.'),
    '2000/s',
  ),
  on_exceed: field(
    leaf(
      oneOf(ON_EXCEED),
      'observe counts; throttle slows the sender by TCP backpressure (SRT cannot be slowed: it drops); drop leaves out video frames; disconnect cuts after grace.',
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

/** Section `limits`, every key with its default. */
export const limits = filled(
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
/** What a tier or a client may change for a client. */
export const clientOverrides = partly(clientLimits, 'Limits of a client that differ.');
