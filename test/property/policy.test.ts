import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EventRate, ON_EXCEED, type OnExceed } from '../../src/core/limits.ts';
import type { PolicyMatch, PolicySubject } from '../../src/core/policy/match.ts';
import { type LimitSource, PolicyResolver, type PolicySource } from '../../src/core/policy/resolve.ts';
import { parseCidr, parseIp } from '../../src/lib/ip.ts';

/**
 * The resolver against a reference that knows no index, no cache and no
 * compiled pattern: it reads the rules of precedence off the page.
 */

type Value = number | OnExceed | EventRate;
type Flat = Record<string, Value | undefined>;

const flat = (stream: object = {}, client: object = {}): Flat => ({
  ...stream,
  ...Object.fromEntries(Object.entries(client).map(([key, value]) => [`client.${key}`, value])),
});

function strictest(key: string, a: Value, b: Value): Value {
  if (typeof a === 'object' && typeof b === 'object') {
    const byRate = a.count / a.periodMs - b.count / b.periodMs || a.count - b.count;
    return byRate <= 0 ? a : b;
  }
  if (typeof a === 'string' || typeof b === 'string') {
    return ON_EXCEED[Math.max(ON_EXCEED.indexOf(a as OnExceed), ON_EXCEED.indexOf(b as OnExceed))]!;
  }
  return key === 'cooldown' ? Math.max(a as number, b as number) : Math.min(a as number, b as number);
}

