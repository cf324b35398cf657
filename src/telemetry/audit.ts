/**
 * The audit trail: the last receipts and operator actions, in two rings, with
 * subscribers that are told each one as it happens.
 *
 * A flood must neither cost much nor wash the trail away. So refusals before a
 * publish (TCP level: no path is known yet) or at the door of SRT that are alike (same reason,
 * key and detail, and same address when the key is wider than one) share a receipt for a
 * second and only raise its `count`. Past `FLOOD_RECEIPTS_PER_SECOND` different ones in a
 * second, the rest of that second is counted on one receipt per reason whose
 * key and address are `*`. So whoever is refused floods at most that many
 * receipts a second, and recording stays O(1).
 */
import type { Reason } from '../core/reasons.ts';
import { REASONS } from '../core/reasons.ts';
import type { Denial, Receipt } from '../core/verdict.ts';
import {
  type AuditEvent,
  type EventFilter,
  GOVERNOR_ACTIONS,
  type OperatorAction,
  type Page,
  type ReceiptFilter,
} from './events.ts';
import { printable } from './printable.ts';
import {
  actionsBackwards,
  eventMatcher,
  eventSteps,
  eventsBefore,
  numberOf,
  pageOf,
  receiptMatcher,
  receiptSteps,
  receiptsBefore,
} from './trail-pages.ts';

/** How long like refusals share a receipt, ms: short enough that `at` still says when. */
const COALESCE_MS = 1_000;

/** Different TCP-level receipts a second: the default ring of 10,000 then holds at least 100 s of a flood. */
const FLOOD_RECEIPTS_PER_SECOND = 100;

/** Operator actions kept. They are rare; a thousand is weeks. */
const ACTIONS_KEPT = 1_000;

/** What the governor did is kept apart, so that a night of it cannot wash away who kicked whom: an hour at a change every few seconds. */
const GOVERNED_KEPT = 1_000;

/** Refused changes, kept apart for the same reason: strangers bring them about, six a minute each. */
const REFUSED_KEPT = 500;
const GOVERNED: ReadonlySet<OperatorAction['action']> = new Set(GOVERNOR_ACTIONS);

/** Subscribers at once: dashboards and `headgate events`, not a public feed. */
const SUBSCRIBERS_MAX = 64;

/** 2026-01-01T00:00Z, Unix ms. Ids count from here in tenths of a second, so that a restart does not reuse them. */
const ID_EPOCH_MS = 1_767_225_600_000;

/** Who and what a decision met, beside the decision itself. */
export interface DecisionContext {
  readonly action: Receipt['action'];
  readonly ip: string;
  readonly protocol: string;
  /** null while it is not known (TCP level) */
  readonly path: string | null;
  readonly client: string | null;
  readonly stream: string | null;
  /** one sentence for people */
  readonly detail: string;
  /**
   * How many like refusals this is, where callers are told no before anything
   * is set up for them (SRT): as cheap to bring about as those on the TCP level,
   * so they share receipts like these, though their path may be known.
   */
  readonly times?: number;
}

export type Decision = Omit<Denial, 'allowed'> & DecisionContext;

export interface AuditOptions {
  /** receipts kept, at least 1 */
  readonly receipts: number;
  /** wall clock, Unix ms, for display */
  readonly wallMs: () => number;
  /** told a receipt a second time, with its `count`, when others have shared it and none will any more */
  readonly onShared?: (receipt: Receipt) => void;
}

export class AuditTrail {
  readonly #wallMs: () => number;
  readonly #listeners = new Set<(event: AuditEvent) => void>();
  readonly #actions: OperatorAction[] = [];
  readonly #governed: OperatorAction[] = [];
  readonly #refused: OperatorAction[] = [];
  #ring: (Receipt | undefined)[];
  /** number of the next receipt; its place in the ring is the number modulo the ring's length */
  #next: number;
  #nextAction: number;
  #recorded = 0;
  /** the last time that was written out, and as what */
  #toldMs = Number.NaN;
  #told = '';
  /** receipts that like refusals of the current second may still join */
  #open = new Map<string, Receipt>();
  #openSince = Number.NEGATIVE_INFINITY;
  /** of the open ones those that others have joined */
  readonly #shared = new Set<Receipt>();
  readonly #onShared: (receipt: Receipt) => void;

