import { expect, test } from 'vitest';
import { type UtilizationParts, utilizationOf } from '../../../src/app/utilization.ts';

/** A stream as far as its use of limits goes. */
interface Use {
  readonly client: string;
  readonly ipKey: string;
  readonly bps: number;
  readonly exempt?: boolean;
}

function partsOf(streams: readonly Use[]): UtilizationParts {
  const all = streams.map(({ client, ipKey, bps, exempt = false }) => ({
    exempt,
    identity: { client, ipKey },
    limits: { max_bitrate: 4e6, max_fps: 60, max_packets_per_sec: 1000 },
    effective: { client: { max_streams: 4, max_bandwidth: 10e6 } },
    ring: { bitrateBps: () => bps, wallFps: () => 30, packetsPerSec: () => 100 },
  }));
  const parts = {
    admission: {
      global: () => ({
        connections: 5,
        maxConnections: 100,
        streams: all.length,
        maxStreams: 10,
        busiestAddress: 3,
      }),
    },
    budgets: { globalBps: Number.POSITIVE_INFINITY },
    registry: { all: () => all },
    ipLimits: () => ({ max_connections: 6, max_bandwidth: 5e6 }),
  };
  return parts as unknown as UtilizationParts;
}

function told(streams: readonly Use[]): Record<string, number> {
  return Object.fromEntries(
    utilizationOf(partsOf(streams)).map(({ scope, limit, fraction }) => [`${scope} ${limit}`, fraction]),
  );
}

test('of clients, addresses and streams the one that is closest to its limit counts', () => {
  const streams = [
    { client: 'alice', ipKey: '192.0.2.1', bps: 3e6 },
    { client: 'alice', ipKey: '192.0.2.2', bps: 1e6 },
    { client: 'bob', ipKey: '192.0.2.1', bps: 1e6 },
  ];
  expect(told(streams)).toEqual({
    'global max_connections': 0.05,
    'global max_streams': 0.3,
    'global max_bandwidth': 0,
    'ip max_connections': 0.5,
    'ip max_bandwidth': 0.8,
    'client max_streams': 0.5,
    'client max_bandwidth': 0.4,
    'stream max_bitrate': 0.75,
    'stream max_fps': 0.5,
    'stream max_packets_per_sec': 0.1,
  });
});

test('an address on the allow list is close to no limit', () => {
  expect(told([{ client: 'alice', ipKey: '192.0.2.1', bps: 5e6, exempt: true }])['ip max_bandwidth']).toBe(0);
});

test('nobody there uses nothing', () => {
  expect(told([])).toMatchObject({ 'client max_streams': 0, 'stream max_bitrate': 0, 'ip max_bandwidth': 0 });
});
