/**
 * Why a stream was given up or kept out with the reason `shed`, where it was
 * not for the machine: an operator's order, or a publisher of higher priority
 * in need of its place. The receipt's detail says it, in a form that whoever
 * tells the receipt again can read back.
 */

/** What an operator ordered. */
export interface OrderToShed {
  /** null = not known */
  readonly by: string | null;
  /** streams below it go, and are refused */
  readonly belowPriority: number;
}

export type ShedCause =
  | { readonly kind: 'order'; readonly by: string | null; readonly belowPriority: number }
  | { readonly kind: 'preempted'; readonly path: string; readonly priority: number };

const UNKNOWN_OPERATOR = 'an operator';

/** The detail of who suffers by an order. */
export function orderDetail({ by, belowPriority }: OrderToShed, priority: number): string {
  return `by order of ${by ?? UNKNOWN_OPERATOR}, streams below priority ${belowPriority} are given up, and it has ${priority}`;
}

/** The detail of a stream whose place a publisher of higher priority needed. */
export function preemptedDetail(path: string, priority: number, own: number): string {
  return `there is no room for both, and ${path} has priority ${priority} over ${own}`;
}

const ORDER = /^by order of (.+), streams below priority (\d+) are given up/;
const PREEMPTED = /^there is no room for both, and (.+) has priority (\d+) over \d+$/;

/** What such a detail says; null when it was for the machine. */
export function shedCauseIn(detail: string): ShedCause | null {
  const ordered = ORDER.exec(detail);
  if (ordered !== null) {
    const [, by = '', below] = ordered;
    return { kind: 'order', by: by === UNKNOWN_OPERATOR ? null : by, belowPriority: Number(below) };
  }
  const preempted = PREEMPTED.exec(detail);
  if (preempted === null) return null;
  const [, path = '', priority] = preempted;
  return { kind: 'preempted', path, priority: Number(priority) };
}
