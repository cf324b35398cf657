import { describe, expect, expectTypeOf, it } from 'vitest';
import { type Config, defaultConfig, type StreamOverrides } from '../../../src/config/schema.ts';
import type { ClientLimits, StreamLimits } from '../../../src/core/limits.ts';

describe('the config as the rest of Headgate sees it', () => {
  it('speaks the limits of core, key for key', () => {
    expectTypeOf<Config['limits']['stream']>().toExtend<StreamLimits>();
    expectTypeOf<Config['limits']['client']>().toExtend<ClientLimits>();
    expectTypeOf<StreamOverrides>().toExtend<Partial<StreamLimits>>();
    expectTypeOf<Config['clients'][number]['limits']>().toExtend<Partial<ClientLimits>>();
    expectTypeOf<Config['tiers'][string]['client']>().toExtend<Partial<ClientLimits>>();
  });

  it('has the defaults of the product contract', () => {
    const config = defaultConfig();
    expect(config.listen).toEqual({
      rtmp: { host: '0.0.0.0', port: 1935 },
      rtmps: null,
      srt: [{ host: '0.0.0.0', port: 8890, latency: 120, passphrase: null }],
      playback: { host: '0.0.0.0', port: 8000 },
      admin: { host: '127.0.0.1', port: 8080 },
    });
    expect(config.timeouts).toEqual({ handshake: 5000, publish: 10_000, idle: 15_000, drain: 10_000 });
    expect(config.limits.global).toEqual({
      max_connections: 1000,
      connection_rate: { count: 100, periodMs: 1000 },
      max_streams: 500,
      max_bandwidth: 2e9,
    });
    expect(config.limits.ip).toEqual({
      max_connections: 20,
      connection_rate: { count: 10, periodMs: 1000 },
      max_bandwidth: Number.POSITIVE_INFINITY,
      ipv6_prefix: 64,
    });
    expect(config.limits.client).toEqual({
      max_streams: 3,
      max_bandwidth: 20e6,
      publish_rate: { count: 100, periodMs: 60_000 },
    });
    expect(config.limits.stream).toEqual({
      max_bitrate: 6e6,
      bitrate_window: 2000,
      max_fps: 60,
      max_packets_per_sec: 2000,
      on_exceed: 'throttle',
      grace: 10_000,
      cooldown: 30_000,
    });
    expect(config.auth).toEqual({ mode: 'open' });
  });
});
