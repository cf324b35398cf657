import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Admission, type ConnectionLease } from '../../src/core/admission/admission.ts';
import type { ClientLimits } from '../../src/core/limits.ts';
import type { AdmissionVerdict, Lease } from '../../src/core/verdict.ts';
import { IdentityDirectory } from '../../src/ingest/identity.ts';
import type { StreamRegistry } from '../../src/ingest/registry.ts';
import { codeOf } from '../../src/ingest/srt/codes.ts';
import { DoorTables } from '../../src/ingest/srt/door.ts';
import { doorRules } from '../../src/ingest/srt/rules.ts';
import { ipKey } from '../../src/lib/ip.ts';
import { type DoorVerdict, loadNative } from '../../src/native/binding.ts';

/**
 * The native door against the admission it speaks for. Callers come, publish,
 * leave, are cut and cooled down, in any order; before each the door is asked
 * first, and then the very admission. The door may let in whom admission then
 * refuses only where it says so: the owner of a path, and who has no stream to
 * hold. Whom it refuses admission refuses, also when time has gone on since the
 * door was told: a refusal ends at the very instant it ends in admission. Code
 * and reason are the same at the time of telling; later, of several reasons, the
 * one told first may be over.
 */

const { SrtDoorProbe } = loadNative();

const GLOBAL = { max_connections: 5, connection_rate: { count: 3, periodMs: 250 }, max_streams: 3 };
const PER_IP = { max_connections: 3, connection_rate: { count: 2, periodMs: 250 }, ipv6_prefix: 64 };
const LISTS = { allow: ['192.0.2.0/24'], deny: ['203.0.113.7', '2001:db8:bad::/48'] };
const LIMITS: ClientLimits = {
  max_streams: 2,
  max_bandwidth: 1e6,
  publish_rate: { count: 2, periodMs: 900 },
};

/** Those that can be let in more than once: most stories need one of them full, late or cooled down. */
const IPS = [
  ...['10.0.0.1', '10.0.0.1', '::ffff:10.0.0.1', '10.0.0.2', '2001:db8::1', '2001:db8::2', '192.0.2.9'],
  '203.0.113.7',
];
const DENIED_V6 = '2001:db8:bad::1';

const CLIENTS = [
  {
    id: 'alice',
    tier: 'pro',
    priority: 50,
    passphrase: null,
    keys: [
      { key: 'k-alice-1', name: 'alice-1' },
      { key: 'k-alice-2', name: 'stage' },
    ],
  },
  { id: 'bob', tier: null, priority: 50, passphrase: null, keys: [{ key: 'k-bob', name: 'bob-1' }] },
];

/** What callers ask for, by what identity.ts is asked with. */
const ASKED = {
  open: [
    { text: 'live/cam1', name: 'cam1', key: '' },
    { text: '#!::r=live/cam2,m=publish', name: 'cam2', key: '' },
    { text: 'publish:live/cam3', name: 'cam3', key: '' },
    { text: 'live/cam.4', name: 'cam.4', key: '' },
  ],
  keys: [
    { text: 'live/k-alice-1', name: 'k-alice-1', key: '' },
    { text: '#!::r=live/k-alice-2,m=publish', name: 'k-alice-2', key: '' },
    { text: '#!::r=live/cam1,m=publish,s=k-alice-1', name: 'cam1', key: 'k-alice-1' },
    { text: 'live/cam1?key=k-bob', name: 'cam1', key: 'k-bob' },
    { text: 'live/stage?key=k-bob', name: 'stage', key: 'k-bob' },
    { text: 'live/k-bob?key=k-alice-1', name: 'k-bob', key: 'k-alice-1' },
    { text: 'live/k-bob?key=k-bob', name: 'k-bob', key: 'k-bob' },
    { text: 'live/k.bad?key=k-bob', name: 'k.bad', key: 'k-bob' },
    { text: 'live/wrong', name: 'wrong', key: '' },
  ],
} as const;

interface Live {
  readonly identity: { readonly path: string; readonly keyId: string; readonly protocol: 'srt' };
  readonly ip: string;
  readonly client: string;
  readonly leases: readonly Lease[];
}

class World {
  now = 1000;
  readonly live: Live[] = [];
  readonly #idle: ConnectionLease[] = [];
  readonly #admission = new Admission({ limits: { global: GLOBAL, ip: PER_IP }, ...LISTS });
  readonly #identities: IdentityDirectory;
  readonly #tables: DoorTables;
  readonly #door = new SrtDoorProbe();
  readonly #mode: 'open' | 'keys';
  #full = false;
  #toldAt = 0;

