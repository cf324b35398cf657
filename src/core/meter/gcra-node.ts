import { NODE } from './slab-layout.ts';

/**
 * One node of the slab: a GCRA (ITU-T I.371) with bounded debt. Its state is
 * one number, the theoretical arrival time: where it lies beyond `now` plus
 * the burst tolerance, the difference is the debt, in ms until it is repaid.
 *
 * A charge always happens, because what it counts has already arrived. Past
 * the bound the debt is forgiven, so that no single message can silence a
 * stream for minutes. A clock that goes back refunds nothing, and the same
 * bound keeps the wait finite.
 */

/** The answer to a charge that left no debt; any other answer is a delay of 0 or more. */
export const CONFORMING = -1;

/**
 * Charges `cost` units to the node row beginning at index `at`. Returns the
 * debt in ms, Infinity where the rate is 0, or CONFORMING.
 */
export function chargeNode(nodes: Float64Array, at: number, cost: number, now: number): number {
  nodes[at + NODE.CHARGED]! += cost;
  nodes[at + NODE.LAST_AT] = now;
  const interval = nodes[at + NODE.INTERVAL]!;
  if (interval === 0) return CONFORMING;
  if (interval === Infinity) return Infinity;
  const tat = nodes[at + NODE.TAT]!;
  const horizon = now + nodes[at + NODE.TAU]!;
  const wanted = Math.max(tat, now) + cost * interval;
  const bound = horizon + nodes[at + NODE.DEBT_MAX]!;
  const next = Math.min(wanted, bound);
  nodes[at + NODE.TAT] = next;
  return wanted <= horizon ? CONFORMING : next - horizon;
}

/** What is owed at `now`, as a charge would answer. A limit of rate 0 holds whoever has met it. */
export function debtOf(nodes: Float64Array, at: number, now: number): number {
  const interval = nodes[at + NODE.INTERVAL]!;
  if (interval === 0) return CONFORMING;
  if (interval === Infinity) return nodes[at + NODE.CHARGED]! > 0 ? Infinity : CONFORMING;
  const horizon = now + nodes[at + NODE.TAU]!;
  const debt = Math.min(nodes[at + NODE.TAT]!, horizon + nodes[at + NODE.DEBT_MAX]!) - horizon;
  return debt > 0 ? debt : CONFORMING;
}

/**
 * Whether a charge of `cost` would conform, without making it. A cost above
 * the share `needMax` of the burst is judged as that share. A clock that went
 * back is corrected for good, as a charge would have done.
 */
export function wouldConform(
  nodes: Float64Array,
  at: number,
  cost: number,
  now: number,
  needMax: number,
): boolean {
  const interval = nodes[at + NODE.INTERVAL]!;
  if (interval === 0) return true;
  if (interval === Infinity) return false;
  const tau = nodes[at + NODE.TAU]!;
  const bound = now + tau + nodes[at + NODE.DEBT_MAX]!;
  if (nodes[at + NODE.TAT]! > bound) nodes[at + NODE.TAT] = bound;
  const tat = nodes[at + NODE.TAT]!;
  let need = cost * interval;
  if (need > needMax * tau) need = needMax * tau;
  return Math.max(tat, now) + need <= now + tau;
}

/** Whether more than `share` of the burst is used. */
export function isBurstUsed(nodes: Float64Array, at: number, share: number, now: number): boolean {
  return nodes[at + NODE.INTERVAL] !== 0 && nodes[at + NODE.TAT]! - now > share * nodes[at + NODE.TAU]!;
}

/** Whether more than `share` of the debt that is remembered is used up; a limit of rate 0 has none to give. */
export function isDebtUsed(nodes: Float64Array, at: number, share: number, now: number): boolean {
  const interval = nodes[at + NODE.INTERVAL]!;
  if (interval === 0) return false;
  if (interval === Infinity) return true;
  const debtMs = nodes[at + NODE.TAT]! - (now + nodes[at + NODE.TAU]!);
  return debtMs > share * nodes[at + NODE.DEBT_MAX]!;
}
