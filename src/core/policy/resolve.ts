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

/** What policies apply to, and what came of it the last time. */
interface Base {
  readonly draft: Draft;
  /** without any policy */
  readonly plain: EffectiveLimits;
  /** the policies that matched last; most publishers come back as what they were */
  matching: readonly CompiledPolicy[];
  effective: EffectiveLimits;
}

/** One client's own limits, and the base last made with them: a client rarely changes its tier. */
interface ClientLayer {
  readonly settings: readonly LimitSetting[];
  tier: string | null;
  base: Base | null;
}

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
  readonly #limits: Base;
  readonly #tiers = new Map<string, readonly LimitSetting[]>();
  readonly #clients = new Map<string, ClientLayer>();
  /** bases of clients that the config does not know, by tier */
  readonly #strangers = new Map<string, Base>();
  readonly #index: PolicyIndex<CompiledPolicy>;

  constructor(source: LimitSource) {
    this.#limits = baseOf(Draft.of(source.stream, source.client));
    for (const [name, tier] of Object.entries(source.tiers)) {
      const settings = flatten(tier.stream, `tiers.${name}.stream`, tier.client, `tiers.${name}.client`);
      this.#tiers.set(name, settings);
    }
    source.clients.forEach((client, i) => {
      const from = `clients[${i}] ${client.id}`;
      if (!this.#clients.has(client.id)) {
        const settings = flatten(client.limits, from, client.limits, from);
        this.#clients.set(client.id, { settings, tier: null, base: null });
      }
    });
    this.#index = new PolicyIndex(compilePolicies(source.policies));
  }

  /** Constant in the number of policies and clients; grows with the policies that match. */
  resolve(subject: PolicySubject): EffectiveLimits {
    const base = this.#base(subject.tier, subject.client);
    const matching = this.#index.matching(new Candidate(subject));
    if (matching.length === 0) return base.plain;
    if (!sameList(matching, base.matching)) {
      base.matching = matching;
      base.effective = applyPolicies(base.draft, matching);
    }
    return base.effective;
  }

  #base(tier: string | null, client: string): Base {
    const layer = this.#clients.get(client);
    if (layer === undefined) return this.#strangersBase(tier);
    if (layer.base === null || layer.tier !== tier) {
      const draft = this.#strangersBase(tier).draft.copy();
      draft.replace(layer.settings);
      layer.base = baseOf(draft);
      layer.tier = tier;
    }
    return layer.base;
  }

  #strangersBase(tier: string | null): Base {
    if (tier === null) return this.#limits;
    const known = this.#strangers.get(tier);
    if (known !== undefined) return known;
    const settings = this.#tiers.get(tier);
    // A tier that the config does not know gives nothing, and is not kept: names from outside must not fill the map.
    if (settings === undefined) return this.#limits;
    const draft = this.#limits.draft.copy();
    draft.replace(settings);
    const base = baseOf(draft);
    this.#strangers.set(tier, base);
    return base;
  }
}

function baseOf(draft: Draft): Base {
  const plain = draft.effective();
  return { draft, plain, matching: [], effective: plain };
}

/** The same policies; the index finds them for the same subject in the same order. */
function sameList(a: readonly CompiledPolicy[], b: readonly CompiledPolicy[]): boolean {
  return a.length === b.length && a.every((policy, i) => policy === b[i]);
}

function applyPolicies(base: Draft, matching: readonly CompiledPolicy[]): EffectiveLimits {
  const ranked = matching.toSorted((a, b) => a.rank - b.rank);
  const enforced = base.copy();
  const asIf = ranked.some((policy) => policy.observe) ? base.copy() : null;
  for (const { settings, override, priority, observe } of ranked) {
    if (!observe) enforced.apply(settings, override, priority);
    asIf?.apply(settings, override, priority);
  }
  return enforced.effective(asIf);
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