const globToRegExp = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern.replaceAll(/[.*+?^${}()|[\]\\]/g, (c) => (c === '*' ? '.*' : c === '?' ? '.' : `\\${c}`))}$`,
  );

function inNetwork(network: string, ip: string): boolean {
  const cidr = parseCidr(network);
  const address = parseIp(ip);
  if (!cidr.ok || address === null || address.family !== cidr.cidr.family) return false;
  const bits = (words: readonly number[]) => words.map((w) => w.toString(2).padStart(32, '0')).join('');
  return bits(address.words).slice(0, cidr.cidr.prefix) === bits(cidr.cidr.words).slice(0, cidr.cidr.prefix);
}

function some<T>(wanted: T | readonly T[] | undefined, test: (one: T) => boolean): boolean {
  return wanted === undefined || (Array.isArray(wanted) ? wanted.some(test) : test(wanted as T));
}

function applies(match: PolicyMatch, s: PolicySubject): boolean {
  return (
    some(match.app, (glob) => globToRegExp(glob).test(s.app)) &&
    some(match.stream, (glob) => globToRegExp(glob).test(s.stream)) &&
    some(match.protocol, (one) => one === s.protocol) &&
    some(match.ip, (one) => inNetwork(one, s.ip)) &&
    some(match.tier, (one) => one === s.tier) &&
    some(match.client, (one) => one === s.client)
  );
}

function applyPolicies(base: Flat, policies: readonly PolicySource[]): Flat {
  const result = { ...base };
  const priorities = [...new Set(policies.map((p) => p.priority))].sort((a, b) => a - b);
  for (const priority of priorities) {
    for (const override of [true, false]) {
      const group = policies.filter((p) => p.priority === priority && p.override === override);
      for (const key of Object.keys(base)) {
        const given = group.map((p) => flat(p.stream, p.client)[key]).filter((v) => v !== undefined);
        if (given.length === 0) continue;
        const own = given.reduce((a, b) => strictest(key, a, b));
        result[key] = override ? own : strictest(key, result[key]!, own);
      }
    }
  }
  return result;
}

function reference(source: LimitSource, s: PolicySubject): { limits: Flat; observed: Flat } {
  const tier = s.tier !== null && Object.hasOwn(source.tiers, s.tier) ? source.tiers[s.tier] : undefined;
  const own = source.clients.find((c) => c.id === s.client)?.limits;
  const ownClient = own && { max_streams: own.max_streams, publish_rate: own.publish_rate };
  const ownStream = own && { max_bitrate: own.max_bitrate, cooldown: own.cooldown };
  const base = flat(source.stream, source.client);
  for (const layer of [flat(tier?.stream, tier?.client), flat(ownStream, ownClient)]) {
    for (const [key, value] of Object.entries(layer)) if (value !== undefined) base[key] = value;
  }
  const matching = source.policies.filter((p) => applies(p.match ?? {}, s));
  const limits = applyPolicies(
    base,
    matching.filter((p) => p.mode === 'enforce'),
  );
  const asIf = applyPolicies(base, matching);
  const observed: Flat = {};
  for (const key of Object.keys(base)) {
    if (!key.startsWith('client.') && asIf[key] !== limits[key]) observed[key] = asIf[key];
  }
  return { limits, observed };
}

const few = (...values: string[]) => fc.constantFrom(...values);
const amount = fc.constantFrom(1, 2, 3, 5, 8, Number.POSITIVE_INFINITY);
const rate = fc.record({ count: fc.constantFrom(1, 10, 60), periodMs: fc.constantFrom(1000, 60_000) });
const oneOrMany = <T>(one: fc.Arbitrary<T>) => fc.oneof(one, fc.array(one, { minLength: 1, maxLength: 3 }));
const optional = { requiredKeys: [] as [] };

const someStream = fc.record(
  {
    max_bitrate: amount,
    bitrate_window: amount,
    on_exceed: fc.constantFrom(...ON_EXCEED),
    grace: amount,
    cooldown: amount,
  },
  optional,
);
const someClient = fc.record({ max_streams: amount, max_bandwidth: amount, publish_rate: rate }, optional);

const match = fc.record(
  {
    app: oneOrMany(few('live', 'l*', '*', 'vod', '?ive')),
    stream: oneOrMany(few('cam', 'cam*', 'c*', 'ca', '*m', '??m', 'vip-*', 'vip-1', '*')),
    protocol: oneOrMany(fc.constantFrom('rtmp', 'rtmps', 'srt')),
    ip: oneOrMany(
      few('10.0.0.0/8', '10.1.0.0/16', '10.1.0.1', '0.0.0.0/0', '2001:db8::/32', '2001:db8::1', '::/0'),
    ),
    tier: oneOrMany(few('pro', 'free')),
    client: oneOrMany(few('alice', 'bob')),
  },
  optional,
);

const policy: fc.Arbitrary<PolicySource> = fc.record({
  name: few('p'),
  match,
  priority: fc.integer({ min: -1, max: 2 }),
  mode: fc.constantFrom('enforce', 'enforce', 'observe'),
  override: fc.boolean(),
  stream: someStream,
  client: someClient,
});

const limitSource: fc.Arbitrary<LimitSource> = fc.record({
  stream: fc.record({
    max_bitrate: amount,
    bitrate_window: amount,
    max_fps: amount,
    max_packets_per_sec: amount,
    on_exceed: fc.constantFrom(...ON_EXCEED),
    grace: amount,
    cooldown: amount,
  }),
  client: fc.record({ max_streams: amount, max_bandwidth: amount, publish_rate: rate }),
  tiers: fc.record({ pro: fc.record({ stream: someStream, client: someClient }, optional) }, optional),
  clients: fc.uniqueArray(
    fc.record({
      id: few('alice', 'bob'),
      limits: fc.record(
        { max_streams: amount, publish_rate: rate, max_bitrate: amount, cooldown: amount },
        optional,
      ),
    }),
    { selector: (client) => client.id, maxLength: 2 },
  ),
  policies: fc.array(policy, { maxLength: 12 }),
});

const subject: fc.Arbitrary<PolicySubject> = fc.record({
  app: few('live', 'vod', 'other'),
  stream: few('cam', 'cam1', 'ca', 'vip-1', 'vip-', 'x'),
  protocol: fc.constantFrom('rtmp', 'rtmps', 'srt'),
  ip: few('10.0.0.1', '10.1.0.1', '::ffff:10.1.0.1', '192.0.2.1', '2001:db8::1', '2001:db9::1', 'none'),
  tier: fc.constantFrom('pro', 'free', null),
  client: few('alice', 'bob', '192.0.2.1'),
});

const resolved = (source: LimitSource, who: PolicySubject) => {
  const { stream, client, observed } = new PolicyResolver(source).resolve(who);
  return { limits: flat(stream, client), observed };
};

describe('PolicyResolver', () => {
  it('agrees with the rules read off the page', () => {
    fc.assert(
      fc.property(limitSource, fc.array(subject, { minLength: 1, maxLength: 4 }), (source, subjects) => {
        const resolver = new PolicyResolver(source);
        for (const who of [...subjects, ...subjects]) {
          const { stream, client, observed } = resolver.resolve(who);
          expect({ limits: flat(stream, client), observed }).toEqual(reference(source, who));
        }
      }),
      { numRuns: 600 },
    );
  });

  it('does not depend on the order of the file', () => {
    fc.assert(
      fc.property(limitSource, subject, fc.infiniteStream(fc.nat()), (source, who, keys) => {
        const shuffled = source.policies
          .map((one) => ({ one, at: keys.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ one }) => one);
        expect(resolved({ ...source, policies: shuffled }, who)).toEqual(resolved(source, who));
      }),
    );
  });

  it('names as the source of each limit a place that gave that very value', () => {
    fc.assert(
      fc.property(limitSource, subject, (source, who) => {
        const { stream, client, sources } = new PolicyResolver(source).resolve(who);
        const given = (place: string, key: string): Value | undefined => {
          const at = Number(/\[(\d+)\]/.exec(place)?.[1]);
          if (place.startsWith('policies'))
            return flat(source.policies[at]!.stream, source.policies[at]!.client)[key];
          if (place.startsWith('clients')) {
            return (source.clients[at]!.limits as Flat | undefined)?.[key.replace('client.', '')];
          }
          const [, tier = ''] = place.split('.');
          const block = place.startsWith('tiers') ? source.tiers[tier] : source;
          return flat(block?.stream, block?.client)[key];
        };
        for (const [key, value] of Object.entries(flat(stream, client))) {
          expect(given((sources as Record<string, string>)[key]!, key), key).toEqual(value);
        }
      }),
    );
  });
});
