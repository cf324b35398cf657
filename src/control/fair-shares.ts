import { shareOut } from '../core/fairness/shares.ts';
import type { Watched } from './watched.ts';

/**
 * When there is not enough for all, who is held to what. As long as nobody's
 * budget is nearly used up nothing is shared out: whoever sends is left alone.
 *
 * Of those that get less than they may demand, only the ones that come close to
 * their share are held to it, and newcomers; the others have what they need.
 */

/** Part of a budget in use from which it is shared out, and below which it no longer is. */
const TIGHT_FROM = 0.8;
const TIGHT_UNTIL = 0.7;

/**
 * Part of a budget that is shared out. What is left lets the debt of the budget
 * itself run off: it would otherwise slow everybody, those that are within
 * their share too.
 */
export const FILL = 0.995;

/** A stream that sends this part of its share is held to it, and one that is held is let go below the other. */
const HELD_FROM = 0.9;
const HELD_UNTIL = 0.8;

export class FairShares {
  #tight = false;
  #fits = true;

  /** True while a budget is shared out. */
  get tight(): boolean {
    return this.#tight;
  }

  /**
   * Whether what all may send together keeps within the server's budget. Where
   * it does not, for floors or for streams that cannot be held, the budget has
   * to be held by what it is owed.
   */
  get fits(): boolean {
    return this.#fits;
  }

  /** Gives every stream its share of `budgetBps` (Infinity = unlimited) and of its client's budget. */
  step(watched: readonly Watched[], budgetBps: number, floorBps: number): void {
    const use = mostUsed(watched, budgetBps);
    this.#tight = use > (this.#tight ? TIGHT_UNTIL : TIGHT_FROM);
    this.#fits = true;
    if (!this.#tight) {
      for (const each of watched) each.share = null;
      return;
    }
    const { bps, by } = shareOut(watched, budgetBps * FILL);
    let sumBps = 0;
    for (let i = 0; i < watched.length; i++) {
      const each = watched[i]!;
      const squeezer = by[i]!;
      // A floor may stretch the server's budget, which can be lowered under its streams; a client's is its own to keep.
      const shareBps = squeezer === 'client' ? bps[i]! : Math.max(floorBps, bps[i]!);
      sumBps += squeezer === null || each.fixed ? each.observedBps : shareBps;
      const held = squeezer !== null && !each.fixed && isClose(each, shareBps);
      each.share = held ? { bps: shareBps, by: squeezer } : null;
    }
    this.#fits = sumBps <= budgetBps;
  }
}

/** Of a newcomer it is not known yet what it will send: it is held from the beginning. */
function isClose({ newcomer, share, observedBps }: Watched, shareBps: number): boolean {
  return newcomer || observedBps >= (share === null ? HELD_FROM : HELD_UNTIL) * shareBps;
}

/** The part in use of the budget that is used most: the global one, or a client's. */
function mostUsed(watched: readonly Watched[], budgetBps: number): number {
  let observedBps = 0;
  let most = 0;
  const clients = new Map<string, number>();
  for (const each of watched) {
    observedBps += each.observedBps;
    if (each.clientBps === Number.POSITIVE_INFINITY) continue;
    const clientBps = (clients.get(each.client) ?? 0) + each.observedBps;
    clients.set(each.client, clientBps);
    most = Math.max(most, partOf(clientBps, each.clientBps));
  }
  return Math.max(most, partOf(observedBps, budgetBps));
}

/** Of nothing, anything is too much. */
function partOf(usedBps: number, budgetBps: number): number {
  return budgetBps > 0 ? usedBps / budgetBps : Number.POSITIVE_INFINITY;
}
