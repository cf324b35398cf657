import {
  addressKey,
  CidrSet,
  type IpAddress,
  ipKey,
  parseCidr,
  parseIp,
  UNKNOWN_IP_KEY,
} from '../../lib/ip.ts';
import { Gcra } from '../limiter/gcra.ts';
import { KeyedGcra } from '../limiter/keyed.ts';
import type { ClientLimits, EventRate } from '../limits.ts';
import type { AdmissionVerdict, Denial } from '../verdict.ts';
import { type ClientUse, publishRateUsed, publishWaitMs } from './client-ledger.ts';
import { Cooldowns } from './cooldowns.ts';
import { CAP_RETRY_HINT_MS, capRefusal, capWaitMs, rateRefusal, refusal } from './denials.ts';
import { ConnectionGrant, type ConnectionLease, PublishGrant, type PublishLease } from './leases.ts';
import { type AddressUse, Occupancy } from './occupancy.ts';
import type {
  AddressSnapshot,
  AdmissionConfig,
  CooldownSubject,
  GateCheck,
  GlobalSnapshot,
  PublishRequest,
} from './questions.ts';
import { inForce, type Refusal } from './refusals.ts';

export type { ConnectionLease, PublishLease } from './leases.ts';

/**
 * Addresses with a rate window, clients with one, and cooldowns of each kind
 * kept at once while they hold nothing. An entry costs about 100 bytes; a window
 * empties within its period, so this holds 65,536 different newcomers a period.
 * Past it a new address is told when the next row comes free (see `KeyedGcra`);
 * clients and cooldowns forget the oldest.
 */
const REMEMBERED_MAX = 65_536;

/**
 * May this connection be opened, may this stream be published?
 *
 * Each question looks at every level before it takes anything at any: a denied
 * attempt consumes nothing. The denial names the first level that failed, in
 * the order of the checks; its delay is the longest of all that failed, so that
 * a retry then passes if nothing else happened. Caps cannot promise that and
 * give `CAP_RETRY_HINT_MS`.
 *
 * What is taken is a lease, released once when the socket closes. Rates are
 * charged by what was admitted and are not given back.
 */
export class Admission {
  readonly #gates: readonly GateCheck[];
  readonly #occupancy = new Occupancy(REMEMBERED_MAX);
  readonly #addressCooldowns = new Cooldowns(REMEMBERED_MAX);
  readonly #keyCooldowns = new Cooldowns(REMEMBERED_MAX);
  readonly #globalRate: Gcra;
  readonly #ipRate: KeyedGcra;
  #limits: AdmissionConfig['limits'];
  /** of new connections in all: the configured one times the factor */
  #rateInForce: EventRate;
  #rateFactor = 1;
  #allow: CidrSet;
  #deny: CidrSet;
  #draining = false;

  /** Throws TypeError for a network that cannot be read: config is validated before. */
  constructor(config: AdmissionConfig, gates: readonly GateCheck[] = []) {
    this.#gates = gates;
    this.#limits = config.limits;
    this.#allow = networks(config.allow);
    this.#deny = networks(config.deny);
    this.#rateInForce = config.limits.global.connection_rate;
    this.#globalRate = new Gcra(this.#rateInForce);
    this.#ipRate = new KeyedGcra({ ...config.limits.ip.connection_rate, capacity: REMEMBERED_MAX });
  }

