import type { Denial } from '../verdict.ts';

/** Whom a refusal meets: everybody, an address key, a key id, a client, everybody who would publish. */
export type RefusedKind = 'all' | 'address' | 'key' | 'client' | 'publishers';

/** What somebody would be answered who asks now: see `Admission.refusals`. */
export interface Refusal {
  readonly kind: RefusedKind;
  /** the address key, key id or client; empty where the kind says it all */
  readonly name: string;
  /** the answer, as `connect` or `publish` would give it now */
  readonly denial: Denial;
  /** monotonic ms at which it is over by itself; Infinity for what only another's leaving ends */
  readonly untilMs: number;
  /** meets addresses on the `allow` list too */
  readonly evenExempt: boolean;
}

/** `open`: waiting alone does not end it. */
export function inForce(
  kind: RefusedKind,
  name: string,
  denial: Denial,
  open: boolean,
  now: number,
  evenExempt = false,
): Refusal {
  return {
    kind,
    name,
    denial,
    untilMs: open ? Number.POSITIVE_INFINITY : now + denial.retryAfterMs,
    evenExempt,
  };
}
