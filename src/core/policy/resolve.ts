import type { ClientLimits, EffectiveLimits, StreamLimits } from '../limits.ts';
import { Draft, flatten, type LimitSetting, type SomeOf } from './draft.ts';
import { Candidate, Matcher, type PolicyMatch, type PolicySubject } from './match.ts';
import { PolicyIndex } from './policy-index.ts';

export interface TierSource {
  readonly client?: SomeOf<ClientLimits> | undefined;
  readonly stream?: SomeOf<StreamLimits> | undefined;
}

export interface ClientSource {
  readonly id: string;
  /** client-level and stream-level keys side by side */
  readonly limits?: SomeOf<ClientLimits & StreamLimits> | undefined;
}

export interface PolicySource {
  readonly name: string;
  readonly match?: PolicyMatch | undefined;
  readonly priority: number;
  /** `observe`: its stream limits are counted against, nothing is changed */
  readonly mode: 'enforce' | 'observe';
  /** false: the stricter value wins; true: replaces what lower priorities gave */
  readonly override: boolean;
  readonly stream?: SomeOf<StreamLimits> | undefined;
  readonly client?: SomeOf<ClientLimits> | undefined;
}

/** The parts of the config that decide limits, in base units. */
export interface LimitSource {
  readonly stream: StreamLimits;
  readonly client: ClientLimits;
  readonly tiers: Readonly<Record<string, TierSource>>;
  readonly clients: readonly ClientSource[];
  readonly policies: readonly PolicySource[];
}

interface CompiledPolicy {
  readonly matcher: Matcher;
  readonly rank: number;
  readonly priority: number;
  readonly override: boolean;
  readonly observe: boolean;
  readonly settings: readonly LimitSetting[];
}

/** Bases kept at once. Config with more (tier, client) pairs in use than this starts over: a base costs a microsecond. */
const BASES_MAX = 65_536;

/**
 * Which limits hold for a stream, and who said so.
 *
 * The base is `limits`, replaced key by key by the client's tier and then by
 * the client's own limits; it depends on nothing else and is kept. Matching
 * policies then apply in ascending priority. One with `override: true` replaces
 * what it finds; one with `override: false` only ever makes it stricter. At
 * equal priority overrides go first and the stricter value wins, so that the
 * order of the file never matters.
 *
 * Observing policies are resolved as if they were enforced, beside the real
 * result; a stream limit that would have come out different is in `observed`.
 * Their client limits are not watched: those belong to many streams at once.
 */
export class PolicyResolver {
  readonly #limits: Draft;
  readonly #tiers = new Map<string, readonly LimitSetting[]>();
  readonly #clients = new Map<string, readonly LimitSetting[]>();
  readonly #index: PolicyIndex<CompiledPolicy>;
  /** by tier, then by client; clients the config does not know share one base per tier */
  readonly #bases = new Map<string | null, Map<string | null, Draft>>();
  #baseCount = 0;

  constructor(source: LimitSource) {
    this.#limits = Draft.of(source.stream, source.client);
    for (const [name, tier] of Object.entries(source.tiers)) {
      const settings = flatten(tier.stream, `tiers.${name}.stream`, tier.client, `tiers.${name}.client`);
      this.#tiers.set(name, settings);
    }
    source.clients.forEach((client, i) => {
      const from = `clients[${i}] ${client.id}`;
      if (!this.#clients.has(client.id)) {
        this.#clients.set(client.id, flatten(client.limits, from, client.limits, from));
      }
    });
    this.#index = new PolicyIndex(compilePolicies(source.policies));
  }

  /** Constant in the number of policies and clients; grows with the policies that match. */
  resolve(subject: PolicySubject): EffectiveLimits {
    const base = this.#base(subject.tier, subject.client);
    const matching: CompiledPolicy[] = [];
    this.#index.visit(new Candidate(subject), (policy) => matching.push(policy));
    if (matching.length === 0) return base.effective();
    matching.sort((a, b) => a.rank - b.rank);
    const enforced = base.copy();
    const asIf = matching.some((policy) => policy.observe) ? base.copy() : null;
    for (const { settings, override, priority, observe } of matching) {
      if (!observe) enforced.apply(settings, override, priority);
      asIf?.apply(settings, override, priority);
    }
    return enforced.effective(asIf);
  }

  #base(tier: string | null, client: string): Draft {
    const known = this.#clients.has(client) ? client : null;
    const knownTier = tier !== null && this.#tiers.has(tier) ? tier : null;
    const base = this.#bases.get(knownTier)?.get(known);
    return base ?? this.#makeBase(knownTier, known);
  }

  #makeBase(tier: string | null, client: string | null): Draft {
    const base = this.#limits.copy();
    if (tier !== null) base.replace(this.#tiers.get(tier) ?? []);
    if (client !== null) base.replace(this.#clients.get(client) ?? []);
    if (this.#baseCount >= BASES_MAX) {
      this.#bases.clear();
      this.#baseCount = 0;
    }
    let ofTier = this.#bases.get(tier);
    if (ofTier === undefined) {
      ofTier = new Map();
      this.#bases.set(tier, ofTier);
    }
    ofTier.set(client, base);
    this.#baseCount++;
    return base;
  }
}

/** Ranked in the order they apply: priority, overrides first among equals, then the order of the file. */
function compilePolicies(policies: readonly PolicySource[]): CompiledPolicy[] {
  return policies
    .map((policy, i) => {
      const from = `policies[${i}] ${policy.name}`;
      return { policy, settings: flatten(policy.stream, from, policy.client, from) };
    })
    .sort(
      (a, b) =>
        a.policy.priority - b.policy.priority || Number(b.policy.override) - Number(a.policy.override),
    )
    .map(({ policy, settings }, rank) => ({
      matcher: new Matcher(policy.match ?? {}),
      rank,
      priority: policy.priority,
      override: policy.override,
      observe: policy.mode === 'observe',
      settings,
    }));
}
