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

/** FNV-1a, 32 bits: one multiplication per character, and it grows with the name. */
const HASH_START = 0x811c9dc5 | 0;
const HASH_PRIME = 0x01000193;

function hashOn(hash: number, code: number): number {
  return Math.imul(hash ^ code, HASH_PRIME);
}

/**
 * Names filed whole or by prefix. Prefixes are filed by hash, and the hashes of
 * all prefixes of a name come out of one pass over it. What a collision brings
 * along is asked in full like everything else.
 */
class NameFile<T> {
  readonly #exact = new Map<string, T[]>();
  readonly #prefixes = new Map<number, T[]>();
  /** by length: does any prefix have it */
  readonly #lengths: boolean[] = [];

  add(glob: Glob, value: T): void {
    const { literalPrefix } = glob;
    if (glob.exact) {
      pushTo(this.#exact, literalPrefix, value);
      return;
    }
    let hash = HASH_START;
    for (let i = 0; i < literalPrefix.length; i++) hash = hashOn(hash, literalPrefix.charCodeAt(i));
    pushTo(this.#prefixes, hash, value);
    while (this.#lengths.length < literalPrefix.length) this.#lengths.push(false);
    this.#lengths[literalPrefix.length - 1] = true;
  }

  visit(name: string, visit: (values: readonly T[]) => void): void {
    if (this.#exact.size > 0) {
      const values = this.#exact.get(name);
      if (values !== undefined) visit(values);
    }
    const length = Math.min(name.length, this.#lengths.length);
    let hash = HASH_START;
    for (let i = 0; i < length; i++) {
      hash = hashOn(hash, name.charCodeAt(i));
      const values = this.#lengths[i] === true ? this.#prefixes.get(hash) : undefined;
      if (values !== undefined) visit(values);
    }
  }
}

const NONE: readonly never[] = [];

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

  /** Every policy that matches, in no promised order, and twice when its list holds the subject twice. */
  matching(candidate: Candidate): T[] {
    const { subject } = candidate;
    const found: T[] = [];
    const ask = (policies: readonly T[]): void => {
      for (const policy of policies) if (policy.matcher.test(candidate)) found.push(policy);
    };
    ask(this.#unfiled);
    if (this.#clients.size > 0) ask(this.#clients.get(subject.client) ?? NONE);
    if (this.#tiers.size > 0 && subject.tier !== null) ask(this.#tiers.get(subject.tier) ?? NONE);
    this.#streams.visit(subject.stream, ask);
    this.#apps.visit(subject.app, ask);
    if (this.#hasNetworks && candidate.address !== null) this.#networks.visit(candidate.address, ask);
    return found;
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
