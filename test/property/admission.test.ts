import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Admission, type ConnectionLease, type PublishLease } from '../../src/core/admission/admission.ts';
import { nextBelow } from '../../src/core/limiter/instants.ts';
import type { ClientLimits, EventRate } from '../../src/core/limits.ts';
import type { AdmissionVerdict, Denial, Lease } from '../../src/core/verdict.ts';

/**
 * Admission against a model that keeps every lease, every admitted event and
 * every cooldown in a list and works each answer out from the whole history.
 * Times and intervals are whole milliseconds, so the model's sums are exact.
 */

const GLOBAL = { max_connections: 6, connection_rate: { count: 4, periodMs: 400 }, max_streams: 2 };
const PER_IP = { max_connections: 3, connection_rate: { count: 2, periodMs: 400 }, ipv6_prefix: 64 };
const CONFIG = { limits: { global: GLOBAL, ip: PER_IP }, allow: ['192.0.2.0/24'], deny: ['203.0.113.7'] };

const IPS = [
  { ip: '10.0.0.1', key: '10.0.0.1' },
  { ip: '::ffff:10.0.0.1', key: '10.0.0.1' },
  { ip: '10.0.0.2', key: '10.0.0.2' },
  { ip: '2001:db8::1', key: '2001:db8::/64' },
  { ip: '2001:db8::2', key: '2001:db8::/64' },
  { ip: '192.0.2.9', key: '192.0.2.9', exempt: true },
  { ip: '203.0.113.7', key: '203.0.113.7', denied: true },
] as const;
type From = (typeof IPS)[number];

const LIMITS: readonly ClientLimits[] = [
  { max_streams: 2, max_bandwidth: 1e6, publish_rate: { count: 3, periodMs: 600 } },
  { max_streams: 1, max_bandwidth: 1e6, publish_rate: { count: 1, periodMs: 100 } },
  { max_streams: 0, max_bandwidth: 1e6, publish_rate: { count: 3, periodMs: 600 } },
  { max_streams: 9, max_bandwidth: 1e6, publish_rate: { count: 0, periodMs: 1000 } },
];

/** Hint for room under a cap, and the ledger's allowance for rounding, both ms. */
const HINT = 1000;
const SLACK = 0.001;

interface Connection {
  readonly from: From;
  readonly lease: ConnectionLease;
  held: boolean;
}

interface Stream {
  readonly from: From;
  readonly client: string;
  readonly lease: PublishLease;
  held: boolean;
}

const interval = (rate: EventRate): number => rate.periodMs / rate.count;
const cap = (held: number, limit: number): number =>
  held < limit ? 0 : limit === 0 ? Number.POSITIVE_INFINITY : HINT;
const until = (instant: number, now: number): number => Math.max(0, instant - now);

class Model {
  now = 1000;
  readonly connections: Connection[] = [];
  readonly streams: Stream[] = [];
  readonly connects: { readonly at: number; readonly key: string }[] = [];
  readonly publishes: { readonly at: number; readonly client: string; readonly costMs: number }[] = [];
  readonly cooldowns: { readonly key: string; readonly untilMs: number }[] = [];

  held(key?: string): number {
    return this.connections.filter((c) => c.held && (key === undefined || c.from.key === key)).length;
  }

  live(client?: string): number {
    return this.streams.filter((s) => s.held && (client === undefined || s.client === client)).length;
  }

  cooldown(key: string): number {
    return Math.max(0, ...this.cooldowns.filter((c) => c.key === key).map((c) => until(c.untilMs, this.now)));
  }

  connectWaits(from: From): [string, number][] {
    if ('denied' in from) return [['denied', Number.POSITIVE_INFINITY]];
    if ('exempt' in from) return [];
    const rateWait = (rate: EventRate, times: readonly number[]): number => {
      const tat = times.reduce((sum, at) => Math.max(sum, at) + interval(rate), 0);
      return until(tat + interval(rate) - rate.periodMs, this.now);
    };
    const fromHere = this.connects.filter((c) => c.key === from.key);
    const shared = this.streams.some((s) => s.held && s.from.key === from.key);
    return [
      ['cooldown', shared ? 0 : this.cooldown(`ip ${from.key}`)],
      ['global_connections', cap(this.held(), GLOBAL.max_connections)],
      [
        'global_connection_rate',
        rateWait(
          GLOBAL.connection_rate,
          this.connects.map((c) => c.at),
        ),
      ],
      ['ip_connections', cap(this.held(from.key), PER_IP.max_connections)],
      [
        'ip_connection_rate',
        rateWait(
          PER_IP.connection_rate,
          fromHere.map((c) => c.at),
        ),
      ],
    ];
  }

