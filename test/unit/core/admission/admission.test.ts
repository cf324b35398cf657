import { describe, expect, it } from 'vitest';
import {
  Admission,
  type ConnectionLease,
  type PublishLease,
} from '../../../../src/core/admission/admission.ts';
import type { AdmissionConfig, GateCheck, PublishRequest } from '../../../../src/core/admission/questions.ts';
import type { AdmissionVerdict, Denial, Lease } from '../../../../src/core/verdict.ts';
import { UNKNOWN_IP_KEY } from '../../../../src/lib/ip.ts';

const NEVER = Number.POSITIVE_INFINITY;
const PLENTY = { count: 1000, periodMs: 1000 };

interface Over {
  readonly global?: Partial<AdmissionConfig['limits']['global']>;
  readonly ip?: Partial<AdmissionConfig['limits']['ip']>;
  readonly allow?: string[];
  readonly deny?: string[];
}

const config = ({ global, ip, allow = [], deny = [] }: Over = {}): AdmissionConfig => ({
  limits: {
    global: { max_connections: 100, connection_rate: PLENTY, max_streams: 100, ...global },
    ip: { max_connections: 100, connection_rate: PLENTY, ipv6_prefix: 64, ...ip },
  },
  allow,
  deny,
});

const make = (over: Over = {}, gates: GateCheck[] = []): Admission => new Admission(config(over), gates);

function granted<L extends Lease>(verdict: AdmissionVerdict<L>): L {
  if (!verdict.allowed) throw new Error(`refused: ${verdict.reason}`);
  return verdict.lease;
}

function refused(verdict: AdmissionVerdict<Lease>): Denial {
  if (verdict.allowed) throw new Error('admitted');
  return verdict;
}

const LIMITS = { max_streams: 100, max_bandwidth: 1e9, publish_rate: PLENTY };

const asking = (
  over: Partial<PublishRequest> & { limits?: PublishRequest['limits'] } = {},
): PublishRequest => ({
  client: 'alice',
  keyId: 'k1',
  path: '/live/cam',
  limits: LIMITS,
  occupant: null,
  ...over,
});

const A = '10.0.0.1';
const B = '10.0.0.2';

