/** One of each thing as the API tells it, for the OpenAPI document; a test holds them to their schemas. */
import type { StreamSnapshot, StreamTotals } from '../../core/stream.ts';
import type { Receipt } from '../../core/verdict.ts';
import type { OperatorAction } from '../../telemetry/events.ts';

export const STREAM_EXAMPLE: StreamSnapshot = {
  id: 's-7k2f0',
  protocol: 'rtmp',
  app: 'live',
  name: 'cam1',
  path: '/live/cam1',
  client: 'alice',
  tier: 'pro',
  priority: 80,
  ip: '192.0.2.10',
  port: 51_544,
  state: 'throttled',
  started_at: '2026-11-20T21:40:00.000Z',
  uptime_ms: 61_000,
  usage: {
    bitrate_bps: 6_000_000,
    bitrate_avg_bps: 5_980_000,
    bitrate_peak_bps: 6_410_000,
    fps: 30,
    wall_fps: 29.9,
    packets_per_sec: 73.1,
    bytes: 45_600_000,
    packets: 4_453,
    frames: 1_830,
    keyframes: 31,
    dropped_frames: 0,
    dropped_bytes: 0,
    throttled_ms: 12_400,
    violations: 2,
  },
  limits: {
    max_bitrate_bps: 6_000_000,
    max_fps: 60,
    max_packets_per_sec: 2_000,
    on_exceed: 'throttle',
    grace_ms: 10_000,
    cooldown_ms: 30_000,
    override_until: null,
    sources: { max_bitrate: 'limits.stream' },
  },
  share: { ceiling_bps: null, by: null },
  utilization: { bitrate: 1, fps: 0.5, packets: 0.037 },
  media: { video_codec: 'h264', width: 1280, height: 720, audio_codec: 'aac' },
  playback: { players: 2, gop_bytes: 1_500_000 },
  transport: { rtt_ms: 0.2, loss: 0, retransmitted: 0 },
};

export const TOTALS_EXAMPLE: StreamTotals = {
  streams: 1,
  bitrate_bps: 6_000_000,
  bytes: 45_600_000,
  packets_per_sec: 73.1,
  connections: 3,
};

export const RECEIPT_EXAMPLE: Receipt = {
  id: 'r-4mm76o',
  at: '2026-11-20T21:41:10.000Z',
  count: 1,
  last_at: '2026-11-20T21:41:10.000Z',
  action: 'cut',
  reason: 'stream_bitrate',
  scope: 'stream',
  key: '/live/cam1',
  limit: 6_000_000,
  observed: 8_200_000,
  window: 2_000,
  retry_after_ms: 30_000,
  ip: '192.0.2.10',
  protocol: 'rtmp',
  path: '/live/cam1',
  client: 'alice',
  stream: 's-7k2f0',
  detail: 'over its bitrate for 10 s',
};

export const ACTION_EXAMPLE: OperatorAction = {
  id: 'a-4mm76p',
  at: '2026-11-20T21:41:12.000Z',
  action: 'kick',
  by: 'operator bob@192.0.2.1',
  target: 's-7k2f0',
  result: 'ok',
  detail: '/live/cam1: an operator kicked this stream: wrong camera',
};

export const LIMIT_CHANGE_EXAMPLE = { max_bitrate: '4Mbps', on_exceed: 'drop', for: '10m' };

export const BACKPRESSURE_ORDER_EXAMPLE = { mode: 'shed', below_priority: 50, for: '10m' } as const;
