import type { Reason, Scope } from './reasons.ts';

/**
 * The answer to an admission question. A denial is a value, never an
 * exception. `retryAfterMs` is honest: one instant earlier is denied, that
 * instant passes if nothing else happened; `Infinity` means never.
 */
export interface Denial {
  readonly allowed: false;
  readonly reason: Reason;
  readonly scope: Scope;
  /** the key the limit is held on: an address, a client id, a path, `global` */
  readonly key: string;
  /** the configured limit, in its base unit, or null where the reason has none */
  readonly limit: number | null;
  /** what was seen against it, same unit */
  readonly observed: number | null;
  /** the period of a rate limit or averaging window, ms, or null */
  readonly windowMs: number | null;
  readonly retryAfterMs: number;
  /** one clause for the receipt, where the reason alone does not tell the cause */
  readonly cause?: string;
}

/** A held share of a budget. `release` gives it back, once, however often it is called. */
export interface Lease {
  release(now: number): void;
}

export interface Grant<L extends Lease = Lease> {
  readonly allowed: true;
  readonly lease: L;
}

export type AdmissionVerdict<L extends Lease = Lease> = Grant<L> | Denial;

/**
 * The written record of one refusal, throttle, drop or cut, kept in a bounded
 * ring and found by `headgate why`. Field names are the public contract.
 */
export interface Receipt {
  /** `r-` and lowercase base 36 */
  id: string;
  /** ISO 8601 wall time, UTC, of the first decision it stands for */
  at: string;
  /** how many like decisions it stands for: refusals of a flood share one receipt, 1 otherwise */
  count: number;
  /** wall time of the last of them; equals `at` when `count` is 1 */
  last_at: string;
  action: 'refuse' | 'throttle' | 'drop' | 'cut' | 'observe';
  reason: Reason;
  scope: Scope;
  key: string;
  limit: number | null;
  observed: number | null;
  /** ms */
  window: number | null;
  /** ms; null means never */
  retry_after_ms: number | null;
  ip: string;
  protocol: string;
  path: string | null;
  client: string | null;
  /** stream id when the decision met a live stream */
  stream: string | null;
  /** one sentence for people: what happened and what to do */
  detail: string;
}
