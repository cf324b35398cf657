import { fillWater } from './water-fill.ts';

/**
 * Who may send how much when there is not enough for all.
 *
 * The global bandwidth budget is shared out over tiers, each tier's part over
 * its clients, each client's part (or its own budget, if that is less) over its
 * streams: weighted max-min at every level. A stream is given what it demands,
 * which is what it sends and a little more, so that claiming a high limit gains
 * nothing; whoever needs less than its share is not touched at all.
 */

export interface ShareClaim {
  /** '' for none: clients without a tier are one tier */
  readonly tier: string;
  readonly client: string;
  /** of its client, > 0; streams of one client weigh the same */
  readonly weight: number;
  /** its own limit, bits/s; Infinity = unlimited */
  readonly limitBps: number;
  /** what it sends now, bits/s */
  readonly observedBps: number;
  /** what it keeps whatever the others want, bits/s */
  readonly floorBps: number;
  /** of its client, over all its streams, bits/s */
  readonly clientBps: number;
  /** too young for `observedBps` to mean anything: it may claim its limit */
  readonly newcomer: boolean;
}

/** Which budget keeps a stream below what it demands. */
export type SqueezedBy = 'client' | 'global' | null;

/** Room to grow: a stream that could send more shows it by using up its share. */
const DEMAND_PER_OBSERVED = 1.2;

/** Shares of streams that do not use theirs are shared out again so many times; each pass leaves a sixth of the rest. */
const PASSES = 3;

/** Part of the demand below which a share counts as less: above any rounding. */
const SQUEEZED_SHARE = 0.999;

/** What each claim may send, by its position. */
export interface Shares {
  /** bits/s */
  readonly bps: Float64Array;
  readonly by: readonly SqueezedBy[];
}

/**
 * Shares out `globalBps` over the claims; O(n) for each step towards a level,
 * of which there are some ten. Allocates, so it is for the control loop.
 */
export function shareOut(claims: readonly ShareClaim[], globalBps: number): Shares {
  const tree = new ShareTree(claims, globalBps);
  for (let pass = 0; pass < PASSES; pass++) {
    tree.pour(globalBps);
    if (!tree.regain()) break;
  }
  return tree.shares();
}

/**
 * A stream that sends next to nothing claims its floor and no more: what it
 * claims beyond, and is not given in full, nobody would get. It is held to
 * nothing for that, since whoever gets all it demands is not touched. In a
 * crowd whose floors do not fit it claims no more than it uses of its own.
 */
function demandOf({ newcomer, limitBps, observedBps, floorBps }: ShareClaim, crowded: boolean): number {
  if (newcomer) return limitBps;
  const leastBps = crowded ? 0 : floorBps;
  return Math.min(limitBps, Math.max(leastBps, observedBps * DEMAND_PER_OBSERVED));
}

/** One level of the tree as columns; the members of a group stand side by side, `starts[g]` to `starts[g + 1]`. */
class Level {
  readonly weights: Float64Array;
  readonly floors: Float64Array;
  readonly ceilings: Float64Array;
  readonly shares: Float64Array;
  readonly starts: Int32Array;
  /** row of the member that came in this order */
  readonly rowOf: Int32Array;

  /** `groupOf` tells the group of each member, `groups` how many there are. */
  constructor(groupOf: readonly number[], groups: number) {
    const count = groupOf.length;
    this.weights = new Float64Array(count);
    this.floors = new Float64Array(count);
    this.ceilings = new Float64Array(count);
    this.shares = new Float64Array(count);
    this.starts = new Int32Array(groups + 1);
    this.rowOf = new Int32Array(count);
    for (let i = 0; i < count; i++) this.starts[groupOf[i]! + 1]! += 1;
    for (let g = 0; g < groups; g++) this.starts[g + 1]! += this.starts[g]!;
    const next = this.starts.slice();
    for (let i = 0; i < count; i++) this.rowOf[i] = next[groupOf[i]!]!++;
  }

  fill(group: number, capacity: number): void {
    fillWater(this, this.starts[group]!, this.starts[group + 1]!, capacity, this.shares);
  }
}

/** Tiers, their clients, and the streams of those. */
class ShareTree {
  readonly #claims: readonly ShareClaim[];
  readonly #clientOf: number[] = [];
  readonly #tierOf: number[] = [];
  readonly #streams: Level;
  readonly #clients: Level;
  readonly #tiers: Level;
  /** clients whose own budget is less than their streams demand */
  readonly #bound: boolean[] = [];
  /** of each client, bits/s: its own budget, what its streams demand together, and what they keep in any case */
  readonly #budgets: Float64Array;
  readonly #demands: Float64Array;
  readonly #least: Float64Array;
  /** granted to streams of each client that do not send it, as of the last time it was poured, bits/s */
  #regained: Float64Array;

  constructor(claims: readonly ShareClaim[], globalBps: number) {
    this.#claims = claims;
    const clients = new Map<string, number>();
    const tiers = new Map<string, number>();
    for (const { client, tier } of claims) {
      let index = clients.get(client);
      if (index === undefined) {
        index = clients.size;
        clients.set(client, index);
        this.#tierOf.push(tiers.get(tier) ?? tiers.set(tier, tiers.size).size - 1);
      }
      this.#clientOf.push(index);
    }
    this.#streams = new Level(this.#clientOf, clients.size);
    this.#clients = new Level(this.#tierOf, tiers.size);
    this.#tiers = new Level(new Array<number>(tiers.size).fill(0), 1);
    this.#budgets = new Float64Array(clients.size);
    this.#demands = new Float64Array(clients.size);
    this.#least = new Float64Array(clients.size);
    this.#regained = new Float64Array(clients.size);
    this.#addUp(this.#crowds(globalBps));
  }