describe('connect', () => {
  it('grants a lease that says whose it is', () => {
    const admission = make({ allow: ['192.0.2.0/24'] });
    expect(granted(admission.connect(A, 0))).toMatchObject({ ip: A, ipKey: A, exempt: false, held: true });
    expect(granted(admission.connect('2001:db8::7', 0))).toMatchObject({
      ip: '2001:db8::7',
      ipKey: '2001:db8::/64',
    });
    expect(granted(admission.connect('::ffff:192.0.2.1', 0))).toMatchObject({
      ipKey: '192.0.2.1',
      exempt: true,
    });
  });

  it('refuses a denied address for ever, also one that is allowed', () => {
    const admission = make({ deny: ['203.0.113.0/24'], allow: ['203.0.113.7'] });
    expect(refused(admission.connect('203.0.113.7', 0))).toEqual({
      allowed: false,
      reason: 'denied',
      scope: 'server',
      key: '203.0.113.7',
      limit: null,
      observed: null,
      windowMs: null,
      retryAfterMs: NEVER,
    });
    expect(refused(admission.connect('::ffff:203.0.113.8', 0)).reason).toBe('denied');
    expect(admission.global().connections).toBe(0);
  });

  it('names caps with what is held and a hint', () => {
    const admission = make({ global: { max_connections: 2 }, ip: { max_connections: 1 } });
    const lease = granted(admission.connect(A, 0));
    expect(refused(admission.connect(A, 0))).toMatchObject({
      reason: 'ip_connections',
      scope: 'ip',
      key: A,
      limit: 1,
      observed: 1,
      windowMs: null,
      retryAfterMs: 1000,
    });
    granted(admission.connect(B, 0));
    expect(refused(admission.connect('10.0.0.3', 0))).toMatchObject({
      reason: 'global_connections',
      key: 'global',
      limit: 2,
      observed: 2,
    });
    lease.release(0);
    granted(admission.connect('10.0.0.3', 0));
  });

  it('says never where a limit is zero', () => {
    expect(refused(make({ global: { max_connections: 0 } }).connect(A, 0)).retryAfterMs).toBe(NEVER);
    const closed = { connection_rate: { count: 0, periodMs: 1000 } };
    expect(refused(make({ ip: closed }).connect(A, 0))).toMatchObject({
      retryAfterMs: NEVER,
      observed: 1,
      limit: 0,
    });
  });

  it('names rates with their window and the events in it', () => {
    const admission = make({ ip: { connection_rate: { count: 2, periodMs: 1000 } } });
    granted(admission.connect(A, 0));
    granted(admission.connect(A, 0));
    expect(refused(admission.connect(A, 100))).toMatchObject({
      reason: 'ip_connection_rate',
      key: A,
      limit: 2,
      observed: 3,
      windowMs: 1000,
      retryAfterMs: 400,
    });
    granted(admission.connect(B, 100));
    granted(admission.connect(A, 500));
  });

  it('counts IPv6 by network: a /64 cannot be 2^64 publishers', () => {
    const admission = make({ ip: { max_connections: 1 } });
    granted(admission.connect('2001:db8::1', 0));
    expect(refused(admission.connect('2001:db8::2', 0)).key).toBe('2001:db8::/64');
    granted(admission.connect('2001:db8:0:1::1', 0));
  });

  it('limits addresses it cannot read together', () => {
    const admission = make({ ip: { max_connections: 1 } });
    granted(admission.connect('', 0));
    expect(refused(admission.connect('garbage', 0)).key).toBe(UNKNOWN_IP_KEY);
  });

  it('names the first check that fails and promises the last one to pass', () => {
    const admission = make({
      global: { connection_rate: { count: 1, periodMs: 100 } },
      ip: { connection_rate: { count: 1, periodMs: 5000 } },
    });
    granted(admission.connect(A, 0));
    expect(refused(admission.connect(A, 0))).toMatchObject({
      reason: 'global_connection_rate',
      retryAfterMs: 5000,
    });
    expect(refused(admission.connect(A, 4999))).toMatchObject({
      reason: 'ip_connection_rate',
      retryAfterMs: 1,
    });
    granted(admission.connect(A, 5000));
  });

  it('consumes nothing at any level when one level denies', () => {
    const admission = make({
      global: { connection_rate: { count: 3, periodMs: 1e6 } },
      ip: { max_connections: 1 },
    });
    granted(admission.connect(A, 0));
    for (let i = 0; i < 10_000; i++) refused(admission.connect(A, i / 100));
    granted(admission.connect(B, 100));
    granted(admission.connect('10.0.0.3', 100));
    expect(refused(admission.connect('10.0.0.4', 100)).reason).toBe('global_connection_rate');
  });

  it('keeps no memory of addresses it refused', () => {
    const admission = make({ global: { max_connections: 0 } });
    for (let i = 0; i < 10_000; i++) admission.connect(`10.1.${i >> 8}.${i & 255}`, i);
    expect(admission.global().remembered).toBe(0);
    expect([...admission.ips(10_000)]).toEqual([]);
  });

  it('never limits an allowed address, and counts it', () => {
    const admission = make({
      global: { max_connections: 2, connection_rate: { count: 1, periodMs: 1e6 } },
      ip: { max_connections: 1 },
      allow: [A],
    });
    admission.startCooldown({ ip: A }, 1e6, 'kicked', 0);
    for (let i = 0; i < 5; i++) granted(admission.connect(A, 0));
    expect(admission.global().connections).toBe(5);
    expect([...admission.ips(0)]).toMatchObject([{ key: A, connections: 5, exempt: true }]);
    // The allowed ones fill the cap for others, and left their rate alone.
    expect(refused(admission.connect(B, 0))).toMatchObject({ reason: 'global_connections', observed: 5 });
  });
});

describe('ips', () => {
  it('calls a network exempt only while every connection of it is', () => {
    const admission = make({ allow: ['2001:db8::1'] });
    const exempt = granted(admission.connect('2001:db8::1', 0));
    const shown = () => [...admission.ips(0)].map((one) => one.exempt);
    expect(shown()).toEqual([true]);
    granted(admission.connect('2001:db8::2', 0));
    expect(shown()).toEqual([false]);
    exempt.release(0);
    expect(shown()).toEqual([false]);
  });
});