  publishWaits(ask: PublishAsk, connection: Connection, occupant: Stream | null): [string, number][] {
    const { client, limits } = ask;
    const waits: [string, number][] = [['cooldown', this.cooldown(`key ${ask.keyId}`)]];
    const duplicate: [string, number] = ['stream_duplicate', occupant !== null && !ask.takeover ? HINT : 0];
    if ('exempt' in connection.from) return [...waits, duplicate];
    const ghost = occupant !== null && ask.takeover && occupant.held ? occupant : null;
    const own = this.live(client) - (ghost?.client === client ? 1 : 0);
    const rate = limits.publish_rate;
    const tat = this.publishes
      .filter((p) => p.client === client)
      .reduce((sum, p) => Math.max(sum, p.at) + p.costMs, 0);
    const ahead = rate.periodMs - interval(rate) + SLACK;
    const rateWait = rate.count === 0 ? Number.POSITIVE_INFINITY : until(tat - ahead, this.now);
    return [
      ...waits,
      ['client_streams', cap(own, limits.max_streams)],
      ['client_publish_rate', rateWait],
      duplicate,
      ['global_streams', cap(this.live() - (ghost ? 1 : 0), GLOBAL.max_streams)],
    ];
  }
}

interface PublishAsk {
  readonly client: string;
  readonly keyId: string;
  readonly limits: ClientLimits;
  readonly takeover: boolean;
}

type Op =
  | { readonly op: 'wait'; readonly ms: number }
  | { readonly op: 'connect'; readonly from: From }
  | {
      readonly op: 'publish';
      readonly at: number;
      readonly occupant: number | null;
      readonly ask: PublishAsk;
    }
  | { readonly op: 'leave' | 'end'; readonly at: number }
  | { readonly op: 'cool'; readonly from: From | null; readonly keys: string[]; readonly ms: number }
  | { readonly op: 'evict' };

const ask = fc.record({
  client: fc.constantFrom('alice', 'bob'),
  keyId: fc.constantFrom('k1', 'k2'),
  limits: fc.constantFrom(...LIMITS, LIMITS[0]!, LIMITS[0]!),
  takeover: fc.boolean(),
});
const connect = fc.record({ op: fc.constant('connect' as const), from: fc.constantFrom(...IPS) });
const publish = fc.record({
  op: fc.constant('publish' as const),
  at: fc.nat(20),
  occupant: fc.option(fc.nat(20), { freq: 2 }),
  ask,
});
const op: fc.Arbitrary<Op> = fc.oneof(
  connect,
  connect,
  publish,
  publish,
  fc.record({ op: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 250 }) }),
  fc.record({ op: fc.constantFrom('leave' as const, 'end' as const), at: fc.nat(20) }),
  fc.record({
    op: fc.constant('cool' as const),
    from: fc.option(fc.constantFrom(...IPS)),
    keys: fc.subarray(['k1', 'k2']),
    ms: fc.constantFrom(0, 50, 300),
  }),
  fc.constant({ op: 'evict' as const }),
);

class Bench {
  readonly admission = new Admission(CONFIG);
  readonly model = new Model();

  /** Compares one verdict with the waits the model found; retries a timed refusal at the promised instant. */
  check<L extends Lease>(
    question: (now: number) => AdmissionVerdict<L>,
    waits: () => [string, number][],
    admitted: (lease: L) => void,
  ): void {
    const verdict = question(this.model.now);
    const failing = waits().filter(([, ms]) => ms > 0);
    expect(verdict.allowed ? 'allowed' : verdict.reason).toBe(failing[0]?.[0] ?? 'allowed');
    if (verdict.allowed) admitted(verdict.lease);
    else {
      expect(verdict.retryAfterMs).toBeCloseTo(Math.max(...failing.map(([, ms]) => ms)), 6);
      const capped = failing.some(([reason, ms]) => ms === HINT && !/rate|cooldown/.test(reason));
      if (!capped && verdict.retryAfterMs < Number.POSITIVE_INFINITY)
        this.#retry(verdict, question, admitted);
    }
  }