  constructor(options: AuditOptions) {
    this.#wallMs = options.wallMs;
    this.#onShared = options.onShared ?? (() => undefined);
    this.#ring = new Array<Receipt | undefined>(options.receipts);
    this.#next = Math.max(0, Math.floor((options.wallMs() - ID_EPOCH_MS) / 100));
    this.#nextAction = this.#next;
  }

  /** Decisions recorded since the start, those that only raised a `count` included. */
  get recorded(): number {
    return this.#recorded;
  }

  /**
   * Writes the receipt of one decision, or counts it on an open one. `now` is
   * monotonic ms. The receipt is live: its `count` and `last_at` may still grow.
   */
  record(decision: Decision, now: number): Receipt {
    const times = decision.times ?? 1;
    this.#recorded += times;
    const atDoor = decision.path === null || decision.times !== undefined;
    if (decision.action !== 'refuse' || !atDoor) return this.#write(decision);
    if (!(now - this.#openSince < COALESCE_MS && now >= this.#openSince)) {
      this.#closeShared();
      this.#openSince = now;
    }
    const likeness = `${decision.reason} ${decision.key} ${decision.scope === 'ip' ? '' : decision.ip} ${decision.path ?? ''} ${decision.detail}`;
    const like = this.#open.get(likeness);
    if (like !== undefined) return this.#count(like, times);
    if (this.#open.size < FLOOD_RECEIPTS_PER_SECOND) {
      const receipt = this.#write(decision);
      this.#open.set(likeness, receipt);
      return receipt;
    }
    return this.#flooded(decision);
  }

