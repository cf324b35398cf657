import { AUDIO_CODECS, STREAM, VIDEO_CODECS } from '../core/meter/slab-layout.ts';
import type { StreamSnapshot } from '../core/stream.ts';
import type { LiveStream } from './live-stream.ts';

/** Builds the one picture of a stream that every reader gets. `now` is monotonic ms. */
export function snapshotOf(stream: LiveStream, now: number): StreamSnapshot {
  const { identity, limits } = stream;
  const usage = usageOf(stream, now);
  return {
    id: identity.id,
    protocol: identity.protocol,
    app: identity.app,
    name: identity.name,
    path: identity.path,
    client: identity.client,
    tier: stream.standing.tier,
    priority: stream.standing.priority,
    ip: identity.ip,
    port: identity.port,
    state: stream.state,
    started_at: stream.startedAtIso,
    uptime_ms: Math.round(now - stream.startedAt),
    usage,
    limits: limitsOf(stream),
    share: { ceiling_bps: ceilingOf(stream), by: stream.ceiling?.by ?? null },
    utilization: {
      bitrate: fraction(usage.bitrate_bps, limits.max_bitrate),
      fps: fraction(Math.max(usage.fps, usage.wall_fps), limits.max_fps),
      packets: fraction(usage.packets_per_sec, limits.max_packets_per_sec),
    },
    media: {
      video_codec: VIDEO_CODECS[stream.read(STREAM.VIDEO_CODEC)] || null,
      width: stream.width,
      height: stream.height,
      audio_codec: AUDIO_CODECS[stream.read(STREAM.AUDIO_CODEC)] || null,
    },
    playback: { players: stream.broadcast?.players ?? 0, gop_bytes: stream.read(STREAM.GOP_BYTES) },
    transport: stream.connection.transport(),
  };
}

function usageOf(stream: LiveStream, now: number): StreamSnapshot['usage'] {
  const { ring } = stream;
  return {
    bitrate_bps: Math.round(ring.bitrateBps()),
    bitrate_avg_bps: Math.round(stream.averageBps(now)),
    bitrate_peak_bps: Math.round(ring.peakBps()),
    // Media time tells nothing in the first second; until then arrival has to do.
    fps: tenth(ring.mediaFps() ?? ring.wallFps()),
    wall_fps: tenth(ring.wallFps()),
    packets_per_sec: tenth(ring.packetsPerSec()),
    bytes: stream.read(STREAM.BYTES),
    packets: stream.read(STREAM.PACKETS),
    frames: stream.read(STREAM.FRAMES),
    keyframes: stream.read(STREAM.KEYFRAMES),
    dropped_frames: stream.read(STREAM.DROPPED_FRAMES),
    dropped_bytes: stream.read(STREAM.DROPPED_BYTES),
    throttled_ms: Math.round(stream.connection.throttledMs(now)),
    violations: stream.violations,
  };
}

function limitsOf(stream: LiveStream): StreamSnapshot['limits'] {
  const { limits, override } = stream;
  const until = override.untilMs;
  const { sources } = stream.effective;
  return {
    max_bitrate_bps: orNull(limits.max_bitrate),
    max_fps: orNull(limits.max_fps),
    max_packets_per_sec: orNull(limits.max_packets_per_sec),
    on_exceed: limits.on_exceed,
    grace_ms: orNull(limits.grace),
    cooldown_ms: limits.cooldown,
    override_until:
      until === null || !Number.isFinite(until)
        ? null
        : new Date(stream.startedWallMs + (until - stream.startedAt)).toISOString(),
    // Shared by streams under the same limits: a snapshot is read, never written.
    sources: until === null ? sources : withOverrides(sources, stream),
  };
}

function withOverrides(
  sources: Readonly<Record<string, string>>,
  stream: LiveStream,
): Record<string, string> {
  const told = { ...sources };
  for (const limit of ['max_bitrate', 'max_fps', 'max_packets_per_sec', 'on_exceed', 'grace'] as const) {
    if (stream.override.overrides(limit)) told[limit] = 'override';
  }
  return told;
}

function ceilingOf({ ceiling }: LiveStream): number | null {
  return ceiling === null ? null : Math.round(ceiling.bps);
}

/** JSON has no Infinity: unlimited is null. */
export function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** How much of a limit is used, to a thousandth: 0 of what is unlimited, and all of a limit of 0 once anything is. */
export function fraction(used: number, limit: number): number {
  if (!Number.isFinite(limit)) return 0;
  return limit <= 0 ? (used > 0 ? 1 : 0) : Math.round((used / limit) * 1000) / 1000;
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