describe('the gate', () => {
  it('lets nobody in while draining, however privileged', () => {
    const admission = make({ allow: [A] });
    const lease = granted(admission.connect(A, 0));
    admission.setDraining(true);
    for (const verdict of [
      admission.connect(A, 0),
      admission.connect(B, 0),
      admission.publish(asking(), lease, 0),
    ]) {
      expect(refused(verdict)).toMatchObject({ reason: 'draining', retryAfterMs: NEVER });
    }
    admission.setDraining(false);
    granted(admission.connect(A, 0));
  });

  it('asks each check, tells it who is exempt, and keeps the longer delay', () => {
    const asked: boolean[] = [];
    const closed: Denial = {
      ...refused(make({ deny: [A] }).connect(A, 0)),
      reason: 'resource_cpu',
      retryAfterMs: 200,
    };
    let open = false;
    const gate: GateCheck = (_now, exempt) => {
      asked.push(exempt);
      return open || exempt ? null : closed;
    };
    const admission = make({ allow: [A], ip: { connection_rate: { count: 1, periodMs: 1000 } } }, [
      () => null,
      gate,
    ]);
    granted(admission.connect(A, 0));
    expect(refused(admission.connect(B, 0))).toBe(closed);
    expect(asked).toEqual([true, false]);
    open = true;
    const lease = granted(admission.connect(B, 0));
    open = false;
    expect(refused(admission.connect(B, 0))).toMatchObject({ reason: 'resource_cpu', retryAfterMs: 1000 });
    expect(refused(admission.publish(asking(), lease, 0))).toBe(closed);
    expect(admission.global()).toMatchObject({ connections: 2, streams: 0 });
  });
});

