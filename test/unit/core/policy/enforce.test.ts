import { expect, test } from 'vitest';
import type { StreamLimits } from '../../../../src/core/limits.ts';
import { CONSTRAINTS } from '../../../../src/core/meter/slab-layout.ts';
import { Enforcement, reasonOfConstraint } from '../../../../src/core/policy/enforce.ts';

const LIMITS: StreamLimits = {
  max_bitrate: 6e6,
  bitrate_window: 2000,
  max_fps: 60,
  max_packets_per_sec: 2000,
  on_exceed: 'throttle',
  grace: 10_000,
  cooldown: 30_000,
};

const BIT = Object.fromEntries(CONSTRAINTS.map((name, i) => [name, 1 << i])) as Record<string, number>;
const BITRATE = BIT['stream_bitrate'] as number;
const GLOBAL = BIT['global_bandwidth'] as number;

/** Steps every 250 ms from `from` to `to` with the same bits; returns the first cut and when. */
function run(enforcement: Enforcement, bits: number, limits: StreamLimits, from: number, to: number) {
  for (let now = from; now <= to; now += 250) {
    const { cut } = enforcement.step(bits, limits, now);
    if (cut !== null) return { cut, now };
  }
  return null;
}

test('an episode opens once, however long it lasts', () => {
  const enforcement = new Enforcement();
  expect(enforcement.step(BITRATE, LIMITS, 0).opened).toEqual([
    { constraint: 0, reason: 'stream_bitrate', action: 'throttle' },
  ]);
  for (let now = 250; now < 5_000; now += 250)
    expect(enforcement.step(BITRATE, LIMITS, now).opened).toEqual([]);
  expect(enforcement.open).toBe(BITRATE);
});

test('an episode closes after two quiet seconds, and the next excess opens another', () => {
  const enforcement = new Enforcement();
  enforcement.step(BITRATE, LIMITS, 0);
  enforcement.step(0, LIMITS, 1_999);
  expect(enforcement.exceeding).toBe(true);
  enforcement.step(0, LIMITS, 2_000);
  expect(enforcement.exceeding).toBe(false);
  expect(enforcement.step(BITRATE, LIMITS, 2_250).opened).toHaveLength(1);
});

test.each(['throttle', 'drop', 'disconnect'] as const)(
  'sustained excess is cut after grace under %s',
  (on_exceed) => {
    const limits = { ...LIMITS, on_exceed };
    expect(run(new Enforcement(), BITRATE, limits, 0, 20_000)).toEqual({
      cut: 'stream_bitrate',
      now: 10_000,
    });
  },
);

test('observe never cuts', () => {
  expect(run(new Enforcement(), BITRATE, { ...LIMITS, on_exceed: 'observe' }, 0, 60_000)).toBeNull();
});

test('grace: never is never', () => {
  expect(
    run(new Enforcement(), BITRATE, { ...LIMITS, grace: Number.POSITIVE_INFINITY }, 0, 60_000),
  ).toBeNull();
});

test('a stream squeezed by a shared budget is not cut: it has done nothing wrong', () => {
  expect(run(new Enforcement(), GLOBAL, LIMITS, 0, 60_000)).toBeNull();
});

test('excess that comes and goes starts the grace anew', () => {
  const enforcement = new Enforcement();
  expect(run(enforcement, BITRATE, LIMITS, 0, 9_000)).toBeNull();
  expect(run(enforcement, 0, LIMITS, 9_250, 11_500)).toBeNull();
  expect(run(enforcement, BITRATE, LIMITS, 12_000, 40_000)).toEqual({ cut: 'stream_bitrate', now: 22_000 });
});

test('a stream that has just come into line is not cut for its past', () => {
  const enforcement = new Enforcement();
  run(enforcement, BITRATE, LIMITS, 0, 9_000);
  // the episode is still open at 10 s, but its last excess is a second old
  expect(enforcement.step(0, LIMITS, 10_000).cut).toBeNull();
});

test('changed limits forget what was exceeded', () => {
  const enforcement = new Enforcement();
  run(enforcement, BITRATE, LIMITS, 0, 9_000);
  enforcement.reset();
  expect(enforcement.exceeding).toBe(false);
  expect(run(enforcement, BITRATE, LIMITS, 9_250, 19_000)).toBeNull();
});

test('budgets above a stream slow it whatever its own mode, except observe and drop', () => {
  const actionOf = (on_exceed: StreamLimits['on_exceed'], bits: number) =>
    new Enforcement().step(bits, { ...LIMITS, on_exceed }, 0).opened[0]?.action;
  expect(actionOf('disconnect', GLOBAL)).toBe('throttle');
  expect(actionOf('disconnect', BITRATE)).toBe('exceed');
  expect(actionOf('drop', GLOBAL)).toBe('drop');
  expect(actionOf('observe', GLOBAL)).toBe('observe');
});

test('every constraint has a reason, and both frame rates the same', () => {
  expect(CONSTRAINTS.map((_, i) => reasonOfConstraint(i))).toEqual([
    'stream_bitrate',
    'stream_packet_rate',
    'stream_fps',
    'stream_fps',
    'client_bandwidth',
    'ip_bandwidth',
    'global_bandwidth',
  ]);
});

test.each([
  ['throttle', 'stream_bitrate', 'drop'],
  ['throttle', 'global_bandwidth', 'drop'],
  ['drop', 'client_bandwidth', 'drop'],
  ['disconnect', 'stream_bitrate', 'exceed'],
  ['disconnect', 'client_bandwidth', 'drop'],
  ['observe', 'client_bandwidth', 'observe'],
] as const)('a sender that cannot be slowed, under %s and over %s: %s', (on_exceed, constraint, action) => {
  const { opened } = new Enforcement(true).step(BIT[constraint] as number, { ...LIMITS, on_exceed }, 0);
  expect(opened.map((episode) => episode.action)).toEqual([action]);
});