  /**
   * Puts new limits in force. Leases, consumed rates and cooldowns stay; a
   * connection keeps the address key and exemption it came in with.
   */
  configure(config: AdmissionConfig, now: number): void {
    const { ip } = config.limits;
    this.#allow = networks(config.allow);
    this.#deny = networks(config.deny);
    if (differ(ip.connection_rate, this.#limits.ip.connection_rate)) {
      this.#ipRate.setRate(ip.connection_rate, now);
    }
    this.#limits = config.limits;
    this.#scaleRate(now);
    this.#occupancy.changed();
  }

  /** Scales the rate of new connections in all by 0..1: the server has more to do than is good for it. */
  setConnectionRateFactor(factor: number, now: number): void {
    if (factor === this.#rateFactor) return;
    this.#rateFactor = factor;
    this.#scaleRate(now);
    this.#occupancy.changed();
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** While draining nobody is let in, and told never to return to this process. */
  setDraining(draining: boolean): void {
    this.#draining = draining;
    this.#occupancy.changed();
  }

  /** `changed` is called whenever answers may have become others but by the passing of time. One watcher at a time. */
  watch(changed: () => void): void {
    this.#occupancy.changed = changed;
  }

  /** Asked for every accepted socket before a byte is read. */
  connect(ip: string, now: number): AdmissionVerdict<ConnectionLease> {
    const address = parseIp(ip);
    const key = this.#keyOf(ip, address);
    if (address !== null && this.#deny.has(address)) return refusal('denied', key, Number.POSITIVE_INFINITY);
    const exempt = address !== null && this.#allow.has(address);
    const closed = this.#closed(now, exempt);
    if (closed !== null && (exempt || this.#draining)) return closed;
    const use = this.#occupancy.addresses.get(key);
    if (exempt) return new ConnectionGrant(this.#occupancy, use, ip, key, true);
    const denial = this.#refuses(key, use, closed, now);
    if (denial !== null) return denial;
    this.#globalRate.take(1, now);
    this.#ipRate.take(key, 1, now);
    return new ConnectionGrant(this.#occupancy, use, ip, key, false);
  }

  /** What keeps an address that is not on a list from connecting now; takes nothing. */
  #refuses(key: string, use: AddressUse | undefined, closed: Denial | null, now: number): Denial | null {
    const { global, ip: perIp } = this.#limits;
    // An address that holds a live stream is shared by several publishers; their keys decide at publish.
    const shared = use !== undefined && use.streams > 0;
    const cooldownMs = shared ? 0 : this.#addressCooldowns.remainingMs(key, now);
    const globalCapMs = capWaitMs(this.#occupancy.connections, global.max_connections);
    const globalRateMs = this.#globalRate.peek(1, now);
    const held = use === undefined ? 0 : use.connections;
    const ipCapMs = capWaitMs(held, perIp.max_connections);
    const ipRateMs = this.#ipRate.peek(key, 1, now);
    const waitMs = Math.max(cooldownMs, globalCapMs, globalRateMs, ipCapMs, ipRateMs);
    if (closed !== null) return later(closed, waitMs);
    if (waitMs === 0) return null;
    if (cooldownMs > 0) return refusal('cooldown', key, waitMs);
    if (globalCapMs > 0) {
      const { connections } = this.#occupancy;
      return capRefusal('global_connections', 'global', global.max_connections, connections, waitMs);
    }
    if (globalRateMs > 0) {
      return rateRefusal('global_connection_rate', 'global', this.#rateInForce, globalRateMs, waitMs);
    }
    if (ipCapMs > 0) return capRefusal('ip_connections', key, perIp.max_connections, held, waitMs);
    return rateRefusal('ip_connection_rate', key, perIp.connection_rate, ipRateMs, waitMs);
  }

  /**
   * Asked once per publish, after authentication. With a takeover the ghost's
   * lease counts as given back, and is released in the same step as the grant.
   * Throws when the connection was already released: its streams could never end.
   */
  publish(request: PublishRequest, connection: ConnectionLease, now: number): AdmissionVerdict<PublishLease> {
    if (!(connection instanceof ConnectionGrant) || !connection.held) {
      throw new TypeError('publish on a connection that is not held');
    }
    const { client, path, limits, occupant } = request;
    const { exempt } = connection;
    const closed = this.#closed(now, exempt) ?? request.short ?? null;
    if (closed !== null && this.#draining) return closed;

    const ghost = occupant?.takeover === true && occupant.lease?.held === true ? occupant.lease : null;
    const use = this.#occupancy.clients.find(client);
    const ghosts = ghost !== null && ghost.client === client ? 1 : 0;
    const clientStreams = (use === undefined ? 0 : use.streams) - ghosts;
    const streams = this.#occupancy.streams - (ghost !== null ? 1 : 0);
    const cooldownMs = this.#keyCooldowns.remainingMs(request.keyId, now);
    const clientCapMs = exempt ? 0 : capWaitMs(clientStreams, limits.max_streams);
    const clientRateMs = exempt ? 0 : publishWaitMs(use, limits.publish_rate, now);
    const duplicateMs = occupant !== null && !occupant.takeover ? CAP_RETRY_HINT_MS : 0;
    const { max_streams } = this.#limits.global;
    const globalCapMs = exempt ? 0 : capWaitMs(streams, max_streams);
    const waitMs = Math.max(cooldownMs, clientCapMs, clientRateMs, duplicateMs, globalCapMs);
    if (waitMs === 0 && closed === null) {
      const rate = exempt ? null : limits.publish_rate;
      const taken = this.#occupancy.addStream(connection.use, use, client, rate, now);
      ghost?.release(now);
      return new PublishGrant(this.#occupancy, connection.use, taken);
    }
    if (closed !== null) return later(closed, waitMs);
    if (cooldownMs > 0) return refusal('cooldown', path, waitMs);
    if (clientCapMs > 0)
      return capRefusal('client_streams', client, limits.max_streams, clientStreams, waitMs);
    if (clientRateMs > 0) {
      return rateRefusal('client_publish_rate', client, limits.publish_rate, clientRateMs, waitMs);
    }
    if (duplicateMs > 0) return refusal('stream_duplicate', path, waitMs);
    return capRefusal('global_streams', 'global', max_streams, streams, waitMs);
  }

  /**
   * Refuses a subject for `ms` from now, because of `cause` (a reason word). A
   * running cooldown only ever gets longer. 0 ms starts none.
   */
  startCooldown(subject: CooldownSubject, ms: number, cause: string, now: number): void {
    const { ip, keys = [] } = subject;
    if (ip !== undefined) {
      this.#addressCooldowns.start(ipKey(ip, this.#limits.ip.ipv6_prefix), ms, cause, now);
    }
    for (const keyId of keys) this.#keyCooldowns.start(keyId, ms, cause, now);
    this.#occupancy.changed();
  }

  /**
   * Everybody who would be refused now, in the order of the checks: what a door
   * in front of this admission may repeat without asking it. `limitsOf` gives
   * the limits of a client. Left out is what only the question itself tells:
   * who already has a path, clients that may have no stream at all, and
   * addresses that are turned away because too many others are remembered.
   */
  *refusals(limitsOf: (client: string) => ClientLimits, now: number): Generator<Refusal> {
    const closed = this.#closed(now, false);
    if (!this.#draining) yield* this.#refusedAddresses(closed, now);
    const everybody = this.#draining ? closed : this.#refusesStrangers(closed, now);
    if (everybody !== null) {
      const { connections } = this.#occupancy;
      const capped = capWaitMs(connections, this.#limits.global.max_connections) > 0;
      yield inForce('all', '', everybody, closed !== null || capped, now, this.#closed(now, true) !== null);
    }
    for (const [keyId] of this.#keyCooldowns.running(now)) {
      const waitMs = this.#keyCooldowns.remainingMs(keyId, now);
      yield inForce('key', keyId, refusal('cooldown', keyId, waitMs), false, now);
    }
    yield* this.#refusedClients(limitsOf, now);
    const { streams } = this.#occupancy;
    const { max_streams } = this.#limits.global;
    const waitMs = capWaitMs(streams, max_streams);
    if (waitMs > 0) {
      const full = capRefusal('global_streams', 'global', max_streams, streams, waitMs);
      yield inForce('publishers', '', full, true, now);
    }
  }

  *#refusedAddresses(closed: Denial | null, now: number): Generator<Refusal> {
    const keys = new Set(this.#ipRate.exhausted(now));
    const { addresses, connections } = this.#occupancy;
    const { global, ip } = this.#limits;
    for (const use of addresses.values()) if (use.connections >= ip.max_connections) keys.add(use.key);
    for (const [key] of this.#addressCooldowns.running(now)) keys.add(key);
    const full = connections >= global.max_connections;
    for (const key of keys) {
      const use = addresses.get(key);
      const denial = this.#refuses(key, use, closed, now);
      if (denial === null) continue;
      const capped = full || (use !== undefined && use.connections >= ip.max_connections);
      yield inForce('address', key, denial, closed !== null || capped, now);
    }
  }

  /** What an address is answered of which nothing is known, but for a table with no room for it. */
  #refusesStrangers(closed: Denial | null, now: number): Denial | null {
    const denial = this.#refuses('', undefined, closed, now);
    const crowded = denial?.reason === 'ip_connection_rate' && denial.retryAfterMs < Number.POSITIVE_INFINITY;
    return crowded ? null : denial;
  }

  *#refusedClients(limitsOf: (client: string) => ClientLimits, now: number): Generator<Refusal> {
    for (const use of this.#occupancy.clients.all()) {
      const { client, streams } = use;
      const { max_streams, publish_rate } = limitsOf(client);
      const capMs = capWaitMs(streams, max_streams);
      const rateMs = publishWaitMs(use, publish_rate, now);
      const waitMs = Math.max(capMs, rateMs);
      if (waitMs === 0) continue;
      const denial =
        capMs > 0
          ? capRefusal('client_streams', client, max_streams, streams, waitMs)
          : rateRefusal('client_publish_rate', client, publish_rate, rateMs, waitMs);
      yield inForce('client', client, denial, capMs > 0, now);
    }
  }

  /** True for an address on the `allow` list as it is now; a lease keeps what held when it was taken. */
  isExempt(ip: string): boolean {
    const address = parseIp(ip);
    return address !== null && this.#allow.has(address);
  }

  /** Clients that hold a stream. */
  clients(): Iterable<Readonly<ClientUse>> {
    return this.#occupancy.clients.holding();
  }

  /** Streams a client holds now. */
  clientStreams(client: string): number {
    return this.#occupancy.clients.find(client)?.streams ?? 0;
  }

  /** How much of a publish rate a client has used up, 0 to 1. */
  publishRateUsed(client: string, rate: EventRate, now: number): number {
    return publishRateUsed(this.#occupancy.clients.find(client), rate, now);
  }

  /** Addresses that hold a connection or a stream, then those in cooldown that hold nothing. */
  *ips(now: number): Generator<AddressSnapshot> {
    const cooldowns = new Map(this.#addressCooldowns.running(now));
    const told = (key: string, { connections, exempt, streams } = NOTHING_HELD): AddressSnapshot => {
      const cooldown = cooldowns.get(key);
      cooldowns.delete(key);
      const left = this.#ipRate.remaining(key, now) / this.#ipRate.burst;
      return {
        key,
        connections,
        streams,
        exempt: connections > 0 && exempt === connections,
        rateUsed: Number.isNaN(left) ? 0 : 1 - left,
        cooldownMs: cooldown === undefined ? 0 : cooldown.untilMs - now,
        cooldownCause: cooldown?.cause ?? null,
      };
    };
    for (const use of this.#occupancy.addresses.values()) yield told(use.key, use);
    for (const key of [...cooldowns.keys()]) yield told(key);
  }

  global(): GlobalSnapshot {
    const cooldowns = [this.#addressCooldowns, this.#keyCooldowns];
    return {
      connections: this.#occupancy.connections,
      streams: this.#occupancy.streams,
      busiestAddress: this.#occupancy.busiestAddress(),
      maxConnections: this.#limits.global.max_connections,
      maxStreams: this.#limits.global.max_streams,
      remembered: cooldowns.reduce(
        (sum, { size }) => sum + size,
        this.#ipRate.size + this.#occupancy.clients.remembered,
      ),
      forgotten: cooldowns.reduce((sum, { forgotten }) => sum + forgotten, this.#occupancy.clients.forgotten),
      refusedFull: this.#ipRate.refusedFull,
    };
  }

  /** Gives back memory of rate windows and cooldowns that are over, at most `maxSteps` of each kind. For the control loop. */
  evictIdle(now: number, maxSteps: number): void {
    this.#ipRate.evictIdle(now, maxSteps);
    this.#occupancy.clients.evictIdle(now, maxSteps);
    this.#addressCooldowns.evictIdle(now, maxSteps);
    this.#keyCooldowns.evictIdle(now, maxSteps);
  }

  #scaleRate(now: number): void {
    const { count, periodMs } = this.#limits.global.connection_rate;
    const scaled = { count: count * this.#rateFactor, periodMs };
    if (!differ(scaled, this.#rateInForce)) return;
    this.#rateInForce = scaled;
    this.#globalRate.setRate(scaled, now);
  }

  #keyOf(ip: string, address: IpAddress | null): string {
    if (address === null) return UNKNOWN_IP_KEY;
    // Dotted text that parses is canonical already: the common case makes no new string.
    if (address.family === 4 && ip.length <= DOTTED_LENGTH_MAX && !ip.includes(':')) return ip;
    return addressKey(address, this.#limits.ip.ipv6_prefix);
  }

  #closed(now: number, exempt: boolean): Denial | null {
    if (this.#draining) return refusal('draining', 'server', Number.POSITIVE_INFINITY);
    for (const gate of this.#gates) {
      const denial = gate(now, exempt);
      if (denial !== null) return denial;
    }
    return null;
  }
}

/** What an address in cooldown holds. */
const NOTHING_HELD = { connections: 0, exempt: 0, streams: 0 };

/** `255.255.255.255` */
const DOTTED_LENGTH_MAX = 15;

function later(denial: Denial, waitMs: number): Denial {
  return waitMs > denial.retryAfterMs ? { ...denial, retryAfterMs: waitMs } : denial;
}

function differ(a: EventRate, b: EventRate): boolean {
  return a.count !== b.count || a.periodMs !== b.periodMs;
}

function networks(texts: readonly string[]): CidrSet {
  return new CidrSet(
    texts.map((text) => {
      const result = parseCidr(text);
      if (!result.ok) throw new TypeError(result.error);
      return result.cidr;
    }),
  );
}