describe('publish', () => {
  it('holds client and global caps', () => {
    const admission = make({ global: { max_streams: 2 } });
    const connection = granted(admission.connect(A, 0));
    const limits = { ...LIMITS, max_streams: 1 };
    const stream = granted(admission.publish(asking({ limits }), connection, 0));
    expect(stream).toMatchObject({ client: 'alice', held: true });
    expect(refused(admission.publish(asking({ limits }), connection, 0))).toMatchObject({
      reason: 'client_streams',
      scope: 'client',
      key: 'alice',
      limit: 1,
      observed: 1,
      retryAfterMs: 1000,
    });
    granted(admission.publish(asking({ client: 'bob', limits }), connection, 0));
    expect(refused(admission.publish(asking({ client: 'carol' }), connection, 0))).toMatchObject({
      reason: 'global_streams',
      key: 'global',
      limit: 2,
      observed: 2,
    });
    expect([...admission.clients()]).toMatchObject([
      { client: 'alice', streams: 1 },
      { client: 'bob', streams: 1 },
    ]);
  });

  it('holds the publish rate of the client, which comes with the request', () => {
    const admission = make();
    const connection = granted(admission.connect(A, 0));
    const limits = { ...LIMITS, publish_rate: { count: 2, periodMs: 60_000 } };
    const publish = (now: number) => admission.publish(asking({ limits }), connection, now);
    granted(publish(0)).release(0);
    granted(publish(0)).release(0);
    const denial = refused(publish(1000));
    expect(denial).toMatchObject({
      reason: 'client_publish_rate',
      key: 'alice',
      limit: 2,
      observed: 3,
      windowMs: 60_000,
      retryAfterMs: expect.closeTo(29_000, 1),
    });
    granted(admission.publish(asking({ limits, client: 'bob' }), connection, 1000));
    granted(publish(1000 + denial.retryAfterMs));
  });

  it.each([3, 7, 30, 1000])('lets a whole burst of %i through at one instant', (count) => {
    const admission = make();
    const connection = granted(admission.connect(A, 0));
    const limits = { ...LIMITS, max_streams: 1e6, publish_rate: { count, periodMs: 1000 } };
    const started = 123_456.789;
    for (let i = 0; i < count; i++)
      granted(admission.publish(asking({ limits }), connection, started)).release(0);
    refused(admission.publish(asking({ limits }), connection, started));
  });

  it('charges one client one budget of time, whatever the rates of its streams', () => {
    const admission = make();
    const connection = granted(admission.connect(A, 0));
    const slow = { ...LIMITS, publish_rate: { count: 1, periodMs: 60_000 } };
    const fast = { ...LIMITS, publish_rate: { count: 100, periodMs: 60_000 } };
    granted(admission.publish(asking({ limits: slow }), connection, 0));
    expect(refused(admission.publish(asking({ limits: fast }), connection, 0)).retryAfterMs).toBeCloseTo(
      600,
      1,
    );
    granted(admission.publish(asking({ limits: fast }), connection, 600));
    refused(admission.publish(asking({ limits: slow }), connection, 60_000));
  });

  it('refuses a duplicate', () => {
    const admission = make();
    const connection = granted(admission.connect(A, 0));
    const lease = granted(admission.publish(asking(), connection, 0));
    expect(
      refused(admission.publish(asking({ occupant: { takeover: false, lease } }), connection, 0)),
    ).toMatchObject({
      reason: 'stream_duplicate',
      scope: 'stream',
      key: '/live/cam',
      retryAfterMs: 1000,
    });
  });

  it('replaces a ghost in one step, also at full caps', () => {
    const admission = make({ global: { max_streams: 1 } });
    const connection = granted(admission.connect(A, 0));
    const limits = { ...LIMITS, max_streams: 1 };
    const ghost = granted(admission.publish(asking({ limits }), connection, 0));
    const fresh = granted(
      admission.publish(asking({ limits, occupant: { takeover: true, lease: ghost } }), connection, 0),
    );
    expect([ghost.held, fresh.held]).toEqual([false, true]);
    expect(admission.global().streams).toBe(1);
    expect(admission.clientStreams('alice')).toBe(1);
    ghost.release(1);
    expect(admission.global().streams).toBe(1);
    fresh.release(1);
    expect(admission.global().streams).toBe(0);
  });

  it('gives no credit for a ghost that holds nothing any more', () => {
    const admission = make({ global: { max_streams: 1 } });
    const connection = granted(admission.connect(A, 0));
    const ghost = granted(admission.publish(asking(), connection, 0));
    ghost.release(0);
    granted(admission.publish(asking({ client: 'bob' }), connection, 0));
    const again = asking({ occupant: { takeover: true, lease: ghost } });
    expect(refused(admission.publish(again, connection, 0)).reason).toBe('global_streams');
    expect(
      refused(admission.publish(asking({ occupant: { takeover: true, lease: null } }), connection, 0)).reason,
    ).toBe('global_streams');
  });

  it('keeps the ghost when the newcomer is refused', () => {
    const admission = make();
    const connection = granted(admission.connect(A, 0));
    const ghost = granted(admission.publish(asking(), connection, 0));
    admission.startCooldown({ keys: ['k1'] }, 100, 'kicked', 0);
    refused(admission.publish(asking({ occupant: { takeover: true, lease: ghost } }), connection, 0));
    expect(ghost.held).toBe(true);
    expect(admission.global().streams).toBe(1);
  });

  it('never limits an allowed address, but keeps duplicates and kicked keys out', () => {
    const admission = make({ global: { max_streams: 1 }, allow: [A] });
    const connection = granted(admission.connect(A, 0));
    const none = { ...LIMITS, max_streams: 0, publish_rate: { count: 0, periodMs: 1 } };
    const lease = granted(admission.publish(asking({ limits: none }), connection, 0));
    granted(admission.publish(asking({ limits: none, path: '/live/2' }), connection, 0));
    const duplicate = asking({ limits: none, occupant: { takeover: false, lease } });
    expect(refused(admission.publish(duplicate, connection, 0)).reason).toBe('stream_duplicate');
    admission.startCooldown({ keys: ['k1'] }, 100, 'kicked', 0);
    expect(refused(admission.publish(asking({ limits: none }), connection, 0)).reason).toBe('cooldown');
    expect(admission.clientStreams('alice')).toBe(2);
  });

  it('is a mistake of the program on a connection that is gone', () => {
    const admission = make();
    const connection = granted(admission.connect(A, 0));
    connection.release(0);
    expect(() => admission.publish(asking(), connection, 0)).toThrow(TypeError);
  });
});

describe('how much of a rate is used up', () => {
  it('says of an address what its connections took, and gives it back with time', () => {
    const admission = make({ ip: { connection_rate: { count: 4, periodMs: 4000 } } });
    granted(admission.connect(A, 0));
    granted(admission.connect(A, 0));
    const used = (now: number) => [...admission.ips(now)].map(({ rateUsed }) => rateUsed);
    expect(used(0)).toEqual([0.5]);
    expect(used(1000)).toEqual([0.25]);
    expect(used(4000)).toEqual([0]);
  });

  it('is nothing where the rate is unlimited', () => {
    const admission = make({ ip: { connection_rate: { count: NEVER, periodMs: 1000 } } });
    granted(admission.connect(A, 0));
    expect([...admission.ips(0)].map(({ rateUsed }) => rateUsed)).toEqual([0]);
    expect(admission.publishRateUsed('alice', { count: NEVER, periodMs: 1000 }, 0)).toBe(0);
  });

  it('says of a client what its publishes took, all at the instant the next is refused', () => {
    const admission = make();
    const rate = { count: 2, periodMs: 60_000 };
    const limits = { ...LIMITS, publish_rate: rate };
    const connection = granted(admission.connect(A, 0));
    expect(admission.publishRateUsed('alice', rate, 0)).toBe(0);
    granted(admission.publish(asking({ limits }), connection, 0));
    expect(admission.publishRateUsed('alice', rate, 0)).toBe(0.5);
    granted(admission.publish(asking({ limits, path: '/live/2' }), connection, 0));
    expect(admission.publishRateUsed('alice', rate, 0)).toBe(1);
    refused(admission.publish(asking({ limits, path: '/live/3' }), connection, 0));
    expect(admission.publishRateUsed('alice', rate, 30_000)).toBe(0.5);
  });
});

