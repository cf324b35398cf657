/**
 * How much of each of its limits a stream uses, and which of them is the one
 * it feels. What is measured against is what holds now: a share below the
 * stream's own bitrate limit takes that limit's place.
 */
import { heldTo } from '../../src/core/held.ts';
import type { Squeezer, StreamSnapshot } from '../../src/core/stream.ts';

export const LIMIT_KINDS = ['bitrate', 'fps', 'packets'] as const;

export type LimitKind = (typeof LIMIT_KINDS)[number];

/** How near a stream is to a limit, from far to beyond; `none` where there is no limit. */
export type Nearness = 'none' | 'free' | 'near' | 'at' | 'over';

/** One limit of a stream, and its use. */
export interface Use {
  readonly kind: LimitKind;
  /** bits/s, frames/s or packets/s */
  readonly seen: number;
  /** the same unit; null = unlimited */
  readonly limit: number | null;
  /** seen / limit; 0 when unlimited */
  readonly fraction: number;
  readonly nearness: Nearness;
  /** what put the limit below the stream's own, null for its own */
  readonly by: Squeezer | null;
  /** where the stream's own limit was set (`limits.stream`, `override`, ...), '' when it is not said */
  readonly source: string;
}

/** Fraction of a limit from which its use is worth a glance; the same as on every bar of the dashboard. */
export const NEAR = 0.8;

/**
 * A stream that is held at its limit is measured within this much of it, half
 * a window being of another second than the limiter's: it is at the limit, not
 * over it, and the word must not flicker.
 */
const AT_WITHIN = 0.03;

export function nearnessOf(limit: number | null, fraction: number): Nearness {
  if (limit === null) return 'none';
  if (fraction > 1 + AT_WITHIN) return 'over';
  if (fraction >= 1 - AT_WITHIN) return 'at';
  return fraction >= NEAR ? 'near' : 'free';
}

function useOf(
  kind: LimitKind,
  seen: number,
  limit: number | null,
  fraction: number,
  source: string | undefined,
  by: Squeezer | null = null,
): Use {
  return { kind, seen, limit, fraction, nearness: nearnessOf(limit, fraction), by, source: source ?? '' };
}

export function bitrateUse(stream: StreamSnapshot): Use {
  const held = heldTo(stream);
  const { sources } = stream.limits;
  return useOf('bitrate', stream.usage.bitrate_bps, held.bps, held.used, sources['max_bitrate'], held.by);
}

/** Of media and arrival the faster counts, as it does for the limiter. */
export function fpsUse({ usage, limits, utilization }: StreamSnapshot): Use {
  const seen = Math.max(usage.fps, usage.wall_fps);
  return useOf('fps', seen, limits.max_fps, utilization.fps, limits.sources['max_fps']);
}

export function packetsUse({ usage, limits, utilization }: StreamSnapshot): Use {
  const { max_packets_per_sec: limit, sources } = limits;
  return useOf('packets', usage.packets_per_sec, limit, utilization.packets, sources['max_packets_per_sec']);
}

export function usesOf(stream: StreamSnapshot): readonly [bitrate: Use, fps: Use, packets: Use] {
  return [bitrateUse(stream), fpsUse(stream), packetsUse(stream)];
}

/** The limit that is nearest to its end: the one that binds, or would first. Null when nothing is limited. */
export function bindingUse(stream: StreamSnapshot): Use | null {
  let most: Use | null = null;
  for (const use of usesOf(stream)) {
    if (use.limit !== null && (most === null || use.fraction > most.fraction)) most = use;
  }
  return most;
}

/** The fraction of the limit that is nearest to its end; 0 when nothing is limited. */
export function mostUsed(stream: StreamSnapshot): number {
  const { utilization } = stream;
  return Math.max(heldTo(stream).used, utilization.fps, utilization.packets);
}
