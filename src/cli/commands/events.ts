import { REASONS } from '../../core/reasons.ts';
import { soughtIn } from '../../core/words/sought.ts';
import { RECEIPT_ACTIONS } from '../../http/schemas/audit.ts';
import { HeadgateError } from '../../lib/errors.ts';
import { type AuditEvent, type EventFilter, OPERATOR_ACTIONS } from '../../telemetry/events.ts';
import { eventMatcher } from '../../telemetry/trail-pages.ts';
import type { ApiClient } from '../api/client.ts';
import { notHeadgate } from '../api/failures.ts';
import { type Followed, follow } from '../api/follow.ts';
import { auditLines } from '../audit-file.ts';
import { type Context, printJsonLine } from '../context.ts';
import { eventLine } from '../render/event-line.ts';
import { printView } from '../render/print.ts';
import type { Terminal } from '../terminal.ts';
import { checkWord, momentSince } from '../words.ts';

/** Which events; undefined: any. */
interface Wanted {
  readonly reason: string | undefined;
  readonly action: string | undefined;
  readonly key: string | undefined;
  /** `2h`, or a time */
  readonly since: string | undefined;
  /** events shown to begin with */
  readonly limit: number;
  readonly json: boolean;
}

export interface EventsOptions extends Wanted {
  readonly follow: boolean;
  /** from now on; ends following */
  readonly interrupted: () => AbortSignal;
}

export interface FileEventsOptions extends Wanted {
  readonly file: string;
  readonly follow: boolean;
}

/** What one answer of the API holds at most: asked for after an outage. */
const EVENTS_MAX = 1_000;

/** `headgate events`: the audit trail, oldest first, as it is or as it grows. */
export async function runEvents(options: EventsOptions, context: Context): Promise<number> {
  const filter = filterOf(options, context.terminal);
  if (options.follow) {
    await followEvents(options, filter, context);
    return 0;
  }
  const events = await lastEvents(context.api, filter, options.limit);
  for (const event of events) printEvent(event, options.json, context.terminal);
  if (events.length === 0)
    context.terminal.stderr.write(
      `headgate: no ${filter.isAny ? '' : 'such '}events${filter.isAny ? ' yet' : ''}\n`,
    );
  return 0;
}

/** `headgate events --file PATH`: the same out of an audit log. */
export async function runFileEvents(options: FileEventsOptions, terminal: Terminal): Promise<number> {
  if (options.follow) {
    throw new HeadgateError(
      'HG_USAGE',
      '--follow asks a server and goes without --file; `tail -F` follows a file',
    );
  }
  const filter = filterOf(options, terminal);
  // A receipt that others shared has a second line with its count: the last one counts.
  const kept = new Map<string, AuditEvent>();
  let unreadable = 0;
  let dropped = 0;
  for await (const line of auditLines(options.file, filter.sinceMs)) {
    if (line.kind === 'unreadable') unreadable++;
    else if (line.kind === 'dropped') dropped += line.count;
    else if (filter.matches(line.event)) {
      kept.set(stampOf(line.event).id, line.event);
      if (kept.size > options.limit) kept.delete(kept.keys().next().value!);
    }
  }
  for (const event of kept.values()) printEvent(event, options.json, terminal);
  const say = (sentence: string): unknown => terminal.stderr.write(`headgate: ${sentence}\n`);
  if (kept.size === 0) say('no such events in these files');
  if (dropped > 0) say(`${dropped} events are missing: they came while the file could not be written`);
  if (unreadable > 0) say(`${unreadable} lines could not be read`);
  return 0;
}

interface Filter {
  /** as the API takes it */
  readonly query: Readonly<Record<'reason' | 'action' | 'key', string | undefined>>;
  /** Unix ms; -Infinity: from the beginning */
  readonly sinceMs: number;
  readonly isAny: boolean;
  matches(event: AuditEvent): boolean;
}

/** Throws HG_USAGE for words and times that there are not. */
function filterOf({ reason, action, key, since }: Wanted, terminal: Terminal): Filter {
  checkWord('reason', reason, REASONS);
  checkWord('action', action, [...RECEIPT_ACTIONS, ...OPERATOR_ACTIONS]);
  const query = { reason, action, key: key === undefined ? undefined : soughtIn(key) };
  const sinceMs = since === undefined ? Number.NEGATIVE_INFINITY : momentSince(since, terminal.wallMs());
  const fits = eventMatcher({ ...query, limit: EVENTS_MAX } as EventFilter);
  return {
    query,
    sinceMs,
    isAny: since === undefined && Object.values(query).every((value) => value === undefined),
    matches: (event) => fits(event) && !(Date.parse(stampOf(event).at) < sinceMs),
  };
}

