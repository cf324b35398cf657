import { describe, expect, it } from 'vitest';
import type { ClientLimits, StreamLimits } from '../../../../src/core/limits.ts';
import type { PolicySubject } from '../../../../src/core/policy/match.ts';
import { type LimitSource, PolicyResolver, type PolicySource } from '../../../../src/core/policy/resolve.ts';

const STREAM: StreamLimits = {
  max_bitrate: 6e6,
  bitrate_window: 2000,
  max_fps: 60,
  max_packets_per_sec: 2000,
  on_exceed: 'throttle',
  grace: 10_000,
  cooldown: 30_000,
};

const CLIENT: ClientLimits = {
  max_streams: 3,
  max_bandwidth: 20e6,
  publish_rate: { count: 100, periodMs: 60_000 },
};

const SUBJECT: PolicySubject = {
  app: 'live',
  stream: 'vip-1',
  protocol: 'rtmp',
  ip: '10.0.0.7',
  tier: 'pro',
  client: 'alice',
};

const source = (over: Partial<LimitSource>): LimitSource => ({
  stream: STREAM,
  client: CLIENT,
  tiers: {},
  clients: [],
  policies: [],
  ...over,
});

const policy = (over: Partial<PolicySource>): PolicySource => ({
  name: 'p',
  match: {},
  priority: 0,
  mode: 'enforce',
  override: false,
  ...over,
});

const resolve = (over: Partial<LimitSource>, subject: Partial<PolicySubject> = {}) =>
  new PolicyResolver(source(over)).resolve({ ...SUBJECT, ...subject });

const withPolicies = (...policies: Partial<PolicySource>[]) => resolve({ policies: policies.map(policy) });

describe('the base', () => {
  it('is what limits say', () => {
    const limits = resolve({});
    expect(limits).toMatchObject({ stream: STREAM, client: CLIENT, observed: {} });
    expect(limits.sources).toMatchObject({
      max_bitrate: 'limits.stream',
      'client.max_streams': 'limits.client',
    });
  });

  it('is replaced by the tier, key by key, also where the tier is laxer', () => {
    const tiers = { pro: { client: { max_streams: 5 }, stream: { max_bitrate: 12e6 } } };
    const limits = resolve({ tiers });
    expect(limits.stream).toEqual({ ...STREAM, max_bitrate: 12e6 });
    expect(limits.client).toEqual({ ...CLIENT, max_streams: 5 });
    expect(limits.sources).toMatchObject({
      max_bitrate: 'tiers.pro.stream',
      max_fps: 'limits.stream',
      'client.max_streams': 'tiers.pro.client',
    });
    expect(resolve({ tiers }, { tier: null }).stream.max_bitrate).toBe(6e6);
    expect(resolve({ tiers }, { tier: 'gone' }).stream.max_bitrate).toBe(6e6);
    expect(resolve({ tiers }, { tier: 'constructor' }).stream.max_bitrate).toBe(6e6);
  });

  it("is replaced by the client's own limits, of both levels, after the tier", () => {
    const limits = resolve({
      tiers: { pro: { client: { max_streams: 5 }, stream: { max_bitrate: 12e6 } } },
      clients: [
        { id: 'bob' },
        { id: 'alice', limits: { max_streams: 10, max_bitrate: 3e6, grace: undefined } },
      ],
    });
    expect(limits.client.max_streams).toBe(10);
    expect(limits.stream).toEqual({ ...STREAM, max_bitrate: 3e6 });
    expect(limits.sources).toMatchObject({
      'client.max_streams': 'clients[1] alice',
      max_bitrate: 'clients[1] alice',
    });
  });

  it('does not leak from one client to another', () => {
    const resolver = new PolicyResolver(source({ clients: [{ id: 'alice', limits: { max_bitrate: 1e6 } }] }));
    expect(resolver.resolve(SUBJECT).stream.max_bitrate).toBe(1e6);
    expect(resolver.resolve({ ...SUBJECT, client: '192.0.2.1' }).stream.max_bitrate).toBe(6e6);
    expect(resolver.resolve(SUBJECT).stream.max_bitrate).toBe(1e6);
  });
});

describe('match', () => {
  const matches = (match: PolicySource['match'], subject: Partial<PolicySubject> = {}): boolean =>
    resolve({ policies: [policy({ match, stream: { max_fps: 1 } })] }, subject).stream.max_fps === 1;

  it.each<[PolicySource['match'], Partial<PolicySubject>, boolean]>([
    [{}, {}, true],
    [undefined, {}, true],
    [{ app: 'live' }, {}, true],
    [{ app: 'l*' }, {}, true],
    [{ app: 'vod' }, {}, false],
    [{ stream: 'vip-*' }, {}, true],
    [{ stream: 'vip-*' }, { stream: 'cam' }, false],
    [{ stream: ['cam', '*-1'] }, {}, true],
    [{ stream: ['cam', 'vip-1'] }, {}, true],
    [{ protocol: 'rtmp' }, {}, true],
    [{ protocol: ['rtmps', 'srt'] }, {}, false],
    [{ ip: '10.0.0.0/8' }, {}, true],
    [{ ip: '10.0.0.0/8' }, { ip: '::ffff:10.1.1.1' }, true],
    [{ ip: '10.0.0.0/8' }, { ip: '11.0.0.1' }, false],
    [{ ip: ['2001:db8::/32', '192.0.2.1'] }, { ip: '192.0.2.1' }, true],
    [{ ip: '0.0.0.0/0' }, { ip: 'nonsense' }, false],
    [{ tier: 'pro' }, {}, true],
    [{ tier: 'pro' }, { tier: null }, false],
    [{ client: ['bob', 'alice'] }, {}, true],
    [{ client: 'bob' }, {}, false],
    [
      {
        app: 'live',
        stream: 'vip-*',
        protocol: ['rtmp', 'srt'],
        ip: '10.0.0.0/8',
        tier: 'pro',
        client: 'alice',
      },
      {},
      true,
    ],
    [{ app: 'live', stream: 'vip-*', tier: 'free' }, {}, false],
    [{ client: [] }, {}, false],
  ])('%j of %j: %s', (match, subject, expected) => {
    expect(matches(match, subject)).toBe(expected);
  });

  it('refuses a network that cannot be read', () => {
    expect(() => resolve({ policies: [policy({ match: { ip: '10.0.0.0/99' } })] })).toThrow(TypeError);
  });
});

