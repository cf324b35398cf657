/**
 * Every word Headgate may say when it refuses, throttles, drops or cuts. The
 * list is a public contract: the same word appears in receipts, metrics, logs,
 * RTMP status texts and API answers.
 */
export const REASONS = [
  'global_connections',
  'global_connection_rate',
  'global_streams',
  'global_bandwidth',
  'ip_connections',
  'ip_connection_rate',
  'ip_bandwidth',
  'client_streams',
  'client_bandwidth',
  'client_publish_rate',
  'stream_bitrate',
  'stream_fps',
  'stream_packet_rate',
  'stream_duplicate',
  'resource_cpu',
  'resource_heap',
  'resource_memory',
  'resource_event_loop',
  'auth_failed',
  'denied',
  'cooldown',
  'shed',
  'quota',
  'kicked',
  'draining',
  'handshake_timeout',
  'publish_timeout',
  'idle_timeout',
  'protocol_error',
] as const;

export type Reason = (typeof REASONS)[number];

/** The level at which a limit is held: the first word of most reasons. */
export const SCOPES = ['global', 'ip', 'client', 'stream', 'resource', 'server'] as const;

export type Scope = (typeof SCOPES)[number];

/** The scope a reason belongs to; reasons that name no level belong to `server`. */
export function scopeOf(reason: Reason): Scope {
  const first = reason.slice(0, reason.indexOf('_'));
  return first === 'global' ||
    first === 'ip' ||
    first === 'client' ||
    first === 'stream' ||
    first === 'resource'
    ? first
    : 'server';
}
