import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { ipKey } from '../lib/ip.ts';

/**
 * Who is publishing, and under which public name.
 *
 * In `keys` mode what the encoder calls its stream name is the secret key, and
 * the world sees the key's public name instead; with `?key=` the secret stands
 * in the query and the stream keeps the name it gives. In `open` mode anybody
 * publishes under any name, and the client is the address.
 *
 * Secrets are kept as HMACs under a key drawn at start. What a stranger tries
 * is put through the same HMAC before anything is compared, so the time a
 * refusal takes says nothing about how close the guess was.
 */

export interface IdentityClient {
  readonly id: string;
  readonly tier: string | null;
  readonly priority: number;
  readonly keys: readonly StreamKey[];
}

export interface StreamKey {
  /** the secret */
  readonly key: string;
  /** the public name */
  readonly name: string;
}

export interface IdentityConfig {
  readonly mode: 'open' | 'keys';
  readonly clients: readonly IdentityClient[];
  /** bits of an IPv6 address that make one client in open mode; 64 by default */
  readonly ipv6Prefix?: number;
}

export interface IdentityClaim {
  readonly app: string;
  /** the stream name as the encoder gave it, without its query; may be a secret */
  readonly streamName: string;
  readonly query: URLSearchParams;
  readonly ip: string;
}

export interface ResolvedIdentity {
  readonly ok: true;
  readonly client: string;
  readonly tier: string | null;
  readonly priority: number;
  /** what the stream is called in paths, logs, metrics and the API */
  readonly publicName: string;
  /**
   * Names what was used to publish without being it, for cooldowns and
   * takeovers: a key's fingerprint, or in open mode the address and path, so
   * that nobody can bring a cooldown on somebody else's name.
   */
  readonly keyId: string;
}

export interface IdentityRefusal {
  readonly ok: false;
  readonly reason: 'auth_failed' | 'protocol_error';
  /** one clause for people; never holds what was sent, which may be a mistyped secret */
  readonly detail: string;
}

interface KnownKey {
  readonly digest: Buffer;
  readonly client: IdentityClient;
  readonly name: string;
  readonly keyId: string;
}

/** Apps and streams: what players' URLs, files and metrics take unescaped. */
const NAME = /^[A-Za-z0-9_-]{1,128}$/;
const NAME_MEANS = '1 to 128 letters, digits, _ or -';

/** Nothing longer is a stream key, so nothing longer is hashed. */
const SECRET_LENGTH_MAX = 512;

/** Priority of a client that no config names: the middle, as for one whose config says nothing. */
const OPEN_PRIORITY = 50;

/** One IPv6 subscriber owns a /64 (RFC 6177). */
const IPV6_PREFIX = 64;

/** Hex digits of a fingerprint: 64 bits, so that two of a million keys never share one. */
const KEY_ID_DIGITS = 16;

/** Drawn once per process, so that a reload leaves fingerprints and with them cooldowns as they are. */
const hmacKey = randomBytes(32);

function digestOf(secret: string): Buffer {
  return createHmac('sha256', hmacKey).update(secret).digest();
}

/** What names a key without being it, until this server starts anew. */
export function keyIdOf(secret: string): string {
  return fingerprintOf(digestOf(secret));
}

function fingerprintOf(digest: Buffer): string {
  return `k-${digest.toString('hex').slice(0, KEY_ID_DIGITS)}`;
}

const AUTH_FAILED: IdentityRefusal = Object.freeze({
  ok: false,
  reason: 'auth_failed',
  detail: 'the stream key is unknown: check the stream key in the encoder',
});

const BAD_APP: IdentityRefusal = Object.freeze({
  ok: false,
  reason: 'protocol_error',
  detail: `the application name in the URL must be ${NAME_MEANS}`,
});

const BAD_STREAM: IdentityRefusal = Object.freeze({
  ok: false,
  reason: 'protocol_error',
  detail: `the stream name must be ${NAME_MEANS}`,
});

/** Built anew for each config; look-ups cost one HMAC, however many keys there are. */
export class IdentityDirectory {
  readonly #mode: 'open' | 'keys';
  readonly #ipv6Prefix: number;
  /** by digest in base64 */
  readonly #keys = new Map<string, KnownKey>();
  /** clients by the public names of their keys */
  readonly #owners = new Map<string, string>();
  /** tiers by the ids of the clients that have one */
  readonly #tiers = new Map<string, string>();

  constructor(config: IdentityConfig) {
    this.#mode = config.mode;
    this.#ipv6Prefix = config.ipv6Prefix ?? IPV6_PREFIX;
    if (config.mode === 'open') return;
    for (const client of config.clients) {
      if (client.tier !== null) this.#tiers.set(client.id, client.tier);
      for (const { key, name } of client.keys) {
        const digest = digestOf(key);
        const keyId = fingerprintOf(digest);
        const known = { digest, client: { ...client, keys: [] }, name, keyId };
        this.#keys.set(digest.toString('base64'), known);
        this.#owners.set(name, client.id);
      }
    }
  }

  /** The tier of a client that is known by its keys, or null. */
  tierOf(client: string): string | null {
    return this.#tiers.get(client) ?? null;
  }

  resolve(claim: IdentityClaim): ResolvedIdentity | IdentityRefusal {
    if (!NAME.test(claim.app)) return BAD_APP;
    return this.#mode === 'open' ? this.#byAddress(claim) : this.#byKey(claim);
  }

  #byAddress({ app, streamName, ip }: IdentityClaim): ResolvedIdentity | IdentityRefusal {
    if (!NAME.test(streamName)) return BAD_STREAM;
    const client = ipKey(ip, this.#ipv6Prefix);
    const keyId = `${client} /${app}/${streamName}`;
    return { ok: true, client, tier: null, priority: OPEN_PRIORITY, publicName: streamName, keyId };
  }

  #byKey({ streamName, query }: IdentityClaim): ResolvedIdentity | IdentityRefusal {
    const given = query.getAll('key');
    const asName = this.#find(streamName);
    if (given.length === 0) return asName === null ? AUTH_FAILED : identityOf(asName, asName.name);
    const known = given.length === 1 ? this.#find(given[0]!) : null;
    if (known === null) return AUTH_FAILED;
    // A secret given as name too must not become a public path.
    if (asName !== null) return asName === known ? identityOf(known, known.name) : AUTH_FAILED;
    if (!NAME.test(streamName)) return BAD_STREAM;
    const owner = this.#owners.get(streamName);
    if (owner !== undefined && owner !== known.client.id) return AUTH_FAILED;
    return identityOf(known, streamName);
  }

  #find(secret: string): KnownKey | null {
    if (secret.length === 0 || secret.length > SECRET_LENGTH_MAX) return null;
    const digest = digestOf(secret);
    const known = this.#keys.get(digest.toString('base64'));
    return known !== undefined && timingSafeEqual(known.digest, digest) ? known : null;
  }
}

function identityOf(known: KnownKey, publicName: string): ResolvedIdentity {
  const { id, tier, priority } = known.client;
  return { ok: true, client: id, tier, priority, publicName, keyId: known.keyId };
}