  /** Shares out `globalBps` and what was regained of it, level by level. */
  pour(globalBps: number): void {
    this.#bind();
    let regained = 0;
    for (const bps of this.#regained) regained += bps;
    this.#tiers.fill(0, globalBps + regained);
    for (let t = 0; t < this.#tiers.rowOf.length; t++) {
      this.#clients.fill(t, this.#tiers.shares[this.#tiers.rowOf[t]!]!);
    }
    for (let c = 0; c < this.#tierOf.length; c++) {
      this.#streams.fill(c, this.#clients.shares[this.#clients.rowOf[c]!]!);
    }
  }

  /**
   * Takes back what is granted but not sent by streams that get all they
   * demand: others may have it, of the same client first, whose budget it is.
   * True when that is worth to be poured again.
   */
  regain(): boolean {
    const { rowOf, shares, ceilings } = this.#streams;
    const unused = new Float64Array(this.#regained.length);
    for (let i = 0; i < this.#claims.length; i++) {
      const { newcomer, observedBps } = this.#claims[i]!;
      const share = shares[rowOf[i]!]!;
      const whole = share >= ceilings[rowOf[i]!]! * SQUEEZED_SHARE;
      if (!newcomer && whole && share < Number.POSITIVE_INFINITY)
        unused[this.#clientOf[i]!]! += Math.max(0, share - observedBps);
    }
    let changed = false;
    for (let c = 0; c < unused.length; c++) {
      const granted = this.#clients.shares[this.#clients.rowOf[c]!]!;
      if (Math.abs(unused[c]! - this.#regained[c]!) > (1 - SQUEEZED_SHARE) * granted) changed = true;
    }
    this.#regained = unused;
    return changed;
  }

  shares(): Shares {
    const { rowOf, shares, ceilings } = this.#streams;
    const bps = new Float64Array(this.#claims.length);
    const by: SqueezedBy[] = [];
    for (let i = 0; i < bps.length; i++) {
      const row = rowOf[i]!;
      bps[i] = shares[row]!;
      const whole = shares[row]! >= ceilings[row]! * SQUEEZED_SHARE;
      by.push(whole ? null : this.#isClientFull(this.#clientOf[i]!) ? 'client' : 'global');
    }
    return { bps, by };
  }

  /** The client has been given all that its own budget lets it. */
  #isClientFull(client: number): boolean {
    const { rowOf, shares, ceilings } = this.#clients;
    const row = rowOf[client]!;
    return this.#bound[client]! && shares[row]! >= ceilings[row]! * SQUEEZED_SHARE;
  }

  /** Of each client, whether the floors of its streams do not fit into its budget, or those of all into the whole. */
  #crowds(globalBps: number): boolean[] {
    const floors = new Float64Array(this.#budgets.length);
    let all = 0;
    for (let i = 0; i < this.#claims.length; i++) {
      const { floorBps, limitBps, clientBps } = this.#claims[i]!;
      const client = this.#clientOf[i]!;
      floors[client]! += Math.min(floorBps, limitBps);
      all += Math.min(floorBps, limitBps);
      this.#budgets[client] = clientBps;
    }
    return Array.from(floors, (floor, client) => all > globalBps || floor > this.#budgets[client]!);
  }

  /** What a client claims is what its streams claim together. */
  #addUp(crowded: readonly boolean[]): void {
    const [streams, clients] = [this.#streams, this.#clients];
    for (let i = 0; i < this.#claims.length; i++) {
      const claim = this.#claims[i]!;
      const row = streams.rowOf[i]!;
      const client = this.#clientOf[i]!;
      streams.weights[row] = 1;
      streams.ceilings[row] = demandOf(claim, crowded[client]!);
      streams.floors[row] = Math.min(claim.floorBps, streams.ceilings[row]!);
      clients.weights[clients.rowOf[client]!] = claim.weight;
      this.#demands[client]! += streams.ceilings[row]!;
      this.#least[client]! += streams.floors[row]!;
    }
    for (let c = 0; c < this.#budgets.length; c++) this.#bound.push(this.#demands[c]! > this.#budgets[c]!);
  }

  /** A client claims no more than its budget and what was regained of it, a tier what its clients claim. */
  #bind(): void {
    const [clients, tiers] = [this.#clients, this.#tiers];
    tiers.weights.fill(0);
    tiers.ceilings.fill(0);
    tiers.floors.fill(0);
    for (let c = 0; c < this.#budgets.length; c++) {
      const row = clients.rowOf[c]!;
      clients.ceilings[row] = Math.min(this.#demands[c]!, this.#budgets[c]! + this.#regained[c]!);
      clients.floors[row] = Math.min(this.#least[c]!, clients.ceilings[row]!);
      const tier = tiers.rowOf[this.#tierOf[c]!]!;
      tiers.weights[tier]! += clients.weights[row]!;
      tiers.ceilings[tier]! += clients.ceilings[row]!;
      tiers.floors[tier]! += clients.floors[row]!;
    }
  }
}
