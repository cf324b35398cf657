import { NAME } from '../core/names.ts';
import { collide, isLoopback, type ListenAddress, parseListenAddress } from './address.ts';
import { nearest } from './nearest.ts';
import type { Finding } from './problem.ts';
import type { Path } from './tree.ts';

/**
 * What keys mean together: names that must be unique, names that must exist,
 * addresses that exclude one another. It works on values as written and skips
 * what is malformed, so that one bad unit does not hide a missing tier.
 */

/** Any section, seen through the keys that are looked at here; their values can be anything. */
type Loose = {
  readonly [K in
    | 'listen'
    | 'admin'
    | 'tokens'
    | 'token'
    | 'hash'
    | 'clients'
    | 'tiers'
    | 'policies'
    | 'id'
    | 'tier'
    | 'keys'
    | 'key'
    | 'name'
    | 'match'
    | 'client'
    | 'address'
    | 'srt'
    | Listener]?: unknown;
};

const LISTENERS = ['rtmp', 'rtmps', 'playback', 'admin'] as const;

type Listener = (typeof LISTENERS)[number];

function section(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Reports each text that was seen before, naming where. `secret` texts are not quoted. */
class Unique {
  readonly findings: Finding[] = [];
  readonly #seen = new Map<string, string>();
  readonly #what: string;
  readonly #secret: boolean;

  constructor(what: string, secret = false) {
    this.#what = what;
    this.#secret = secret;
  }

  add(text: unknown, path: Path, owner: string): void {
    if (typeof text !== 'string') return;
    const before = this.#seen.get(text);
    if (before === undefined) this.#seen.set(text, owner);
    else {
      const name = this.#secret ? 'this' : `"${text}"`;
      this.findings.push({
        path,
        message: `${name} is the ${this.#what} of ${before} already; each needs its own`,
      });
    }
  }
}

/** With more names missing than this the cause is something else, and comparing them all takes long. */
const HINTS_MAX = 20;

/** Names that other keys refer to, such as tiers. */
class Known {
  readonly findings: Finding[] = [];
  readonly #names: ReadonlySet<string>;
  readonly #what: string;

  constructor(what: 'tier' | 'client', names: Iterable<string>) {
    this.#what = what;
    this.#names = new Set(names);
  }

  check(name: unknown, path: Path): void {
    if (typeof name !== 'string' || this.#names.has(name)) return;
    const near = this.findings.length < HINTS_MAX ? nearest(name, this.#names) : undefined;
    const hint = near === undefined ? `add it under ${this.#what}s` : `did you mean ${near}?`;
    this.findings.push({ path, message: `there is no ${this.#what} "${name}"; ${hint}` });
  }
}

function checkClients(root: Loose): Finding[] {
  const ids = new Unique('id');
  const keys = new Unique('stream key', true);
  const names = new Unique('public name');
  const tiers = new Known('tier', Object.keys(section(root.tiers)));
  for (const [i, entry] of list(root.clients).entries()) {
    const client = section(entry);
    ids.add(client.id, ['clients', i, 'id'], `clients[${i}]`);
    tiers.check(client.tier, ['clients', i, 'tier']);
    for (const [k, item] of list(client.keys).entries()) {
      const path = ['clients', i, 'keys', k];
      const owner = `clients[${i}].keys[${k}]`;
      const { key, name } = typeof item === 'string' ? { key: item } : section(item);
      keys.add(key, typeof item === 'string' ? path : [...path, 'key'], owner);
      if (name !== undefined) names.add(name, [...path, 'name'], owner);
      else if (typeof client.id === 'string') names.add(`${client.id}-${k + 1}`, path, owner);
    }
  }
  return [...tiers.findings, ...ids.findings, ...keys.findings, ...names.findings];
}

function checkTiers(root: Loose): Finding[] {
  return Object.keys(section(root.tiers))
    .filter((name) => !NAME.pattern.test(name))
    .map((name) => ({ path: ['tiers', name], message: `the name must be ${NAME.means}`, atKey: true }));
}

function checkPolicies(root: Loose): Finding[] {
  const names = new Unique('name');
  const tiers = new Known('tier', Object.keys(section(root.tiers)));
  const ids = list(root.clients).map((entry) => section(entry).id);
  const clients = new Known(
    'client',
    ids.filter((id) => typeof id === 'string'),
  );
  for (const [i, entry] of list(root.policies).entries()) {
    const policy = section(entry);
    names.add(policy.name, ['policies', i, 'name'], `policies[${i}]`);
    const match = section(policy.match);
    tiers.check(match.tier, ['policies', i, 'match', 'tier']);
    clients.check(match.client, ['policies', i, 'match', 'client']);
  }
  return [...tiers.findings, ...clients.findings, ...names.findings];
}

/** Addresses that will be opened, defaults included. */
function openListeners(root: Loose, defaults: Readonly<Record<string, unknown>>): Map<string, ListenAddress> {
  const open = new Map<string, ListenAddress>();
  const listen = section(root.listen);
  for (const name of LISTENERS) {
    const value = name in listen ? listen[name] : defaults[name];
    if (value === null || value === undefined) continue;
    const parsed = parseListenAddress(typeof value === 'object' ? section(value).address : value);
    if (parsed.ok) open.set(name, parsed.value);
  }
  return open;
}

function checkListeners(root: Loose, defaults: Readonly<Record<string, unknown>>): Finding[] {
  const open = [...openListeners(root, defaults)];
  const findings: Finding[] = [];
  for (const [i, [name, address]] of open.entries()) {
    for (const [other, before] of open.slice(0, i)) {
      if (!collide(address, before)) continue;
      findings.push({
        path: ['listen', name],
        message: `port ${address.port} is taken by listen.${other} already; choose another port`,
      });
    }
  }
  const admin = open.find(([name]) => name === 'admin')?.[1];
  const tokens = list(section(root.admin).tokens);
  if (admin !== undefined && !isLoopback(admin) && tokens.length === 0) {
    findings.push({
      path: ['listen', 'admin'],
      message: `the admin API would be open to everybody at ${admin.host}; add admin.tokens, or listen on 127.0.0.1:${admin.port}`,
    });
  }
  return findings;
}

/** SRT is UDP: its ports are no concern of the others. */
function checkSrtListeners(root: Loose): Finding[] {
  const { srt } = section(root.listen);
  const open: [index: number, address: ListenAddress][] = [];
  const findings: Finding[] = [];
  for (const [i, entry] of list(srt).entries()) {
    const parsed = parseListenAddress(typeof entry === 'object' ? section(entry).address : entry);
    if (!parsed.ok) continue;
    const before = open.find(([, address]) => collide(address, parsed.value));
    open.push([i, parsed.value]);
    if (before === undefined) continue;
    findings.push({
      path: ['listen', 'srt', i],
      message: `UDP port ${parsed.value.port} is taken by listen.srt[${before[0]}] already; choose another port`,
    });
  }
  return findings;
}

function checkTokens(root: Loose): Finding[] {
  const tokens = new Unique('token', true);
  const hashes = new Unique('hash', true);
  const names = new Unique('name');
  const unclear: Finding[] = [];
  for (const [i, entry] of list(section(root.admin).tokens).entries()) {
    const path = ['admin', 'tokens', i];
    const { token, hash, name } = section(entry);
    tokens.add(token, [...path, 'token'], `admin.tokens[${i}]`);
    hashes.add(hash, [...path, 'hash'], `admin.tokens[${i}]`);
    names.add(name, [...path, 'name'], `admin.tokens[${i}]`);
    if ((token === undefined) === (hash === undefined)) {
      const message =
        token === undefined
          ? 'has neither token nor hash; headgate token makes both'
          : 'has token and hash; keep the hash alone';
      unclear.push({ path, message });
    }
  }
  return [...unclear, ...tokens.findings, ...hashes.findings, ...names.findings];
}

/** `value` is the config as written; `listenDefaults` the listen section of an empty config, as written. */
export function crossCheck(value: unknown, listenDefaults: Readonly<Record<string, unknown>>): Finding[] {
  const root = section(value);
  return [
    ...checkListeners(root, listenDefaults),
    ...checkSrtListeners(root),
    ...checkTokens(root),
    ...checkClients(root),
    ...checkTiers(root),
    ...checkPolicies(root),
  ];
}