describe('cooldown', () => {
  it('refuses the address at connect, to the promised instant', () => {
    const admission = make();
    admission.startCooldown({ ip: '::ffff:10.0.0.1' }, 30_000, 'stream_bitrate', 1000);
    expect(refused(admission.connect(A, 2000))).toMatchObject({
      reason: 'cooldown',
      key: A,
      retryAfterMs: 29_000,
    });
    expect([...admission.ips(2000)]).toEqual([
      {
        key: A,
        connections: 0,
        streams: 0,
        exempt: false,
        rateUsed: 0,
        cooldownMs: 29_000,
        cooldownCause: 'stream_bitrate',
      },
    ]);
    refused(admission.connect(A, 30_999.999));
    granted(admission.connect(A, 31_000));
  });

  it('lets an address in that holds another live stream: several publishers share it', () => {
    const admission = make();
    const connection = granted(admission.connect(A, 0));
    const stream = granted(admission.publish(asking({ keyId: 'k2' }), connection, 0));
    admission.startCooldown({ ip: A, keys: ['k1'] }, 1000, 'kicked', 0);
    const second = granted(admission.connect(A, 1));
    expect(refused(admission.publish(asking({ keyId: 'k1' }), second, 1))).toMatchObject({
      reason: 'cooldown',
      key: '/live/cam',
      retryAfterMs: 999,
    });
    granted(admission.publish(asking({ keyId: 'k3' }), second, 1)).release(1);
    stream.release(2);
    expect(refused(admission.connect(A, 2)).reason).toBe('cooldown');
  });

  it('only ever gets longer', () => {
    const admission = make();
    admission.startCooldown({ ip: A }, 1000, 'kicked', 0);
    admission.startCooldown({ ip: A }, 10, 'kicked', 0);
    expect(refused(admission.connect(A, 0)).retryAfterMs).toBe(1000);
    admission.startCooldown({ ip: A }, NEVER, 'kicked', 0);
    expect(refused(admission.connect(A, 1e12)).retryAfterMs).toBe(NEVER);
  });

  it('of no length is none', () => {
    const admission = make();
    admission.startCooldown({ ip: A, keys: ['k1'] }, 0, 'kicked', 0);
    granted(admission.publish(asking(), granted(admission.connect(A, 0)), 0));
    expect(admission.global().remembered).toBeGreaterThan(0);
  });
});

describe('leases', () => {
  const counts = (admission: Admission) => {
    const { connections, streams } = admission.global();
    return [connections, streams];
  };

  it('are given back once, in any order', () => {
    const admission = make();
    const connections: ConnectionLease[] = [];
    const streams: PublishLease[] = [];
    for (let i = 0; i < 3; i++) {
      const connection = granted(admission.connect(A, 0));
      connections.push(connection);
      streams.push(granted(admission.publish(asking(), connection, 0)));
    }
    for (const lease of [connections[0]!, connections[0]!, streams[1]!, streams[1]!]) lease.release(0);
    expect(counts(admission)).toEqual([2, 2]);
    for (const lease of [...connections, ...streams, ...connections]) lease.release(0);
    expect(counts(admission)).toEqual([0, 0]);
    expect([...admission.ips(0)]).toEqual([]);
  });
});