  #retry<L extends Lease>(
    denial: Denial,
    question: (now: number) => AdmissionVerdict<L>,
    admitted: (lease: L) => void,
  ): void {
    const promised = this.model.now + denial.retryAfterMs;
    const early = question(nextBelow(promised));
    expect(early.allowed, 'one instant earlier is denied').toBe(false);
    this.model.now = promised;
    const again = question(promised);
    expect(again.allowed, 'at the promised instant it passes').toBe(true);
    if (again.allowed) admitted(again.lease);
  }

  connect(from: From): void {
    this.check(
      (now) => this.admission.connect(from.ip, now),
      () => this.model.connectWaits(from),
      (lease) => {
        expect(lease).toMatchObject({ ip: from.ip, ipKey: from.key, exempt: 'exempt' in from, held: true });
        this.model.connections.push({ from, lease, held: true });
        if (!('exempt' in from)) this.model.connects.push({ at: this.model.now, key: from.key });
      },
    );
  }

  publish(connection: Connection, occupant: Stream | null, asked: PublishAsk): void {
    const request = {
      client: asked.client,
      keyId: asked.keyId,
      path: '/live/x',
      limits: asked.limits,
      occupant: occupant === null ? null : { takeover: asked.takeover, lease: occupant.lease },
    };
    this.check(
      (now) => this.admission.publish(request, connection.lease, now),
      () => this.model.publishWaits(asked, connection, occupant),
      (lease) => {
        if (occupant !== null && asked.takeover) occupant.held = false;
        this.model.streams.push({ from: connection.from, client: asked.client, lease, held: true });
        if ('exempt' in connection.from) return;
        const costMs = interval(asked.limits.publish_rate);
        this.model.publishes.push({ at: this.model.now, client: asked.client, costMs });
      },
    );
  }

  apply(step: Op): void {
    const { model, admission } = this;
    switch (step.op) {
      case 'wait':
        model.now += step.ms;
        return;
      case 'connect':
        this.connect(step.from);
        return;
      case 'publish': {
        const open = model.connections.filter((c) => c.held);
        const connection = open[step.at % open.length];
        const { streams } = model;
        const occupant = step.occupant === null ? null : (streams[step.occupant % streams.length] ?? null);
        if (connection !== undefined) this.publish(connection, occupant, step.ask);
        return;
      }
      case 'leave':
      case 'end': {
        const leases = step.op === 'leave' ? model.connections : model.streams;
        const chosen = leases[step.at % leases.length];
        if (chosen === undefined) return;
        chosen.lease.release(model.now);
        chosen.held = false;
        return;
      }
      case 'cool': {
        const { from, keys, ms } = step;
        admission.startCooldown({ ...(from && { ip: from.ip }), keys }, ms, 'kicked', model.now);
        const untilMs = model.now + ms;
        if (from !== null) model.cooldowns.push({ key: `ip ${from.key}`, untilMs });
        for (const key of keys) model.cooldowns.push({ key: `key ${key}`, untilMs });
        return;
      }
      case 'evict':
        admission.evictIdle(model.now, 100);
    }
  }

  compareCounts(): void {
    const { model, admission } = this;
    const { connections, streams } = admission.global();
    const clients = ['alice', 'bob'].map((client) => admission.clientStreams(client));
    const shown = [...admission.ips(model.now)].map((one) => [
      one.key,
      one.connections,
      one.streams,
      one.cooldownMs,
    ]);
    const expected = [...new Set(IPS.map(({ key }) => key))].map((key) => [
      key,
      model.held(key),
      model.streams.filter((s) => s.held && s.from.key === key).length,
      model.cooldown(`ip ${key}`),
    ]);
    expect([connections, streams, clients, shown.sort()]).toEqual([
      model.held(),
      model.live(),
      ['alice', 'bob'].map((client) => model.live(client)),
      expected.filter(([, ...counts]) => counts.some((count) => count !== 0)).sort(),
    ]);
  }

  leaveAll(): void {
    for (const { lease } of [...this.model.streams, ...this.model.connections]) {
      lease.release(this.model.now);
      lease.release(this.model.now);
    }
    this.model.now += 1e6;
    this.admission.evictIdle(this.model.now, 1000);
  }
}

describe('Admission', () => {
  it('answers, counts and promises as the whole history says, and ends empty', () => {
    fc.assert(
      fc.property(fc.array(op, { minLength: 10, maxLength: 60 }), (ops) => {
        const bench = new Bench();
        for (const step of ops) {
          bench.apply(step);
          bench.compareCounts();
        }
        bench.leaveAll();
        expect(bench.admission.global()).toMatchObject({
          connections: 0,
          streams: 0,
          remembered: 0,
          forgotten: 0,
        });
        expect([...bench.admission.ips(bench.model.now)]).toEqual([]);
        expect([...bench.admission.clients()]).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});