async function followEvents(
  { limit, json, interrupted }: EventsOptions,
  filter: Filter,
  context: Context,
): Promise<void> {
  const { api, terminal } = context;
  const say = (sentence: string): unknown => terminal.stderr.write(`headgate: ${sentence}\n`);
  const printed = new Printed();
  let isLost = false;
  let wanted = limit;
  const print = (event: AuditEvent, live: boolean): void => {
    if (filter.matches(event) && printed.add(event, live)) printEvent(event, json, terminal);
  };
  for await (const item of follow(api, { interval: 'never', signal: interrupted() })) {
    if (item.kind === 'lost') {
      if (!isLost) say(`${item.why.message}; trying again until it is back`);
      isLost = true;
    } else if (item.kind === 'open') {
      if (isLost) say(`${api.url} is back`);
      isLost = false;
      // Asked for after subscribing: what happens in between comes twice, and is printed once.
      for (const event of await eventsIfThere(api, filter, wanted)) print(event, false);
      wanted = EVENTS_MAX;
    } else if (item.event === 'dropped') {
      say('events came faster than they were read; some are left out here, `headgate events` has the latest');
    } else {
      const event = auditEventOf(item, api);
      if (event !== null) print(event, true);
    }
  }
}

/** Oldest first, page by page: one answer has at most `EVENTS_MAX`. */
async function lastEvents(api: ApiClient, filter: Filter, limit: number): Promise<AuditEvent[]> {
  const found: AuditEvent[] = [];
  let cursor: string | undefined;
  do {
    const query = { ...filter.query, limit: Math.min(EVENTS_MAX, limit - found.length), cursor };
    const page = await api.get<{ events: AuditEvent[]; next_cursor: string | null }>(
      '/api/v1/audit',
      'events',
      query,
    );
    const fresh = page.events.filter((event) => !(Date.parse(stampOf(event).at) < filter.sinceMs));
    found.push(...fresh);
    cursor = fresh.length < page.events.length ? undefined : (page.next_cursor ?? undefined);
  } while (cursor !== undefined && found.length < limit);
  return found.toReversed();
}

/** As `lastEvents`; none when the server has just gone again, which the subscription will tell. */
async function eventsIfThere(api: ApiClient, filter: Filter, limit: number): Promise<AuditEvent[]> {
  try {
    return await lastEvents(api, filter, limit);
  } catch (error) {
    if (error instanceof HeadgateError) return [];
    throw error;
  }
}

/** The event in the shape that `GET /api/v1/audit` gives it; null for other kinds. */
function auditEventOf(
  { event, data }: Extract<Followed, { kind: 'event' }>,
  api: ApiClient,
): AuditEvent | null {
  if (event !== 'receipt' && event !== 'audit') return null;
  try {
    const value = JSON.parse(data);
    return event === 'receipt' ? { kind: 'receipt', receipt: value } : { kind: 'audit', action: value };
  } catch {
    throw notHeadgate(api.url, 'its events are not JSON');
  }
}

function stampOf(event: AuditEvent): { readonly id: string; readonly at: string } {
  return event.kind === 'receipt' ? event.receipt : event.action;
}

function printEvent(event: AuditEvent, json: boolean, terminal: Terminal): void {
  if (json) printJsonLine(terminal, event);
  else printView(terminal, [eventLine(event)]);
}

/** What was printed already: two answers overlap, and an answer overlaps with what is heard live. */
class Printed {
  readonly #ids = new Set<string>();
  /** wall time of the newest, ISO 8601 */
  #newest = '';

  /**
   * False when it was printed. Out of a list also when it is older than what
   * was; what is heard live is new, whatever the server's clock was set to.
   */
  add(event: AuditEvent, live: boolean): boolean {
    const { id, at } = stampOf(event);
    if (this.#ids.has(id) || (!live && at < this.#newest)) return false;
    this.#newest = at;
    this.#ids.add(id);
    if (this.#ids.size > 2 * EVENTS_MAX) this.#ids.delete(this.#ids.values().next().value!);
    return true;
  }
}
