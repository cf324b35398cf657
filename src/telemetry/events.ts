/**
 * The audit trail's vocabulary: beside the receipts of `core/verdict.ts`, what
 * an operator or the server itself did.
 */
import type { Reason } from '../core/reasons.ts';
import type { Receipt } from '../core/verdict.ts';

/** What an operator did, or the server at his word; `refused` is a change that somebody had no right to. */
const COMMANDED = ['kick', 'limit', 'backpressure', 'reload', 'start', 'drain', 'refused'] as const;

/** What the server did by itself as the machine fared: the gate, the adaptive factor, shedding and its recovery, samplers. */
export const GOVERNOR_ACTIONS = ['gate', 'adaptive', 'shed', 'recover', 'sampler'] as const;

export type GovernorAction = (typeof GOVERNOR_ACTIONS)[number];

export const OPERATOR_ACTIONS = [...COMMANDED, ...GOVERNOR_ACTIONS] as const;

/** Something an operator or the server did. */
export interface OperatorAction {
  /** `a-` and lowercase base 36 */
  id: string;
  /** ISO 8601 wall time, UTC */
  at: string;
  action: (typeof OPERATOR_ACTIONS)[number];
  /** who: `operator alice@192.0.2.1`, `operator@127.0.0.1`, `SIGHUP`, `file watch`, `server`, `governor` */
  by: string;
  /** what it was done to: a stream id, a file; null for the server as a whole */
  target: string | null;
  result: 'ok' | 'failed';
  /** one sentence for people; the cause when it failed */
  detail: string;
}

/** One line of the trail, as subscribers get it. */
export type AuditEvent =
  | { readonly kind: 'receipt'; readonly receipt: Receipt }
  | { readonly kind: 'audit'; readonly action: OperatorAction };

/** What a list of the trail is asked for; every condition given must hold. */
interface TrailFilter {
  /** at most this many, at least 1 */
  readonly limit: number;
  /** the `next` of an earlier page */
  readonly cursor?: string | undefined;
}

export interface ReceiptFilter extends TrailFilter {
  /** matches a receipt's id, key, ip, client, path, stream id, or the last part of its path (the stream's name) */
  readonly key?: string | undefined;
  readonly reason?: Reason | undefined;
  readonly action?: Receipt['action'] | undefined;
  readonly ip?: string | undefined;
  readonly client?: string | undefined;
  readonly protocol?: string | undefined;
}

export interface EventFilter extends TrailFilter {
  readonly kind?: AuditEvent['kind'] | undefined;
  /** what was done: an action of a receipt or of an operator */
  readonly action?: Receipt['action'] | OperatorAction['action'] | undefined;
  /** of receipts only: leaves no action of an operator */
  readonly reason?: Reason | undefined;
  /** as in `ReceiptFilter`; of an operator's action its id, its target or who did it */
  readonly key?: string | undefined;
}

/** A part of a list. */
export interface Page<T> {
  readonly items: T[];
  /** the cursor of the next page; null at the end. A search that takes long ends a page early, even an empty one. */
  readonly next: string | null;
}
