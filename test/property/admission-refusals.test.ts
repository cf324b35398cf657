import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Admission, type ConnectionLease, type PublishLease } from '../../src/core/admission/admission.ts';
import type { Refusal, RefusedKind } from '../../src/core/admission/refusals.ts';
import type { ClientLimits } from '../../src/core/limits.ts';
import type { AdmissionVerdict, Lease } from '../../src/core/verdict.ts';
import { ipKey } from '../../src/lib/ip.ts';

/**
 * A door that knows nothing but the refusals that admission lists must answer
 * as admission does at that instant: never refuse whom admission would let in,
 * never miss a refusal, and give the same reason.
 */

const GLOBAL = { max_connections: 7, connection_rate: { count: 6, periodMs: 300 }, max_streams: 3 };
const PER_IP = { max_connections: 3, connection_rate: { count: 2, periodMs: 400 }, ipv6_prefix: 64 };
const CONFIG = { limits: { global: GLOBAL, ip: PER_IP }, allow: ['192.0.2.0/24'], deny: [] };
const EXEMPT = '192.0.2.9';
const IPS = ['10.0.0.1', '10.0.0.2', '::ffff:10.0.0.1', '2001:db8::1', '2001:db8::2', EXEMPT] as const;

const LIMITS: Readonly<Record<string, ClientLimits>> = {
  alice: { max_streams: 2, max_bandwidth: 1e6, publish_rate: { count: 3, periodMs: 600 } },
  bob: { max_streams: 9, max_bandwidth: 1e6, publish_rate: { count: 1, periodMs: 100 } },
};
const limitsOf = (client: string): ClientLimits => LIMITS[client]!;

type Op =
  | { readonly op: 'wait'; readonly ms: number }
  | { readonly op: 'attempt'; readonly ip: string; readonly client: string; readonly keyId: string }
  | { readonly op: 'leave'; readonly at: number }
  | { readonly op: 'cool'; readonly ip: string; readonly keyId: string; readonly ms: number }
  | { readonly op: 'drain'; readonly on: boolean };

const ip = fc.constantFrom(...IPS);
const keyId = fc.constantFrom('k1', 'k2');
const attempt = fc.record({
  op: fc.constant('attempt' as const),
  ip,
  client: fc.constantFrom('alice', 'bob'),
  keyId,
});
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: attempt },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 150 }) }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('leave' as const), at: fc.nat(30) }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('cool' as const), ip, keyId, ms: fc.constantFrom(50, 300) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('drain' as const), on: fc.constantFrom(false, false, true) }),
  },
);

/** The first refusal that meets the caller, as the native door looks for it. */
function firstOf(
  refusals: readonly Refusal[],
  meets: (kind: RefusedKind, name: string) => boolean,
  exempt: boolean,
): Refusal | undefined {
  return refusals.find(
    (refusal) =>
      meets(refusal.kind, refusal.name) && (!exempt || refusal.evenExempt || refusal.kind === 'key'),
  );
}

class Bench {
  now = 1000;
  readonly admission = new Admission(CONFIG);
  readonly leases: (ConnectionLease | PublishLease)[] = [];

  apply(step: Op): void {
    const { admission } = this;
    switch (step.op) {
      case 'wait':
        this.now += step.ms;
        return;
      case 'leave':
        this.leases[step.at % this.leases.length]?.release(this.now);
        return;
      case 'cool':
        admission.startCooldown({ ip: step.ip, keys: [step.keyId] }, step.ms, 'kicked', this.now);
        return;
      case 'drain':
        admission.setDraining(step.on);
        return;
      case 'attempt':
        this.attempt(step.ip, step.client, step.keyId);
    }
  }

  attempt(from: string, client: string, key: string): void {
    const exempt = from === EXEMPT;
    const address = ipKey(from, PER_IP.ipv6_prefix);
    const before = [...this.admission.refusals(limitsOf, this.now)];
    const atConnect = firstOf(
      before,
      (kind, name) => kind === 'all' || (kind === 'address' && name === address),
      exempt,
    );
    const connected = this.admission.connect(from, this.now);
    expect(reasonOf(connected)).toBe(atConnect?.denial.reason ?? 'allowed');
    this.checkPromise(atConnect, connected);
    if (!connected.allowed) return;
    this.leases.push(connected.lease);
    const after = [...this.admission.refusals(limitsOf, this.now)];
    const atPublish = firstOf(
      after,
      (kind, name) =>
        kind === 'publishers' || (kind === 'key' && name === key) || (kind === 'client' && name === client),
      exempt,
    );
    const published = this.admission.publish(
      { client, keyId: key, path: '/live/x', limits: limitsOf(client), occupant: null },
      connected.lease,
      this.now,
    );
    expect(reasonOf(published)).toBe(atPublish?.denial.reason ?? 'allowed');
    if (published.allowed) this.leases.push(published.lease);
  }

  /** A refusal that ends by itself ends when it says. */
  checkPromise(refusal: Refusal | undefined, verdict: AdmissionVerdict<Lease>): void {
    if (refusal === undefined || verdict.allowed) return;
    expect(refusal.denial).toEqual({
      ...verdict,
      key: refusal.kind === 'all' ? refusal.denial.key : verdict.key,
    });
    if (refusal.untilMs < Number.POSITIVE_INFINITY) {
      expect(refusal.untilMs).toBe(this.now + verdict.retryAfterMs);
    }
  }
}

function reasonOf(verdict: AdmissionVerdict<Lease>): string {
  return verdict.allowed ? 'allowed' : verdict.reason;
}

describe('the refusals in force', () => {
  it('say at every instant what admission says', () => {
    fc.assert(
      fc.property(fc.array(op, { minLength: 10, maxLength: 60 }), (ops) => {
        const bench = new Bench();
        for (const step of ops) bench.apply(step);
      }),
      { numRuns: 400 },
    );
  });

  it('are told to whoever watches whenever one may have come or gone', () => {
    fc.assert(
      fc.property(fc.array(op, { minLength: 5, maxLength: 40 }), (ops) => {
        const bench = new Bench();
        let told = 0;
        bench.admission.watch(() => told++);
        const shown = () =>
          JSON.stringify([...bench.admission.refusals(limitsOf, bench.now)], (_key, value: unknown) =>
            value === Number.POSITIVE_INFINITY ? 'never' : value,
          );
        for (const step of ops) {
          const toldBefore = told;
          const before = shown();
          bench.apply(step);
          if (step.op !== 'wait' && shown() !== before) expect(told).toBeGreaterThan(toldBefore);
        }
      }),
      { numRuns: 100 },
    );
  });
});
