/**
 * Lists of the audit trail, page by page, newest first. Entries are numbered as
 * they are written and never move, so a cursor is the number of the last one
 * listed: what comes meanwhile is newer, what leaves is older, and no entry is
 * listed twice or left out.
 */
import type { Receipt } from '../core/verdict.ts';
import type { AuditEvent, EventFilter, OperatorAction, Page, ReceiptFilter } from './events.ts';
import { printable } from './printable.ts';

/** Entries looked at for one page, some milliseconds: a search of a larger trail than the usual one goes on with the next page. */
const LOOKED_AT_MAX = 20_000;

/** An entry, and the cursor of what follows it. */
interface Step<T> {
  readonly item: T;
  cursor(): string;
}

/** Items of `steps` that match, at most `limit`. */
export function pageOf<T>(steps: Iterable<Step<T>>, limit: number, matches: (item: T) => boolean): Page<T> {
  const items: T[] = [];
  let lookedAt = 0;
  let last: Step<T> | null = null;
  for (const step of steps) {
    const fits = matches(step.item);
    if (last !== null && (lookedAt === LOOKED_AT_MAX || (fits && items.length === limit))) {
      return { items, next: last.cursor() };
    }
    if (fits) items.push(step.item);
    lookedAt++;
    last = step;
  }
  return { items, next: null };
}

/** The number in `r-1f3c` or `a-2b`. */
export function numberOf(id: string): number {
  return Number.parseInt(id.slice(2), 36);
}

export function* receiptSteps(receipts: Iterable<Receipt>): Generator<Step<Receipt>> {
  for (const item of receipts) yield { item, cursor: () => item.id };
}

/** Receipts below which a page begins. A cursor that is none begins with the newest. */
export function receiptsBefore(cursor: string | undefined): number {
  const number = cursor === undefined ? Number.NaN : numberOf(cursor);
  return Number.isNaN(number) ? Number.POSITIVE_INFINITY : number;
}

/** Where a page of both begins: `<receipt>.<action>`, base 36, each the last one listed. */
export interface EventPlace {
  readonly receipt: number;
  readonly action: number;
}

/** Without a cursor a list begins at `newest`, so that what comes before its second page is on none. */
export function eventsBefore(cursor: string | undefined, newest: EventPlace): EventPlace {
  const [receipt, action] = (cursor ?? '').split('.', 2).map((number) => Number.parseInt(number, 36));
  if (receipt === undefined || action === undefined || Number.isNaN(receipt + action)) return newest;
  return { receipt, action };
}

/** Both kinds merged by their time; each kind keeps its own order, also where the clock went back. */
export function* eventSteps(
  receipts: Iterator<Receipt>,
  actions: Iterator<OperatorAction>,
  begin: EventPlace,
): Generator<Step<AuditEvent>> {
  let { receipt: receiptAt, action: actionAt } = begin;
  let receipt = receipts.next();
  let action = actions.next();
  while (!(receipt.done && action.done)) {
    let item: AuditEvent;
    if (action.done || (!receipt.done && receipt.value.at >= action.value.at)) {
      item = { kind: 'receipt', receipt: receipt.value as Receipt };
      receiptAt = numberOf(item.receipt.id);
      receipt = receipts.next();
    } else {
      item = { kind: 'audit', action: action.value };
      actionAt = numberOf(action.value.id);
      action = actions.next();
    }
    const place = { receipt: receiptAt, action: actionAt };
    yield { item, cursor: () => `${place.receipt.toString(36)}.${place.action.toString(36)}` };
  }
}

/** Newest first, of lists that are each oldest first, those numbered below `before`. */
export function* actionsBackwards(
  lists: readonly (readonly OperatorAction[])[],
  before: number,
): Generator<OperatorAction> {
  const at = lists.map((list) => list.length - 1);
  for (;;) {
    let newest = -1;
    let found: OperatorAction | undefined;
    for (const [index, list] of lists.entries()) {
      const action = list[at[index]!];
      if (action !== undefined && (found === undefined || numberOf(action.id) > numberOf(found.id))) {
        newest = index;
        found = action;
      }
    }
    if (found === undefined) return;
    at[newest]!--;
    if (numberOf(found.id) < before) yield found;
  }
}

export function receiptMatcher(
  filter: Omit<ReceiptFilter, 'limit' | 'cursor'>,
): (receipt: Receipt) => boolean {
  const { reason, action, ip, client, protocol } = filter;
  const key = filter.key === undefined ? undefined : printable(filter.key);
  return (receipt) =>
    (reason === undefined || receipt.reason === reason) &&
    (action === undefined || receipt.action === action) &&
    (ip === undefined || receipt.ip === ip) &&
    (client === undefined || receipt.client === client) &&
    (protocol === undefined || receipt.protocol === protocol) &&
    (key === undefined || mentions(receipt, key));
}

export function eventMatcher({ kind, action, reason, key }: EventFilter): (event: AuditEvent) => boolean {
  const sought = key === undefined ? undefined : printable(key);
  return (event) => {
    if (kind !== undefined && event.kind !== kind) return false;
    if (event.kind === 'receipt') {
      const { receipt } = event;
      return (
        (action === undefined || receipt.action === action) &&
        (reason === undefined || receipt.reason === reason) &&
        (sought === undefined || mentions(receipt, sought))
      );
    }
    const { action: done } = event;
    return (
      reason === undefined &&
      (action === undefined || done.action === action) &&
      (sought === undefined || done.id === sought || done.target === sought || done.by === sought)
    );
  };
}

function mentions(receipt: Receipt, key: string): boolean {
  return (
    receipt.id === key ||
    receipt.key === key ||
    receipt.ip === key ||
    receipt.client === key ||
    receipt.stream === key ||
    receipt.path === key ||
    receipt.path?.slice(receipt.path.lastIndexOf('/') + 1) === key
  );
}
