/**
 * The admission decision with 10,000 clients and 1,000 policies: resolving the
 * limits of a publish and deciding on it, the decision on a connection, and a
 * connection that is refused.
 *
 *   node bench/micro/admission.ts
 */
import { Admission, type ConnectionLease } from '../../src/core/admission/admission.ts';
import { PolicyResolver } from '../../src/core/policy/resolve.ts';
import { limitSource, subjects } from './policy.ts';

const CLIENTS = 10_000;
const POLICIES = 1000;
const ROUNDS = 7;
const DECISIONS_PER_ROUND = 100_000;
/** leases held at once, so that the maps have the size of a busy server's */
const HELD = 2000;
/** Virtual time between two decisions, ms: at this pace every client and address keeps to the default rates. */
const STEP_MS = 0.1;

/** past the instants at which the connections of `measurePublish` were made */
const START_MS = 1e8;

const GOAL_PER_SECOND = 500_000;
const GOAL_P99_US = 20;

/** Every level is asked and none refuses: the longest road through a decision. */
function spaciousAdmission(): Admission {
  return new Admission({
    limits: {
      global: { max_connections: 1e9, connection_rate: { count: 1e6, periodMs: 1000 }, max_streams: 1e9 },
      ip: { max_connections: 1e9, connection_rate: { count: 10, periodMs: 1000 }, ipv6_prefix: 64 },
    },
    allow: ['192.0.2.0/24'],
    deny: ['203.0.113.7'],
  });
}

/** Times `decide` in rounds by the CPU time of this thread (a shared machine's clock would lie), and one by one for the percentile. */
function measure(
  name: string,
  decide: (i: number, now: number) => void,
): { perSecond: number; p99Us: number } {
  let now = START_MS;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const started = process.threadCpuUsage();
    for (let i = 0; i < DECISIONS_PER_ROUND; i++) {
      now += STEP_MS;
      decide(i, now);
    }
    const { user, system } = process.threadCpuUsage(started);
    best = Math.min(best, (user + system) / 1000);
  }
  const tookUs = new Float64Array(DECISIONS_PER_ROUND);
  for (let i = 0; i < DECISIONS_PER_ROUND; i++) {
    now += STEP_MS;
    const started = performance.now();
    decide(i, now);
    tookUs[i] = (performance.now() - started) * 1000;
  }
  tookUs.sort();
  const perSecond = (DECISIONS_PER_ROUND / best) * 1000;
  const p99Us = tookUs[Math.floor(DECISIONS_PER_ROUND * 0.99)]!;
  const each = ((best * 1e6) / DECISIONS_PER_ROUND).toFixed(0);
  console.log(
    `${name.padEnd(44)} ${(perSecond / 1e6).toFixed(2)} M/s  ${each} ns each  p99 ${p99Us.toFixed(2)} us`,
  );
  return { perSecond, p99Us };
}

function measurePublish(): { perSecond: number; p99Us: number } {
  const admission = spaciousAdmission();
  const resolver = new PolicyResolver(limitSource(CLIENTS, POLICIES));
  const asked = subjects(CLIENTS, POLICIES);
  const connections = asked.map((subject, i): ConnectionLease => {
    const verdict = admission.connect(subject.ip, i * 1000);
    if (!verdict.allowed) throw new Error(`refused: ${verdict.reason}`);
    return verdict.lease;
  });
  const held: ({ release(now: number): void } | undefined)[] = new Array(HELD);
  return measure('publish: resolve limits, decide, release', (i, now) => {
    const at = i % asked.length;
    const subject = asked[at]!;
    const { client: limits } = resolver.resolve(subject);
    const request = {
      client: subject.client,
      keyId: subject.client,
      path: subject.stream,
      limits,
      occupant: null,
    };
    const verdict = admission.publish(request, connections[at]!, now);
    if (!verdict.allowed) throw new Error(`refused: ${verdict.reason}`);
    held[i % HELD]?.release(now);
    held[i % HELD] = verdict.lease;
  });
}

const addresses = Array.from({ length: 16_384 }, (_, i) => `10.${i >> 12}.${(i >> 6) & 63}.${i & 63}`);
const v6Addresses = addresses.map((_, i) => `2001:db8:${(i >> 8).toString(16)}:${(i & 255).toString(16)}::1`);

function measureConnect(name: string, from: readonly string[]): void {
  const admission = spaciousAdmission();
  const held: ({ release(now: number): void } | undefined)[] = new Array(HELD);
  measure(name, (i, now) => {
    const verdict = admission.connect(from[i % from.length]!, now);
    if (!verdict.allowed) throw new Error(`refused: ${verdict.reason}`);
    held[i % HELD]?.release(now);
    held[i % HELD] = verdict.lease;
  });
}

function measureRefusals(): void {
  const closed = new Admission({
    limits: {
      global: { max_connections: 1e9, connection_rate: { count: 1, periodMs: 1e9 }, max_streams: 1 },
      ip: { max_connections: 20, connection_rate: { count: 10, periodMs: 1000 }, ipv6_prefix: 64 },
    },
    allow: [],
    deny: [],
  });
  closed.connect('192.0.2.1', START_MS);
  measure('connect refused by a rate, a flood of addresses', (i, now) => {
    if (closed.connect(addresses[i % addresses.length]!, now).allowed) throw new Error('admitted');
  });
}

const { perSecond, p99Us } = measurePublish();
measureConnect('connect and release, IPv4', addresses);
measureConnect('connect and release, IPv6', v6Addresses);
measureRefusals();
const reached = perSecond >= GOAL_PER_SECOND && p99Us < GOAL_P99_US;
console.log(
  `goal: >= ${GOAL_PER_SECOND} publishes/s, p99 < ${GOAL_P99_US} us: ${reached ? 'reached' : 'MISSED'}`,
);
