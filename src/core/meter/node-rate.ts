import type { StreamLimits } from '../limits.ts';

/** What a node is set to. A unit is a byte, a message or an access unit, as the node counts. */
export interface NodeRate {
  /** units per second; Infinity = unlimited, 0 = nothing conforms */
  readonly ratePerSec: number;
  /** burst allowance as time at the rate, ms */
  readonly tauMs: number;
  /** debt beyond the burst that is remembered, ms; more is forgiven */
  readonly debtMaxMs: number;
}

/** The four nodes that belong to one stream. */
export interface OwnRates {
  readonly bitrate: NodeRate;
  readonly packets: NodeRate;
  readonly fpsWall: NodeRate;
  readonly fpsMedia: NodeRate;
}

/** One second of the rate: a keyframe is several times an inter frame, and no offence. ms. */
const BYTES_TAU_MS = 1000;

/** OBS flushes about 0.9 s of frames after a stall; two seconds let two stalls pass. ms. */
const COUNT_TAU_MS = 2000;

/**
 * A throttled stream pays for every byte, so its debt must hold the largest
 * thing that can fall due at once: a media message of 8 MiB and a read of
 * 64 KiB behind it.
 */
const THROTTLE_DEBT_BYTES = 8 * 1024 * 1024 + 65_536;

/** The same for messages and frames: all that fit into one read of 64 KiB with a little payload. */
const THROTTLE_DEBT_COUNT = 4096;

/** Debt that is remembered at any rate where somebody waits for it, ms. */
const THROTTLE_DEBT_MIN_MS = 5000;

/**
 * Where nobody waits, debt only makes an excess be told for longer than it
 * lasted, and must not be left over when throttling is switched on. ms.
 */
const WATCH_DEBT_MS = 1000;

/**
 * Client, address and server: several streams may be in debt with one read
 * each; past this a stream that nobody slows would starve its neighbours. ms.
 */
const PARENT_DEBT_MS = 10_000;

/**
 * Encoders' clocks drift by up to 0.1 %, and 59.94 is called 60: without room
 * a compliant stream would use up its burst within hours.
 */
const FPS_WALL_TOLERANCE = 1.005;

/** What a stream claims by its timestamps is judged for wrong settings, not for precision. */
const FPS_MEDIA_TOLERANCE = 1.05;

/** ms per unit of a rate, as a node stores it: 0 = unlimited, Infinity = rate 0. */
export function intervalMs(ratePerSec: number): number {
  if (ratePerSec === Infinity) return 0;
  return ratePerSec > 0 ? 1000 / ratePerSec : Infinity;
}

/** The node of a bandwidth limit held by a client, an address or the server, in bits/s. */
export function bandwidthRate(limitBps: number): NodeRate {
  return { ratePerSec: limitBps / 8, tauMs: BYTES_TAU_MS, debtMaxMs: PARENT_DEBT_MS };
}

/**
 * The nodes of a stream's own limits. Bitrate is charged in bytes. Of a `lossy`
 * stream a frame is let in by its first datagram and charged as the rest comes,
 * so a drop, too, pays for it afterwards.
 */
export function ownRates(
  limits: Pick<StreamLimits, 'max_bitrate' | 'max_fps' | 'max_packets_per_sec' | 'on_exceed'>,
  lossy = false,
): OwnRates {
  const waits = limits.on_exceed === 'throttle' || (lossy && limits.on_exceed === 'drop');
  const own = (ratePerSec: number, tauMs: number, debtUnits: number): NodeRate => {
    const debtMs = Number.isFinite(ratePerSec) && ratePerSec > 0 ? (debtUnits * 1000) / ratePerSec : 0;
    return { ratePerSec, tauMs, debtMaxMs: waits ? Math.max(THROTTLE_DEBT_MIN_MS, debtMs) : WATCH_DEBT_MS };
  };
  const mediaFps = limits.max_fps * FPS_MEDIA_TOLERANCE;
  return {
    bitrate: own(limits.max_bitrate / 8, BYTES_TAU_MS, THROTTLE_DEBT_BYTES),
    packets: own(limits.max_packets_per_sec, COUNT_TAU_MS, THROTTLE_DEBT_COUNT),
    fpsWall: own(limits.max_fps * FPS_WALL_TOLERANCE, COUNT_TAU_MS, THROTTLE_DEBT_COUNT),
    fpsMedia: { ratePerSec: mediaFps, tauMs: COUNT_TAU_MS, debtMaxMs: WATCH_DEBT_MS },
  };
}