  /** Tells the counts of receipts that nothing joins any more, also when nobody is refused after them. `now` as in `record`. */
  settle(now: number): void {
    if (this.#open.size > 0 && now - this.#openSince >= COALESCE_MS) this.#closeShared();
  }

  /** Writes down what an operator or the server itself did. */
  act(action: Omit<OperatorAction, 'id' | 'at'>): OperatorAction {
    const written: OperatorAction = {
      id: `a-${(this.#nextAction++).toString(36)}`,
      at: this.#timeNow(),
      action: action.action,
      by: printable(action.by),
      target: action.target === null ? null : printable(action.target),
      result: action.result,
      detail: printable(action.detail, 1_000),
    };
    const [kept, most] = this.#keeping(action.action);
    kept.push(written);
    if (kept.length > most) kept.shift();
    this.#tell({ kind: 'audit', action: written });
    return written;
  }

  /** The receipt of that id while it is in the ring. */
  find(id: string): Receipt | null {
    const match = /^r-([0-9a-z]{1,10})$/.exec(id);
    if (match === null) return null;
    const receipt = this.#ring[Number.parseInt(match[1]!, 36) % this.#ring.length];
    return receipt?.id === id ? receipt : null;
  }

  /** A page of receipts that match, newest first. A scan of the ring: under a millisecond for the default 10,000. */
  receipts(filter: ReceiptFilter): Page<Receipt> {
    const receipts = this.#receiptsBackwards(receiptsBefore(filter.cursor));
    return pageOf(receiptSteps(receipts), filter.limit, receiptMatcher(filter));
  }

  /** A page of receipts and actions together, newest first. */
  events(filter: EventFilter): Page<AuditEvent> {
    const begin = eventsBefore(filter.cursor, { receipt: this.#next, action: this.#nextAction });
    const receipts = this.#receiptsBackwards(begin.receipt);
    const actions = actionsBackwards([this.#actions, this.#governed, this.#refused], begin.action);
    return pageOf(eventSteps(receipts, actions, begin), filter.limit, eventMatcher(filter));
  }

  /** All receipts that match up to `limit`, newest first, however many pages they are on. */
  query(filter: ReceiptFilter): Receipt[] {
    const found: Receipt[] = [];
    let cursor = filter.cursor;
    do {
      const { items, next } = this.receipts({ ...filter, cursor, limit: filter.limit - found.length });
      found.push(...items);
      cursor = next ?? undefined;
    } while (cursor !== undefined && found.length < filter.limit);
    return found;
  }

  /** The last `limit` receipts and actions together, newest first. */
  recent(limit: number): AuditEvent[] {
    return this.events({ limit }).items;
  }

  /** See `AuditPort.subscribe`. A listener must not throw. */
  subscribe(listener: (event: AuditEvent) => void): (() => void) | null {
    if (this.#listeners.size >= SUBSCRIBERS_MAX) return null;
    const own = (event: AuditEvent): void => listener(event);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  /** Changes how many receipts are kept (config reload); the newest stay. */
  resize(receipts: number): void {
    if (receipts === this.#ring.length) return;
    const kept = [...this.#receiptsBackwards(Number.POSITIVE_INFINITY)].slice(0, receipts);
    this.#ring = new Array<Receipt | undefined>(receipts);
    for (const receipt of kept) this.#ring[numberOf(receipt.id) % receipts] = receipt;
  }

  /** The ring an action goes into, and how many it holds. */
  #keeping(action: OperatorAction['action']): [OperatorAction[], number] {
    if (action === 'refused') return [this.#refused, REFUSED_KEPT];
    return GOVERNED.has(action) ? [this.#governed, GOVERNED_KEPT] : [this.#actions, ACTIONS_KEPT];
  }

  #flooded(decision: Decision): Receipt {
    const likeness = FLOOD_KEYS[decision.reason];
    const like = this.#open.get(likeness);
    if (like !== undefined) return this.#count(like, decision.times ?? 1);
    const receipt = this.#write({
      ...decision,
      key: '*',
      path: null,
      client: null,
      ip: '*',
      detail: `more refusals of this kind in one second than are told apart; the first was ${decision.ip}`,
    });
    this.#open.set(likeness, receipt);
    return receipt;
  }

  /** ISO time; a flood asks many times in a millisecond, and writing it out costs microseconds. */
  #timeNow(): string {
    const ms = this.#wallMs();
    if (ms !== this.#toldMs) {
      this.#toldMs = ms;
      this.#told = new Date(ms).toISOString();
    }
    return this.#told;
  }

  #closeShared(): void {
    this.#open.clear();
    for (const receipt of this.#shared) this.#onShared(receipt);
    this.#shared.clear();
  }

  #count(receipt: Receipt, times: number): Receipt {
    this.#shared.add(receipt);
    receipt.count += times;
    receipt.last_at = this.#timeNow();
    return receipt;
  }

  #write(decision: Decision): Receipt {
    const number = this.#next++;
    const at = this.#timeNow();
    const receipt: Receipt = {
      id: `r-${number.toString(36)}`,
      at,
      count: decision.times ?? 1,
      last_at: at,
      action: decision.action,
      reason: decision.reason,
      scope: decision.scope,
      key: printable(decision.key),
      limit: finite(decision.limit),
      observed: finite(decision.observed),
      window: finite(decision.windowMs),
      // Rounded up: a promise in whole milliseconds must not come early.
      retry_after_ms: finite(Math.ceil(decision.retryAfterMs)),
      ip: printable(decision.ip),
      protocol: decision.protocol,
      path: decision.path === null ? null : printable(decision.path),
      client: decision.client === null ? null : printable(decision.client),
      stream: decision.stream,
      detail: printable(decision.detail, 1_000),
    };
    this.#ring[number % this.#ring.length] = receipt;
    this.#tell({ kind: 'receipt', receipt });
    return receipt;
  }

  #tell(event: AuditEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Newest first, those numbered below `before`. */
  *#receiptsBackwards(before: number): Generator<Receipt> {
    const size = this.#ring.length;
    const oldest = Math.max(0, this.#next - size);
    for (let number = Math.min(this.#next, before) - 1; number >= oldest; number--) {
      const receipt = this.#ring[number % size];
      if (receipt === undefined) return;
      yield receipt;
    }
  }
}

/** Map keys of the overflow receipts, made once so that a flood makes no strings. No likeness is a bare word. */
const FLOOD_KEYS = Object.fromEntries(REASONS.map((reason) => [reason, `${reason}*`])) as Record<
  Reason,
  string
>;

/** Six decimals are all that a quantity can be written with; what follows is only how doubles add up. */
function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? Number(value.toFixed(6)) : null;
}
