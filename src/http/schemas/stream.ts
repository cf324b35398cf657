import { z } from 'zod';
import { ON_EXCEED } from '../../core/limits.ts';
import {
  PROTOCOLS,
  SQUEEZERS,
  STREAM_STATES,
  type StreamSnapshot,
  type StreamTotals,
} from '../../core/stream.ts';
import { nextCursor } from '../cursor.ts';
import type { KickOutcome } from '../ports.ts';
import { amount, count, limit, wallTime } from './common.ts';
import { STREAM_EXAMPLE, TOTALS_EXAMPLE } from './examples.ts';

const usage = z.object({
  bitrate_bps: amount,
  bitrate_avg_bps: amount,
  bitrate_peak_bps: amount,
  fps: amount,
  wall_fps: amount,
  packets_per_sec: amount,
  bytes: count,
  packets: count,
  frames: count,
  keyframes: count,
  dropped_frames: count,
  dropped_bytes: count,
  throttled_ms: amount,
  violations: count,
});

const limits = z.object({
  max_bitrate_bps: limit,
  max_fps: limit,
  max_packets_per_sec: limit,
  on_exceed: z.enum(ON_EXCEED),
  grace_ms: limit,
  cooldown_ms: amount,
  override_until: wallTime.nullable(),
  sources: z.record(z.string(), z.string()),
});

const transport = z
  .object({
    rtt_ms: amount.nullable(),
    loss: amount.nullable().meta({ description: 'Fraction of the packets, 0 to 1.' }),
    retransmitted: count.nullable(),
    lost: count.exactOptional(),
    dropped: count.exactOptional(),
    receive_buffer_ms: count.exactOptional(),
    latency_ms: amount.exactOptional(),
    continuity_errors: count.exactOptional(),
    encryption_bits: count.exactOptional(),
  })
  .meta({ description: 'The way to the publisher; from lost on only over SRT.' });

export const stream = z
  .object({
    id: z.string(),
    protocol: z.enum(PROTOCOLS),
    app: z.string(),
    name: z.string(),
    path: z.string(),
    client: z.string(),
    tier: z.string().nullable(),
    priority: z.number(),
    ip: z.string(),
    port: count,
    state: z.enum(STREAM_STATES),
    started_at: wallTime,
    uptime_ms: amount,
    usage,
    limits,
    share: z.object({ ceiling_bps: amount.nullable(), by: z.enum(SQUEEZERS).nullable() }).meta({
      description:
        'What it may send for the time being, below its own limit, and by whose doing; null = its own limit holds.',
    }),
    utilization: z.object({ bitrate: amount, fps: amount, packets: amount }),
    media: z.object({
      video_codec: z.string().nullable(),
      width: count.nullable(),
      height: count.nullable(),
      audio_codec: z.string().nullable(),
    }),
    playback: z.object({ players: count, gop_bytes: count }),
    transport,
  })
  .meta({ id: 'Stream', examples: [STREAM_EXAMPLE] }) satisfies z.ZodType<StreamSnapshot>;

export const totals = z
  .object({ streams: count, bitrate_bps: amount, bytes: count, packets_per_sec: amount, connections: count })
  .meta({
    id: 'Totals',
    description: 'Over all live streams, whatever the filter.',
    examples: [TOTALS_EXAMPLE],
  }) satisfies z.ZodType<StreamTotals>;

export const streamList = z.object({
  streams: z.array(stream),
  totals,
  next_cursor: nextCursor,
});

/** The `snapshot` event of the feed. */
export const snapshot = z
  .object({
    at: wallTime,
    streams: z.array(stream),
    omitted: count.meta({ description: 'Live streams beyond the 2,000 that are told.' }),
    totals,
  })
  .meta({ id: 'Snapshot' });

export const kicked = z.object({
  stream,
  receipt: z.string(),
  cooldown_ms: amount,
}) satisfies z.ZodType<KickOutcome>;
