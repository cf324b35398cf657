import { type Cidr, CidrSet, type IpAddress, parseCidr, parseIp } from '../../lib/ip.ts';
import type { Protocol } from '../stream.ts';
import { Glob } from './glob.ts';

/** Who is asking to publish what: the questions a policy's `match` may ask. */
export interface PolicySubject {
  readonly app: string;
  /** the public stream name, never a secret key */
  readonly stream: string;
  readonly protocol: Protocol;
  readonly ip: string;
  readonly tier: string | null;
  readonly client: string;
}

type OneOrMany<T> = T | readonly T[];

/** The `match` block of a policy. A key that is absent matches everybody; a list matches any of its values. */
export interface PolicyMatch {
  /** glob */
  readonly app?: OneOrMany<string> | undefined;
  /** glob */
  readonly stream?: OneOrMany<string> | undefined;
  readonly protocol?: OneOrMany<Protocol> | undefined;
  /** address or network */
  readonly ip?: OneOrMany<string> | undefined;
  readonly tier?: OneOrMany<string> | undefined;
  readonly client?: OneOrMany<string> | undefined;
}

/** A subject with its address read once, however many policies look at it. */
export class Candidate {
  readonly subject: PolicySubject;
  #address: IpAddress | null | undefined;

  constructor(subject: PolicySubject) {
    this.subject = subject;
  }

  get address(): IpAddress | null {
    if (this.#address === undefined) this.#address = parseIp(this.subject.ip);
    return this.#address;
  }
}

function listOf<T>(value: OneOrMany<T> | undefined): readonly T[] | null {
  if (value === undefined) return null;
  return Array.isArray(value) ? value : [value as T];
}

function readNetwork(text: string): Cidr {
  const result = parseCidr(text);
  if (!result.ok) throw new TypeError(`policy match: ${result.error}`);
  return result.cidr;
}

/** A `match` block compiled. Throws TypeError on a network that cannot be read: config is validated before. */
export class Matcher {
  readonly apps: readonly Glob[] | null;
  readonly streams: readonly Glob[] | null;
  readonly protocols: readonly Protocol[] | null;
  readonly networks: readonly Cidr[] | null;
  readonly tiers: readonly string[] | null;
  readonly clients: readonly string[] | null;
  readonly #networkSet: CidrSet | null;

  constructor(match: PolicyMatch) {
    this.apps = listOf(match.app)?.map((pattern) => new Glob(pattern)) ?? null;
    this.streams = listOf(match.stream)?.map((pattern) => new Glob(pattern)) ?? null;
    this.protocols = listOf(match.protocol);
    this.networks = listOf(match.ip)?.map(readNetwork) ?? null;
    this.tiers = listOf(match.tier);
    this.clients = listOf(match.client);
    this.#networkSet = this.networks && new CidrSet(this.networks);
  }

  test(candidate: Candidate): boolean {
    const { subject } = candidate;
    if (this.clients !== null && !this.clients.includes(subject.client)) return false;
    if (this.tiers !== null && (subject.tier === null || !this.tiers.includes(subject.tier))) return false;
    if (this.protocols !== null && !this.protocols.includes(subject.protocol)) return false;
    if (this.apps !== null && !this.apps.some((glob) => glob.test(subject.app))) return false;
    if (this.streams !== null && !this.streams.some((glob) => glob.test(subject.stream))) return false;
    if (this.#networkSet === null) return true;
    return candidate.address !== null && this.#networkSet.has(candidate.address);
  }
}
