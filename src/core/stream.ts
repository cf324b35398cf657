import type { OnExceed } from './limits.ts';

/** Transport a publisher came in on. */
export const PROTOCOLS = ['rtmp', 'rtmps', 'srt'] as const;

export type Protocol = (typeof PROTOCOLS)[number];

/**
 * A sender over SRT goes on at its own pace whatever the receiver does: it
 * cannot be slowed, so what would be throttled is dropped.
 */
export function canBeSlowed(protocol: Protocol): boolean {
  return protocol !== 'srt';
}

/**
 * Where a stream stands: `live` within its limits; `throttled` being slowed;
 * `exceeding` over a limit without being slowed (observe, or grace before a
 * cut); `dropping` losing frames; `closing` told to go.
 */
export const STREAM_STATES = ['live', 'throttled', 'exceeding', 'dropping', 'closing'] as const;

export type StreamState = (typeof STREAM_STATES)[number];

/**
 * What may hold a stream below its own limit for a while: its fair share of
 * the server's bandwidth, or of its client's, or shedding while the machine is
 * overloaded.
 */
export const SQUEEZERS = ['global', 'client', 'shed'] as const;

export type Squeezer = (typeof SQUEEZERS)[number];

/** What a stream may send for the time being, bits/s, and by whose doing. */
export interface Ceiling {
  readonly bps: number;
  readonly by: Squeezer;
}

/**
 * One live stream as every reader sees it: `top`, the HTTP API, the metrics,
 * the dashboard and the tests. Field names are the public contract; units are
 * in the names. A secret (stream key) never appears in it.
 */
export interface StreamSnapshot {
  id: string;
  protocol: Protocol;
  app: string;
  name: string;
  path: string;
  client: string;
  tier: string | null;
  priority: number;
  ip: string;
  port: number;
  state: StreamState;
  started_at: string;
  uptime_ms: number;
  usage: {
    bitrate_bps: number;
    bitrate_avg_bps: number;
    bitrate_peak_bps: number;
    fps: number;
    wall_fps: number;
    packets_per_sec: number;
    bytes: number;
    packets: number;
    frames: number;
    keyframes: number;
    dropped_frames: number;
    dropped_bytes: number;
    throttled_ms: number;
    violations: number;
  };
  /** `null` means unlimited: JSON has no Infinity */
  limits: {
    max_bitrate_bps: number | null;
    max_fps: number | null;
    max_packets_per_sec: number | null;
    on_exceed: OnExceed;
    grace_ms: number | null;
    cooldown_ms: number;
    /** ISO time at which a temporary override ends, or null */
    override_until: string | null;
    sources: Readonly<Record<string, string>>;
  };
  /** what it may send for the time being where that is less than it wants, and what keeps it there; null = its own limit holds */
  share: { ceiling_bps: number | null; by: Squeezer | null };
  /** fraction of each limit in use, 0 when unlimited */
  utilization: { bitrate: number; fps: number; packets: number };
  media: {
    video_codec: string | null;
    width: number | null;
    height: number | null;
    audio_codec: string | null;
  };
  /** players of every kind attached now, and the GOP kept for them */
  playback: { players: number; gop_bytes: number };
  transport: StreamTransport;
}

/** The way to the publisher; `null` where it cannot be known, absent where the transport has no such thing. */
export interface StreamTransport {
  rtt_ms: number | null;
  /** fraction of the packets sent that were missing when their turn came or had to be sent again, 0..1 */
  loss: number | null;
  /** packets (TCP: segments) sent again */
  retransmitted: number | null;
  /** packets found missing, most of which came when sent again */
  lost?: number;
  /** packets that did not come in time, or could not be decrypted, and are missing in the stream */
  dropped?: number;
  /** media waiting to be played out in order */
  receive_buffer_ms?: number;
  /** how long a lost packet may take to come again, as both sides agreed */
  latency_ms?: number;
  /** gaps in the transport stream as the encoder sent it or as packets were dropped */
  continuity_errors?: number;
  /** bits of the AES key, 0 = not encrypted */
  encryption_bits?: number;
}

export interface StreamTotals {
  streams: number;
  bitrate_bps: number;
  bytes: number;
  packets_per_sec: number;
  connections: number;
}
