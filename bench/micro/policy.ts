/**
 * What resolving one stream's limits costs with few and with many clients and
 * policies. The goal is the ratio: many must cost what few cost. Asked about one
 * subject it shows the work alone; asked about thousands in turn, also what
 * fetching their clients from memory costs.
 *
 *   node bench/micro/policy.ts
 */
import type { PolicySubject } from '../../src/core/policy/match.ts';
import { type LimitSource, PolicyResolver, type PolicySource } from '../../src/core/policy/resolve.ts';

const ROUNDS = 7;
const RESOLVES_PER_ROUND = 200_000;
/** Different subjects asked about in turn, so that no cache line stays hot by accident */
const SUBJECTS = 8192;

/** Policies of every shape, each matching its own small share of the streams. */
function manyPolicies(count: number): PolicySource[] {
  const base = { priority: 0, mode: 'enforce', override: false } as const;
  return Array.from({ length: count }, (_, i): PolicySource => {
    const stream = { max_bitrate: 4e6 + i };
    switch (i % 5) {
      case 0:
        return { ...base, name: `stream-${i}`, match: { app: 'live', stream: `show${i}-*` }, stream };
      case 1:
        return { ...base, name: `client-${i}`, match: { client: `client${i}` }, stream };
      case 2:
        return { ...base, name: `net-${i}`, match: { ip: `10.${i >> 8}.${i & 255}.0/24` }, stream };
      case 3:
        return {
          ...base,
          name: `app-${i}`,
          match: { app: `app${i}`, tier: 'pro' },
          priority: 5,
          override: true,
          stream,
        };
      default:
        return { ...base, name: `exact-${i}`, match: { stream: `cam${i}`, protocol: 'rtmp' }, stream };
    }
  });
}

export function limitSource(clients: number, policies: number): LimitSource {
  return {
    stream: {
      max_bitrate: 6e6,
      bitrate_window: 2000,
      max_fps: 60,
      max_packets_per_sec: 2000,
      on_exceed: 'throttle',
      grace: 10_000,
      cooldown: 30_000,
    },
    client: { max_streams: 3, max_bandwidth: 20e6, publish_rate: { count: 100, periodMs: 60_000 } },
    tiers: { pro: { stream: { max_bitrate: 12e6 } }, free: { stream: { max_bitrate: 2e6 } } },
    clients: Array.from({ length: clients }, (_, i) => ({
      id: `client${i}`,
      limits: { max_streams: 5 + (i % 5) },
    })),
    policies: manyPolicies(policies),
  };
}

/** About half of them meet a policy. */
export function subjects(clients: number, policies: number): PolicySubject[] {
  return Array.from({ length: SUBJECTS }, (_, i): PolicySubject => {
    const at = i % policies;
    return {
      app: i % 7 === 0 ? `app${at}` : 'live',
      stream: i % 3 === 0 ? `show${at}-main` : `cam${i}`,
      protocol: 'rtmp',
      ip: `10.${(at >> 8) & 255}.${at & 255}.${i % 250}`,
      tier: i % 2 === 0 ? 'pro' : 'free',
      client: `client${i % clients}`,
    };
  });
}

function nsPerResolve(clients: number, policies: number, asked: readonly PolicySubject[]): number {
  const resolver = new PolicyResolver(limitSource(clients, policies));
  let best = Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const started = process.threadCpuUsage();
    for (let i = 0; i < RESOLVES_PER_ROUND; i++) {
      sum += resolver.resolve(asked[i % asked.length]!).stream.max_bitrate;
    }
    const { user, system } = process.threadCpuUsage(started);
    best = Math.min(best, ((user + system) * 1000) / RESOLVES_PER_ROUND);
  }
  if (!(sum > 0)) throw new Error('nothing was resolved');
  return best;
}

function compare(what: string, askedOf: (clients: number, policies: number) => PolicySubject[]): void {
  const few = nsPerResolve(10, 10, askedOf(10, 10));
  const many = nsPerResolve(10_000, 1000, askedOf(10_000, 1000));
  const ratio = (many / few).toFixed(2);
  console.log(
    `${what}: ${few.toFixed(0)} ns with 10 clients and 10 policies, ` +
      `${many.toFixed(0)} ns with 10,000 and 1,000 (${ratio}x)`,
  );
}

if (import.meta.main) {
  compare('one subject       ', (clients, policies) => subjects(clients, policies).slice(1, 2));
  compare(`${SUBJECTS} in turn     `, subjects);
}
