import { describe, expect, it } from 'vitest';
import { bandwidthRate, intervalMs, ownRates } from '../../../../src/core/meter/node-rate.ts';

const LIMITS = { max_bitrate: 6e6, max_fps: 60, max_packets_per_sec: 2000, on_exceed: 'throttle' } as const;

describe('node rates', () => {
  it('turn a rate into ms per unit, with both ends of the scale', () => {
    expect(intervalMs(2000)).toBe(0.5);
    expect(intervalMs(Infinity)).toBe(0);
    expect(intervalMs(0)).toBe(Infinity);
  });

  it('charge bits per second in bytes', () => {
    expect(ownRates(LIMITS).bitrate.ratePerSec).toBe(750_000);
    expect(bandwidthRate(8000).ratePerSec).toBe(1000);
    expect(bandwidthRate(Infinity).ratePerSec).toBe(Infinity);
  });

  it('allow a burst of a second of bytes and two of frames and messages', () => {
    const { bitrate, packets, fpsWall, fpsMedia } = ownRates(LIMITS);
    expect([bitrate, packets, fpsWall, fpsMedia].map((rate) => rate.tauMs)).toEqual([1000, 2000, 2000, 2000]);
  });

  it('remember under throttle what the largest message owes, at any limit', () => {
    const { bitrate } = ownRates({ ...LIMITS, max_bitrate: 100_000 });
    expect((bitrate.debtMaxMs / 1000) * bitrate.ratePerSec).toBeGreaterThanOrEqual(8 * 1024 * 1024);
  });

  it('remember little where nobody waits', () => {
    for (const on_exceed of ['observe', 'drop', 'disconnect'] as const) {
      for (const rate of Object.values(ownRates({ ...LIMITS, on_exceed }))) expect(rate.debtMaxMs).toBe(1000);
    }
  });

  it('of a stream that cannot be slowed remember what a frame owes that was let in, dropping too', () => {
    for (const on_exceed of ['throttle', 'drop'] as const) {
      const { bitrate } = ownRates({ ...LIMITS, max_bitrate: 100_000, on_exceed }, true);
      expect((bitrate.debtMaxMs / 1000) * bitrate.ratePerSec).toBeGreaterThanOrEqual(8 * 1024 * 1024);
    }
    expect(ownRates({ ...LIMITS, on_exceed: 'observe' }, true).bitrate.debtMaxMs).toBe(1000);
  });

  it('are finite where they are stored, for unlimited and for 0', () => {
    for (const limit of [0, Infinity]) {
      const rates = ownRates({ ...LIMITS, max_bitrate: limit, max_fps: limit, max_packets_per_sec: limit });
      for (const rate of Object.values(rates)) {
        expect(rate.debtMaxMs).toBeGreaterThan(0);
        expect(rate.debtMaxMs).toBeLessThan(Infinity);
      }
    }
  });
});
