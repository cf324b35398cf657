import type { Reason } from '../reasons.ts';

/**
 * What each reason means to somebody who asks why, and what he can do.
 * `LIMIT` and `SEEN` stand for the limit and what was seen against it.
 */
export interface ReasonWords {
  /** completes "because ..." */
  readonly because: string;
  /** the same where no number is known, if that needs other words */
  readonly vaguely?: string;
  /** an imperative */
  readonly advice: string;
}

/** A gate that shuts on a resource: newcomers wait, whoever publishes goes on. */
function closedBy(key: string): string {
  return `Wait until the load is lower, give the server more, or raise the priority of the client; resources.${key} has the marks`;
}

export const REASON_WORDS: Readonly<Record<Reason, ReasonWords>> = {
  global_connections: {
    because: 'the server had SEEN connections open and takes LIMIT',
    advice: 'Wait until some close, or raise limits.global.max_connections',
  },
  global_connection_rate: {
    because: 'SEEN connections came to the server where LIMIT may',
    advice: 'Try again a little later, or raise limits.global.connection_rate',
  },
  global_streams: {
    because: 'the server had SEEN streams live and takes LIMIT',
    advice: 'Wait until one ends, or raise limits.global.max_streams',
  },
  global_bandwidth: {
    because: 'all publishers together reached the LIMIT that the server takes in',
    advice: 'Lower the bitrate of the encoders, or raise limits.global.max_bandwidth',
  },
  ip_connections: {
    because: 'this address had SEEN connections open and may have LIMIT',
    advice: 'Close some of its connections, or raise limits.ip.max_connections',
  },
  ip_connection_rate: {
    because: 'SEEN connections came from this address where LIMIT may',
    advice: 'Let the encoder wait longer between its tries, or raise limits.ip.connection_rate',
  },
  ip_bandwidth: {
    because: 'the publishers at this address reached the LIMIT it may send',
    advice: 'Lower the bitrate of its encoders, or raise limits.ip.max_bandwidth',
  },
  client_streams: {
    because: 'this client had SEEN streams live and may have LIMIT',
    advice: 'End one of its streams, or raise max_streams of the client, its tier or limits.client',
  },
  client_bandwidth: {
    because: 'the streams of this client reached the LIMIT they may send together',
    advice:
      'Lower the bitrate of its encoders, or raise max_bandwidth of the client, its tier or limits.client',
  },
  client_publish_rate: {
    because: 'this client tried to publish SEEN times where LIMIT is allowed',
    advice:
      'Let the encoder wait longer between its tries, or raise publish_rate of the client, its tier or limits.client',
  },
  stream_bitrate: {
    because: 'it sent SEEN where max_bitrate is LIMIT',
    advice: "Lower the encoder's bitrate, or raise max_bitrate of the stream",
  },
  stream_fps: {
    because: 'it sent SEEN where max_fps is LIMIT',
    advice: "Lower the encoder's frame rate, or raise max_fps of the stream",
  },
  stream_packet_rate: {
    because: 'it sent SEEN packets where max_packets_per_sec is LIMIT',
    advice: 'Let the encoder send fewer and larger packets, or raise max_packets_per_sec of the stream',
  },
  stream_duplicate: {
    because: 'another publisher has this path',
    advice: 'Publish under another name, or stop the other one with `headgate kick`',
  },
  resource_cpu: {
    because:
      'the CPU of the server was, or would have become, SEEN busy where newcomers like it may fill it up to LIMIT',
    vaguely: 'the server was short of CPU',
    advice: closedBy('cpu'),
  },
  resource_heap: {
    because: 'the heap of the server was SEEN full where newcomers like it may fill it up to LIMIT',
    vaguely: 'the heap of the server was nearly full',
    advice: closedBy('heap'),
  },
  resource_memory: {
    because:
      'the memory of the server was, or would have become, SEEN full where newcomers like it may fill it up to LIMIT',
    vaguely: 'the server was short of memory',
    advice: closedBy('memory'),
  },
  resource_event_loop: {
    because: 'the server answered SEEN late where newcomers like it are let in up to LIMIT',
    vaguely: 'the server was too busy to answer in time',
    advice: closedBy('event_loop'),
  },
  auth_failed: {
    because: 'its stream key is not known, or its passphrase is not the right one',
    advice: 'Compare the stream key and passphrase in the encoder with those in the config',
  },
  denied: {
    because: 'this address is on the deny list',
    advice: 'Take it off `deny` in the config if it may publish',
  },
  cooldown: {
    because: 'its stream key or address was cut for cause shortly before',
    advice: 'Wait, and mend what it was cut for: the receipt of the cut says it',
  },
  shed: {
    because: 'the server is overloaded, and to keep others alive it leaves it LIMIT of the SEEN it sends',
    vaguely: 'the server had to give up streams of low priority to keep the others alive',
    advice:
      'Publish again later, or raise the priority of the client; `headgate events` tells how it goes on',
  },
  quota: {
    because: 'the quota of this client is used up',
    advice: 'Wait for the next period, or raise the quota',
  },
  kicked: {
    because: 'an operator disconnected it',
    advice: 'Ask the operator, whom `headgate events` names',
  },
  draining: {
    because: 'the server was shutting down',
    advice: 'Publish again when the server is back, or to another one',
  },
  handshake_timeout: {
    because: 'it did not finish the RTMP handshake in time',
    advice: 'Check the network between encoder and server, and that the encoder speaks RTMP to this port',
  },
  publish_timeout: {
    because: 'it connected and then neither published nor played in time',
    advice: 'Check that the encoder has a stream name, and the network on the way',
  },
  idle_timeout: {
    because: 'it sent no media for the whole of timeouts.idle',
    advice:
      'Check that the encoder is still running and the network on the way; it may publish again at once',
  },
  protocol_error: {
    because: 'it sent something that is not allowed here',
    advice: 'Check the URL, the stream name and the version of the encoder',
  },
};
