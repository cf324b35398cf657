import { type Cidr, CidrTable } from '../../lib/ip.ts';
import type { Glob } from './glob.ts';
import type { Candidate, Matcher } from './match.ts';

/**
 * Finds the policies that may match a subject without asking each of them.
 *
 * Every policy is filed under ONE of the things its match names: the one it
 * shares with the fewest other policies. A thousand policies `tier: pro, stream:
 * "a-*"`, `"b-*"`, ... are so filed by stream, and a thousand `client: x,
 * stream: cam` by client. A look-up probes each file with what the subject
 * brings; whatever is found is still asked in full. Policies that name nothing
 * that can be filed (no match, protocol alone, a glob that begins with a
 * wildcard) are asked every time: they match most subjects anyway.
 */

const FILES = ['client', 'stream', 'network', 'app', 'tier'] as const;
type File = (typeof FILES)[number];

interface Filed {
  readonly matcher: Matcher;
}

/** Globs as keys: an exact name, or a prefix; null when a glob has neither. */
function globKeys(globs: readonly Glob[] | null): readonly string[] | null {
  if (globs === null || globs.some((glob) => !glob.exact && glob.literalPrefix === '')) return null;
  return globs.map((glob) => (glob.exact ? `=${glob.literalPrefix}` : `^${glob.literalPrefix}`));
}

function keysOf(matcher: Matcher, file: File): readonly string[] | null {
  switch (file) {
    case 'client':
      return matcher.clients;
    case 'tier':
      return matcher.tiers;
    case 'network':
      return matcher.networks?.map((cidr) => cidr.text) ?? null;
    case 'stream':
      return globKeys(matcher.streams);
    case 'app':
      return globKeys(matcher.apps);
  }
}

function pushTo<K, T>(map: Map<K, T[]>, key: K, value: T): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

/** Names filed whole or by prefix; a look-up probes once per distinct prefix length. */
class NameFile<T> {
  readonly #exact = new Map<string, T[]>();
  readonly #prefixes: { readonly length: number; readonly names: Map<string, T[]> }[] = [];

  add(glob: Glob, value: T): void {
    const { literalPrefix } = glob;
    if (glob.exact) {
      pushTo(this.#exact, literalPrefix, value);
      return;
    }
    let level = this.#prefixes.find((candidate) => candidate.length === literalPrefix.length);
    if (level === undefined) {
      level = { length: literalPrefix.length, names: new Map() };
      this.#prefixes.push(level);
    }
    pushTo(level.names, literalPrefix, value);
  }

  visit(name: string, visit: (value: T) => void): void {
    this.#exact.get(name)?.forEach(visit);
    for (const level of this.#prefixes) {
      if (name.length >= level.length) level.names.get(name.slice(0, level.length))?.forEach(visit);
    }
  }
}

export class PolicyIndex<T extends Filed> {
  readonly #clients = new Map<string, T[]>();
  readonly #tiers = new Map<string, T[]>();
  readonly #apps = new NameFile<T>();
  readonly #streams = new NameFile<T>();
  readonly #networks = new CidrTable<T>();
  readonly #unfiled: T[] = [];
  #hasNetworks = false;

  constructor(policies: readonly T[]) {
    const crowds = new Map<string, number>();
    for (const { matcher } of policies) {
      for (const file of FILES) {
        for (const key of new Set(keysOf(matcher, file))) {
          crowds.set(`${file} ${key}`, (crowds.get(`${file} ${key}`) ?? 0) + 1);
        }
      }
    }
    for (const policy of policies) this.#file(policy, crowds);
  }

  /**
   * Calls `visit` with every policy that matches, in no promised order, and
   * more than once when its list holds the subject twice.
   */
  visit(candidate: Candidate, visit: (policy: T) => void): void {
    const { subject } = candidate;
    const ask = (policy: T): void => {
      if (policy.matcher.test(candidate)) visit(policy);
    };
    this.#unfiled.forEach(ask);
    this.#clients.get(subject.client)?.forEach(ask);
    if (subject.tier !== null) this.#tiers.get(subject.tier)?.forEach(ask);
    this.#streams.visit(subject.stream, ask);
    this.#apps.visit(subject.app, ask);
    if (this.#hasNetworks && candidate.address !== null) this.#networks.visit(candidate.address, ask);
  }

  #file(policy: T, crowds: ReadonlyMap<string, number>): void {
    const { matcher } = policy;
    let best: File | null = null;
    let bestCrowd = Infinity;
    for (const file of FILES) {
      const keys = keysOf(matcher, file);
      if (keys === null) continue;
      const crowd = Math.max(0, ...keys.map((key) => crowds.get(`${file} ${key}`) ?? 0));
      if (crowd < bestCrowd) {
        best = file;
        bestCrowd = crowd;
      }
    }
    if (best === null) this.#unfiled.push(policy);
    else this.#fileUnder(best, policy);
  }

  #fileUnder(file: File, policy: T): void {
    const { apps, streams, networks, tiers, clients } = policy.matcher;
    switch (file) {
      case 'client':
        for (const client of new Set(clients)) pushTo(this.#clients, client, policy);
        return;
      case 'tier':
        for (const tier of new Set(tiers)) pushTo(this.#tiers, tier, policy);
        return;
      case 'stream':
        for (const glob of streams ?? []) this.#streams.add(glob, policy);
        return;
      case 'app':
        for (const glob of apps ?? []) this.#apps.add(glob, policy);
        return;
      case 'network':
        this.#hasNetworks = true;
        for (const cidr of networks ?? ([] as readonly Cidr[])) this.#networks.add(cidr, policy);
        return;
    }
  }
}
