import type { StreamLimits } from '../core/limits.ts';
import type { NodeRate } from '../core/meter/slab.ts';

/**
 * From a limit as it is configured to the GCRA that holds it: interval per
 * unit, burst tolerance, and how much debt is remembered.
 */

/** Burst of every byte rate, ms of the rate: a keyframe is no offence. */
const BYTES_BURST_MS = 1_000;

/** Burst of frame and packet rates, ms of the rate: OBS flushes 0.9 s of queue after a stall. */
const COUNT_BURST_MS = 2_000;

/**
 * Bytes whose debt is always remembered in full where reading waits for it:
 * everything a connection may have half-sent, which can fall due in one read.
 */
const DEBT_BYTES = 16 * 1024 * 1024 + 65_536;

/** Messages or frames of debt remembered where reading waits: all that fit into one read. */
const DEBT_COUNT = 65_536;

/**
 * Debt remembered where nobody waits for it, ms. Enough to see an excess that
 * goes on; short, so that a stream that has come into line is soon seen to be.
 */
const DEBT_UNPAID_MS = 500;

/** The least debt remembered where reading waits, ms: several streams may owe a shared budget at once. */
const DEBT_PAID_MIN_MS = 5_000;

/**
 * Encoders' clocks drift by up to 0.1 %, and 59.94 is called 60: without room
 * a compliant stream would use up its burst within hours.
 */
const WALL_FPS_TOLERANCE = 1.005;

/** What a stream claims by its timestamps is judged for wrong settings, not for precision. */
const MEDIA_FPS_TOLERANCE = 1.05;

/** The four nodes of a stream's own limits, in the order of CONSTRAINTS. */
export function ownRates(limits: StreamLimits): readonly [NodeRate, NodeRate, NodeRate, NodeRate] {
  const waited = limits.on_exceed === 'throttle';
  const fps = limits.max_fps;
  return [
    rate(limits.max_bitrate / 8, BYTES_BURST_MS, DEBT_BYTES, waited),
    rate(limits.max_packets_per_sec, COUNT_BURST_MS, DEBT_COUNT, waited),
    rate(fps * WALL_FPS_TOLERANCE, COUNT_BURST_MS, DEBT_COUNT, waited),
    // The media clock is the publisher's own: reading never waits for it.
    rate(fps * MEDIA_FPS_TOLERANCE, COUNT_BURST_MS, DEBT_COUNT, false),
  ];
}

/** A budget shared by several streams: client, address or global bandwidth, bits/s. */
export function budgetRate(bps: number): NodeRate {
  return rate(bps / 8, BYTES_BURST_MS, DEBT_BYTES, true);
}

function rate(unitsPerSecond: number, burstMs: number, debtUnits: number, waited: boolean): NodeRate {
  const interval = intervalMs(unitsPerSecond);
  const paid = Number.isFinite(interval) ? Math.max(DEBT_PAID_MIN_MS, debtUnits * interval) : DEBT_PAID_MIN_MS;
  return { intervalMs: interval, tauMs: burstMs, debtMaxMs: waited ? paid : DEBT_UNPAID_MS };
}

/** ms per unit: 0 = unlimited, Infinity = nothing may pass. */
function intervalMs(unitsPerSecond: number): number {
  if (unitsPerSecond === Number.POSITIVE_INFINITY) return 0;
  return unitsPerSecond <= 0 ? Number.POSITIVE_INFINITY : 1000 / unitsPerSecond;
}