describe('policies that do not override', () => {
  it('only ever make a limit stricter, each in its own direction', () => {
    const strict = withPolicies({
      name: 'strict',
      stream: {
        max_bitrate: 1e6,
        bitrate_window: 1000,
        max_fps: 30,
        max_packets_per_sec: 100,
        on_exceed: 'disconnect',
        grace: 1000,
        cooldown: 60_000,
      },
      client: { max_streams: 1, max_bandwidth: 1e6, publish_rate: { count: 2, periodMs: 1000 } },
    });
    expect(strict.stream).toEqual({
      max_bitrate: 1e6,
      bitrate_window: 1000,
      max_fps: 30,
      max_packets_per_sec: 100,
      on_exceed: 'disconnect',
      grace: 1000,
      cooldown: 60_000,
    });
    // 100/min is the smaller rate of the two.
    expect(strict.client).toEqual({ ...CLIENT, max_streams: 1, max_bandwidth: 1e6 });
    expect(strict.sources).toMatchObject({
      cooldown: 'policies[0] strict',
      'client.publish_rate': 'limits.client',
    });

    const lax = withPolicies({
      stream: {
        max_bitrate: Number.POSITIVE_INFINITY,
        bitrate_window: 9000,
        max_fps: 120,
        max_packets_per_sec: 9000,
        on_exceed: 'observe',
        grace: Number.POSITIVE_INFINITY,
        cooldown: 0,
      },
      client: { max_streams: 9, publish_rate: { count: 1000, periodMs: 60_000 } },
    });
    expect(lax).toMatchObject({ stream: STREAM, client: CLIENT });
    expect(new Set(Object.values(lax.sources))).toEqual(new Set(['limits.stream', 'limits.client']));
  });

  it('prefer the smaller burst among equal rates', () => {
    const limits = withPolicies({ client: { publish_rate: { count: 10, periodMs: 6000 } } });
    expect(limits.client.publish_rate).toEqual({ count: 10, periodMs: 6000 });
  });
});

describe('overriding policies', () => {
  it('replace what the base and lower priorities gave', () => {
    const limits = withPolicies(
      { name: 'strict', priority: 1, stream: { max_bitrate: 1e6, max_fps: 10 } },
      { name: 'vip', priority: 2, override: true, stream: { max_bitrate: 12e6 } },
    );
    expect(limits.stream).toMatchObject({ max_bitrate: 12e6, max_fps: 10 });
    expect(limits.sources).toMatchObject({ max_bitrate: 'policies[1] vip', max_fps: 'policies[0] strict' });
  });

  it('are made stricter by higher priorities again', () => {
    const limits = withPolicies(
      { name: 'cap', priority: 3, stream: { max_bitrate: 8e6 } },
      { name: 'vip', priority: 2, override: true, stream: { max_bitrate: 12e6 } },
    );
    expect(limits.stream.max_bitrate).toBe(8e6);
    expect(limits.sources.max_bitrate).toBe('policies[0] cap');
  });

  it('come first among equals, and the strictest of several wins', () => {
    const lines = [
      { name: 'a', override: true, stream: { max_bitrate: 12e6 } },
      { name: 'b', override: true, stream: { max_bitrate: 10e6 } },
      { name: 'c', stream: { max_bitrate: 11e6, max_fps: 30 } },
    ];
    for (const order of [lines, [...lines].reverse()]) {
      const limits = withPolicies(...order);
      expect(limits.stream).toMatchObject({ max_bitrate: 10e6, max_fps: 30 });
      expect(limits.sources.max_bitrate).toMatch(/ b$/);
    }
  });

  it('of the same priority stay strict although a lower priority overrode the same key', () => {
    const limits = withPolicies(
      { priority: 1, override: true, stream: { max_bitrate: 1e6 } },
      { priority: 2, override: true, stream: { max_bitrate: 9e6 } },
      { priority: 2, override: true, stream: { max_bitrate: 8e6 } },
    );
    expect(limits.stream.max_bitrate).toBe(8e6);
  });
});

describe('observing policies', () => {
  it('change nothing and say what would have been', () => {
    const limits = withPolicies(
      { mode: 'observe', stream: { max_bitrate: 1e6, max_fps: 120 } },
      { name: 'real', stream: { max_packets_per_sec: 500 } },
    );
    expect(limits.stream).toEqual({ ...STREAM, max_packets_per_sec: 500 });
    expect(limits.observed).toEqual({ max_bitrate: 1e6 });
    expect(limits.sources.max_bitrate).toBe('limits.stream');
  });

  it('take part in the order of priorities', () => {
    const limits = withPolicies(
      { mode: 'observe', priority: 1, override: true, stream: { max_bitrate: 20e6 } },
      { priority: 2, stream: { max_bitrate: 8e6 } },
    );
    expect(limits.stream.max_bitrate).toBe(6e6);
    expect(limits.observed).toEqual({ max_bitrate: 8e6 });
  });

  it('watch no client limits', () => {
    const limits = withPolicies({ mode: 'observe', client: { max_streams: 1 } });
    expect(limits).toMatchObject({ client: CLIENT, observed: {} });
  });
});