  constructor(mode: 'open' | 'keys') {
    this.#mode = mode;
    this.#identities = new IdentityDirectory({ mode, clients: CLIENTS, ipv6Prefix: PER_IP.ipv6_prefix });
    const registry = { all: () => this.live } as unknown as StreamRegistry;
    const world = this;
    this.#tables = new DoorTables({
      admission: this.#admission,
      registry,
      playback: {
        get full() {
          return world.#full;
        },
      },
      mode: () => mode,
      limitsOf: () => LIMITS,
    });
    this.#door.setRules(
      doorRules({ mode, ipv6Prefix: PER_IP.ipv6_prefix, ...LISTS, clients: CLIENTS, policies: [] }, null),
    );
  }

  tell(): void {
    this.#toldAt = this.now;
    if (this.#tables.rebuild(this.now)) this.#door.setEntries(this.#tables.entries(), this.#tables.version);
  }

  judge(ip: string, text: string): DoorVerdict {
    return this.#door.judge(ip, Buffer.from(text), this.now);
  }

  /** The reason that the door's number stands for. */
  reasonOf({ version, cause, path, client }: DoorVerdict, ip: string): string | undefined {
    const caller = { ipKey: ipKey(ip, PER_IP.ipv6_prefix), path, client };
    return this.#tables.decisionOf(version, cause, caller, this.now)?.reason;
  }

  /** Asks the door, then publishes; leaves the stream live when it may be. */
  arrive(ip: string, asked: { text: string; name: string; key: string }): void {
    const told = this.judge(ip, asked.text);
    const connection = this.#admission.connect(ip, this.now);
    if (!connection.allowed) {
      this.#expectRefused(told, connection, ip);
      return;
    }
    const query = new URLSearchParams(asked.key === '' ? '' : { key: asked.key });
    const identity = this.#identities.resolve({ app: 'live', streamName: asked.name, query, ip });
    if (!identity.ok) {
      expect(told.code, asked.text).toBe(codeOf(identity.reason));
      expect(told.cause, asked.text).toBe(identity.reason === 'auth_failed' ? -2 : -1);
      connection.lease.release(this.now);
      return;
    }
    const named = { path: `/live/${identity.publicName}`, client: identity.client };
    const occupant = this.live.find((stream) => stream.identity.path === named.path);
    const verdict = this.#admission.publish(
      {
        ...named,
        keyId: identity.keyId,
        limits: LIMITS,
        occupant: occupant === undefined ? null : { takeover: false, lease: null },
      },
      connection.lease,
      this.now,
    );
    if (verdict.allowed) {
      expect(told, asked.text).toMatchObject({ code: 0, cause: 0, ...named, play: false });
      const { keyId } = identity;
      const leases = [verdict.lease, connection.lease];
      this.live.push({
        identity: { path: named.path, keyId, protocol: 'srt' },
        ip,
        client: named.client,
        leases,
      });
      return;
    }
    connection.lease.release(this.now);
    const isOwner = occupant?.identity.keyId === identity.keyId;
    if (told.code === 0 && isOwner) return;
    this.#expectRefused(told, verdict, ip);
    expect(told).toMatchObject(named);
  }

  /** A connection that holds a place and publishes nothing. */
  linger(ip: string): void {
    const verdict = this.#admission.connect(ip, this.now);
    if (verdict.allowed) this.#idle.push(verdict.lease);
  }

  leave(which: number): void {
    const [stream] = this.live.splice(which % Math.max(1, this.live.length), 1);
    for (const lease of stream?.leases ?? []) lease.release(this.now);
    if (stream === undefined) this.#idle.shift()?.release(this.now);
  }

  cut(which: number, ms: number): void {
    const stream = this.live[which % Math.max(1, this.live.length)];
    if (stream === undefined) return;
    const { ip, identity } = stream;
    this.#admission.startCooldown({ ip, keys: [identity.keyId] }, ms, 'kicked', this.now);
    this.leave(which);
  }

  drain(on: boolean): void {
    this.#admission.setDraining(on);
  }

  fill(on: boolean): void {
    this.#full = on;
  }

  play(ip: string, name: string): void {
    const told = this.judge(ip, `#!::r=live/${name},m=request`);
    const connection = this.#admission.connect(ip, this.now);
    if (!connection.allowed) {
      this.#expectRefused(told, connection, ip);
      return;
    }
    connection.lease.release(this.now);
    const there = this.live.some(({ identity }) => identity.path === `/live/${name}`);
    const wanted = there ? (this.#full ? 1402 : 0) : 1404;
    expect(told).toMatchObject({ code: wanted, play: true, client: '' });
    expect(told.path).toBe(there || this.#mode === 'open' ? `/live/${name}` : '');
  }

  #expectRefused(told: DoorVerdict, verdict: AdmissionVerdict<Lease>, ip: string): void {
    if (verdict.allowed) throw new Error('it was let in');
    expect(told.code, verdict.reason).not.toBe(0);
    if (this.now > this.#toldAt) return;
    expect(told.code, verdict.reason).toBe(codeOf(verdict.reason));
    if (told.cause > 0) expect(this.reasonOf(told, ip)).toBe(verdict.reason);
    else expect([told.cause, verdict.reason]).toEqual([-3, 'denied']);
  }
}

type Step = (world: World) => void;

function steps(mode: 'open' | 'keys'): fc.Arbitrary<Step> {
  const ip = fc.oneof(
    { weight: 15, arbitrary: fc.constantFrom(...IPS) },
    { weight: 1, arbitrary: fc.constant(DENIED_V6) },
  );
  const asked = fc.constantFrom(...ASKED[mode]);
  const which = fc.nat({ max: 9 });
  const arrive = fc.tuple(ip, asked).map(
    ([from, what]): Step =>
      (world) =>
        world.arrive(from, what),
  );
  return fc.oneof(
    { weight: 12, arbitrary: arrive },
    {
      weight: 2,
      arbitrary: ip.map(
        (from): Step =>
          (world) =>
            world.linger(from),
      ),
    },
    {
      weight: 3,
      arbitrary: which.map(
        (at): Step =>
          (world) =>
            world.leave(at),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(which, fc.integer({ min: 1, max: 500 })).map(
        ([at, ms]): Step =>
          (world) =>
            world.cut(at, ms),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.boolean().map(
        (on): Step =>
          (world) =>
            world.drain(on),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.boolean().map(
        (on): Step =>
          (world) =>
            world.fill(on),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(ip, fc.constantFrom('cam1', 'alice-1', 'k-alice-1')).map(
        ([from, name]): Step =>
          (world) =>
            world.play(from, name),
      ),
    },
  );
}

describe.each(['open', 'keys'] as const)('in %s mode', (mode) => {
  it('the door says what admission says, at once and after a while', () => {
    const later = fc.oneof(fc.constant(0), fc.nat({ max: 60 }));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(steps(mode), fc.nat({ max: 60 }), later), {
          minLength: 1,
          maxLength: 40,
          size: 'max',
        }),
        (script) => {
          const world = new World(mode);
          for (const [step, beforeMs, afterMs] of script) {
            world.now += beforeMs;
            world.tell();
            world.now += afterMs;
            step(world);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

it('a caller is told of no rules before there are any', () => {
  expect(new SrtDoorProbe().judge('10.0.0.1', Buffer.from('cam1'), 0)).toMatchObject({
    code: 1503,
    cause: -5,
  });
});

it('tables that make no sense are refused, and the ones before stay in force', () => {
  const door = new SrtDoorProbe();
  const rules = doorRules(
    { mode: 'open', ipv6Prefix: 64, allow: [], deny: [], clients: [], policies: [] },
    null,
  );
  door.setRules(rules);
  door.setEntries([{ kind: 'all', code: 1402, until: 5 }], 1);
  expect(() => door.setRules({ ...rules, deny: ['nowhere'] })).toThrow(TypeError);
  expect(() => door.setRules({ ...rules, ipv6Prefix: 129 })).toThrow(TypeError);
  expect(() => door.setRules({ ...rules, mode: 'shut' as never })).toThrow(TypeError);
  expect(() => door.setEntries([{ kind: 'none' as never, code: 1402, until: 5 }], 2)).toThrow(TypeError);
  expect(() => door.setEntries([{ kind: 'all', code: 1402, until: Number.NaN }], 2)).toThrow(TypeError);
  expect(() => door.setEntries([{ kind: 'all', code: 7, until: 5 }], 2)).toThrow(TypeError);
  expect(() => door.setEntries([], -1)).toThrow(TypeError);
  expect(door.judge('10.0.0.1', Buffer.from('cam1'), 4)).toMatchObject({ code: 1402, cause: 1, version: 1 });
  expect(door.judge('10.0.0.1', Buffer.from('cam1'), 5)).toMatchObject({ code: 0 });
  door.setEntries([{ kind: 'address', address: 'unknown', code: 1402, until: Number.POSITIVE_INFINITY }], 2);
  expect(door.judge('0.0.0.0', Buffer.from('cam1'), 5)).toMatchObject({ code: 0, version: 2 });
});
