import { expect, test } from 'vitest';
import type { StreamLimits } from '../../../src/core/limits.ts';
import { StreamOverride } from '../../../src/ingest/stream-override.ts';

const LIMITS: StreamLimits = {
  max_bitrate: 6e6,
  bitrate_window: 2000,
  max_fps: 60,
  max_packets_per_sec: 2000,
  on_exceed: 'throttle',
  grace: 10_000,
  cooldown: 30_000,
};

test('an override lies over the config until it runs out, and then is gone whole', () => {
  const override = new StreamOverride();
  override.set({ max_bitrate: 4e6, on_exceed: 'drop' }, 1_000);
  expect(override.apply(LIMITS)).toEqual({ ...LIMITS, max_bitrate: 4e6, on_exceed: 'drop' });
  expect(override.expire(999)).toBe(false);
  expect(override.expire(1_000)).toBe(true);
  expect(override.apply(LIMITS)).toEqual(LIMITS);
  expect(override.untilMs).toBeNull();
  expect(override.expire(2_000)).toBe(false);
});

test('a second change adds to the first and moves the end of both', () => {
  const override = new StreamOverride();
  override.set({ max_bitrate: 4e6 }, 1_000);
  override.set({ max_fps: 30 }, 5_000);
  expect(override.apply(LIMITS)).toMatchObject({ max_bitrate: 4e6, max_fps: 30 });
  expect(override.untilMs).toBe(5_000);
});

test('taking one limit back leaves the end of the others alone', () => {
  const override = new StreamOverride();
  override.set({ max_bitrate: 4e6, max_fps: 30 }, 1_000);
  override.set({ max_fps: null }, Number.POSITIVE_INFINITY);
  expect(override.apply(LIMITS)).toEqual({ ...LIMITS, max_bitrate: 4e6 });
  expect(override.untilMs).toBe(1_000);
});

test('unlimited is a value like any other', () => {
  const override = new StreamOverride();
  override.set({ max_bitrate: Number.POSITIVE_INFINITY }, 1_000);
  expect(override.overrides('max_bitrate')).toBe(true);
  expect(override.apply(LIMITS).max_bitrate).toBe(Number.POSITIVE_INFINITY);
});
