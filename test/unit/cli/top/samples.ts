import { gateReading } from '../../../../src/app/governance-view.ts';
import type { Machine, Screen, TopMoment } from '../../../../src/cli/top/moment.ts';
import type { GovernorSnapshot } from '../../../../src/core/pressure/governor-snapshot.ts';
import type { StreamSnapshot } from '../../../../src/core/stream.ts';
import { calmGovernor } from '../../../support/governor-snapshot.ts';

type DeepPartial<T> = { [K in keyof T]?: T[K] extends object ? DeepPartial<T[K]> : T[K] };

/** The stream of the product contract, with what a test says differently. */
export function stream(name: string, change: DeepPartial<StreamSnapshot> = {}): StreamSnapshot {
  const base: StreamSnapshot = {
    id: `s-${name}`,
    protocol: 'rtmp',
    app: 'live',
    name,
    path: `/live/${name}`,
    client: 'alice',
    tier: 'pro',
    priority: 80,
    ip: '192.0.2.10',
    port: 51544,
    state: 'live',
    started_at: '2026-11-20T21:40:00.000Z',
    uptime_ms: 61_000,
    usage: {
      bitrate_bps: 2_610_000,
      bitrate_avg_bps: 2_598_000,
      bitrate_peak_bps: 3_100_000,
      fps: 30,
      wall_fps: 29.9,
      packets_per_sec: 73.1,
      bytes: 19_900_000,
      packets: 4453,
      frames: 1830,
      keyframes: 31,
      dropped_frames: 0,
      dropped_bytes: 0,
      throttled_ms: 0,
      violations: 0,
    },
    limits: {
      max_bitrate_bps: 6_000_000,
      max_fps: 60,
      max_packets_per_sec: 2000,
      on_exceed: 'throttle',
      grace_ms: 10_000,
      cooldown_ms: 30_000,
      override_until: null,
      sources: { max_bitrate: 'limits.stream', max_fps: 'tiers.pro.stream' },
    },
    share: { ceiling_bps: null, by: null },
    utilization: { bitrate: 0.435, fps: 0.5, packets: 0.037 },
    media: { video_codec: 'h264', width: 1280, height: 720, audio_codec: 'aac' },
    playback: { players: 2, gop_bytes: 500_000 },
    transport: { rtt_ms: 0.2, loss: 0, retransmitted: 0 },
  };
  return merged(base, change);
}

function merged<T extends object>(base: T, change: DeepPartial<T>): T {
  const result = { ...base };
  for (const key of Object.keys(change) as (keyof T)[]) {
    const value = change[key] as T[keyof T];
    const old = base[key];
    const nested = typeof value === 'object' && value !== null && typeof old === 'object' && old !== null;
    result[key] = nested ? (merged(old as object, value) as T[keyof T]) : value;
  }
  return result;
}

/** Streams in every state, with names of every kind. */
export const STREAMS: readonly StreamSnapshot[] = [
  stream('cam1'),
  stream('stage-left', {
    state: 'throttled',
    client: '2001:db8:1:2::/64',
    tier: null,
    ip: '2001:db8:1:2::7',
    uptime_ms: 7_500_000,
    usage: { bitrate_bps: 5_980_000, fps: 59.9, throttled_ms: 42_000, violations: 120 },
    utilization: { bitrate: 0.997, fps: 0.998 },
  }),
  stream('カメラ', {
    state: 'dropping',
    protocol: 'rtmps',
    usage: {
      bitrate_bps: 812_000,
      fps: 12.5,
      dropped_frames: 12_345,
      dropped_bytes: 4_000_000,
      violations: 900,
    },
    limits: { max_bitrate_bps: 800_000, on_exceed: 'drop', override_until: '2026-11-20T21:50:00.000Z' },
    utilization: { bitrate: 1.015, fps: 0.208 },
    media: { video_codec: 'hevc', audio_codec: 'opus' },
  }),
  stream('free', {
    client: 'bob',
    tier: null,
    usage: { bitrate_bps: 0, fps: 0, packets_per_sec: 0 },
    limits: { max_bitrate_bps: null, max_fps: null, sources: {} },
    utilization: { bitrate: 0, fps: 0, packets: 0 },
    media: { video_codec: null, width: null, height: null, audio_codec: null },
    playback: { players: 1 },
    uptime_ms: 840,
  }),
  stream('evil\x1b[2J\u202egnp', {
    state: 'exceeding',
    usage: { bitrate_bps: 9_000_000 },
    utilization: { bitrate: 1.5 },
    limits: { on_exceed: 'disconnect' },
  }),
  stream('gone', { state: 'closing', usage: { bitrate_bps: 100 }, media: { audio_codec: null } }),
];

/** What `top` is shown of a governor's snapshot. */
export function machineOf(snapshot: GovernorSnapshot): Machine {
  return { ...snapshot, gate: gateReading(snapshot, null) };
}

export function momentOf(streams: readonly StreamSnapshot[], change: Partial<TopMoment> = {}): TopMoment {
  return {
    node: { id: 'ingest-1', version: '0.1.0', uptimeMs: 93_784_000 },
    ready: true,
    reasons: [],
    machine: machineOf(calmGovernor()),
    configError: null,
    totals: {
      streams: streams.length,
      bitrate_bps: streams.reduce((sum, { usage }) => sum + usage.bitrate_bps, 0),
      bytes: 0,
      packets_per_sec: 365.5,
      connections: streams.length + 2,
    },
    denied: { ip_connection_rate: 31, stream_bitrate: 4, global_streams: 0 },
    streams,
    problem: null,
    ...change,
  };
}

export function screenOf(columns: number, rows: number, change: Partial<Screen> = {}): Screen {
  return { columns, rows, colour: false, unicode: true, ...change };
}