describe('configure', () => {
  it('puts new limits in force and keeps leases, rates and cooldowns', () => {
    const admission = make({ ip: { connection_rate: { count: 2, periodMs: 1000 } } });
    const lease = granted(admission.connect(A, 0));
    granted(admission.connect(A, 0));
    admission.startCooldown({ ip: B }, 500, 'kicked', 0);
    const over = {
      ip: { connection_rate: { count: 4, periodMs: 1000 }, max_connections: 3 },
      deny: ['10.0.0.9'],
    };
    admission.configure(config(over), 0);
    granted(admission.connect(A, 0));
    expect(refused(admission.connect(A, 0))).toMatchObject({ reason: 'ip_connections', observed: 3 });
    lease.release(0);
    granted(admission.connect(A, 0));
    expect(refused(admission.connect(A, 0)).reason).toBe('ip_connections');
    expect(refused(admission.connect(B, 0)).reason).toBe('cooldown');
    expect(refused(admission.connect('10.0.0.9', 0)).reason).toBe('denied');
    expect(admission.global().connections).toBe(3);
  });

  it('does not reset a rate that stays as it is', () => {
    const over = { global: { connection_rate: { count: 1, periodMs: 1000 } } };
    const admission = make(over);
    granted(admission.connect(A, 0));
    admission.configure(config(over), 0);
    expect(refused(admission.connect(A, 0)).retryAfterMs).toBe(1000);
  });

  it('takes the allow list into account at once', () => {
    const admission = make();
    expect(admission.isExempt(A)).toBe(false);
    admission.configure(config({ allow: ['10.0.0.0/24'] }), 0);
    expect(admission.isExempt('::ffff:10.0.0.1')).toBe(true);
    expect(admission.isExempt('nonsense')).toBe(false);
    expect(granted(admission.connect(A, 0)).exempt).toBe(true);
  });

  it('refuses a network that cannot be read', () => {
    expect(() => make({ deny: ['10.0.0.0/99'] })).toThrow(TypeError);
  });
});

describe('a server that has too much to do', () => {
  const rate = { count: 10, periodMs: 1000 };

  it('scales the rate of new connections, and says the rate that holds', () => {
    const admission = make({ global: { connection_rate: rate } });
    admission.setConnectionRateFactor(0.5, 0);
    for (let i = 0; i < 5; i++) granted(admission.connect(A, 0));
    expect(refused(admission.connect(A, 0))).toMatchObject({
      reason: 'global_connection_rate',
      limit: 5,
      observed: 6,
      retryAfterMs: 200,
    });
  });

  it('keeps what was consumed when the factor moves', () => {
    const admission = make({ global: { connection_rate: rate } });
    for (let i = 0; i < 10; i++) granted(admission.connect(A, 0));
    admission.setConnectionRateFactor(0.5, 0);
    expect(refused(admission.connect(A, 0)).retryAfterMs).toBe(200);
    admission.setConnectionRateFactor(0.5, 199);
    refused(admission.connect(A, 199));
    granted(admission.connect(A, 200));
  });

  it('lets somebody in now and then, however small the rate', () => {
    const admission = make({ global: { connection_rate: { count: 1, periodMs: 1000 } } });
    admission.setConnectionRateFactor(0.3, 0);
    granted(admission.connect(A, 0));
    expect(refused(admission.connect(A, 0)).retryAfterMs).toBeCloseTo(1000 / 0.3, 6);
    granted(admission.connect(A, 3334));
  });

  it('leaves a rate without bounds as it is, and addresses their own', () => {
    const unlimited = { count: Number.POSITIVE_INFINITY, periodMs: 1000 };
    const admission = make({ global: { connection_rate: unlimited }, ip: { connection_rate: rate } });
    admission.setConnectionRateFactor(0.1, 0);
    for (let i = 0; i < 10; i++) granted(admission.connect(A, 0));
    expect(refused(admission.connect(A, 0)).reason).toBe('ip_connection_rate');
    granted(admission.connect(B, 0));
  });

  it('scales a new config as well', () => {
    const admission = make({ global: { connection_rate: rate } });
    admission.setConnectionRateFactor(0.5, 0);
    admission.configure(config({ global: { connection_rate: { count: 4, periodMs: 1000 } } }), 0);
    granted(admission.connect(A, 0));
    granted(admission.connect(A, 0));
    expect(refused(admission.connect(A, 0)).limit).toBe(2);
  });

  it('tells the door the rate that holds', () => {
    const admission = make({ global: { connection_rate: rate } });
    let changes = 0;
    admission.watch(() => changes++);
    admission.setConnectionRateFactor(0.1, 0);
    expect(changes).toBe(1);
    granted(admission.connect(A, 0));
    const [everybody] = [...admission.refusals(() => LIMITS, 0)];
    expect(everybody).toMatchObject({ kind: 'all', denial: { reason: 'global_connection_rate', limit: 1 } });
  });
});
