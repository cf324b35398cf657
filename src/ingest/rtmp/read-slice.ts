import type { StreamLimits } from '../../core/limits.ts';

/** Stretch of stream time that one read may span under throttling, ms. */
const SLICE_MS = 50;

/** Less than this a read is not worth its cost, bytes. */
const SLICE_MIN_BYTES = 1024;

/**
 * Bytes to read at once. A whole socket buffer at a low limit is seconds of
 * stream, admitted in one lump: at 3 Mbit/s the 64 KiB of a full read are 1.7 %
 * of ten seconds. A throttled publisher is read in slices of a twentieth of a
 * second, so that what is admitted follows the limit closely.
 */
export function readSliceBytes(limits: StreamLimits): number {
  if (limits.on_exceed !== 'throttle') return Number.POSITIVE_INFINITY;
  return Math.max(SLICE_MIN_BYTES, Math.floor((limits.max_bitrate / 8000) * SLICE_MS));
}
