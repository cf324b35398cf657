import { HeadgateError } from '../../lib/errors.ts';
import type { AuditEvent } from '../../telemetry/events.ts';
import type { ApiClient } from '../api/client.ts';
import { notHeadgate } from '../api/failures.ts';
import { type Followed, follow } from '../api/follow.ts';
import { type Context, printJsonLine } from '../context.ts';
import { eventLine } from '../render/event-line.ts';
import { printView } from '../render/print.ts';

export interface EventsOptions {
  /** events shown to begin with, 1..1000 */
  readonly limit: number;
  readonly follow: boolean;
  readonly json: boolean;
  /** from now on; ends following */
  readonly interrupted: () => AbortSignal;
}

/** What one answer of the API holds at most: asked for after an outage. */
const EVENTS_MAX = 1_000;

/** `headgate events`: the audit trail, oldest first, as it is or as it grows. */
export async function runEvents(options: EventsOptions, context: Context): Promise<number> {
  if (options.follow) {
    await followEvents(options, context);
    return 0;
  }
  const events = await lastEvents(context.api, options.limit);
  for (const event of events) printEvent(event, options.json, context);
  if (events.length === 0) context.terminal.stderr.write('headgate: no events yet\n');
  return 0;
}

async function followEvents({ limit, json, interrupted }: EventsOptions, context: Context): Promise<void> {
  const { api, terminal } = context;
  const say = (sentence: string): unknown => terminal.stderr.write(`headgate: ${sentence}\n`);
  const printed = new Printed();
  let isLost = false;
  let wanted = limit;
  const print = (event: AuditEvent): void => {
    if (printed.add(event)) printEvent(event, json, context);
  };
  for await (const item of follow(api, { interval: 'never', signal: interrupted() })) {
    if (item.kind === 'lost') {
      if (!isLost) say(`${item.why.message}; trying again until it is back`);
      isLost = true;
    } else if (item.kind === 'open') {
      if (isLost) say(`${api.url} is back`);
      isLost = false;
      // Asked for after subscribing: what happens in between comes twice, and is printed once.
      for (const event of await eventsIfThere(api, wanted)) print(event);
      wanted = EVENTS_MAX;
    } else if (item.event === 'dropped') {
      say('events came faster than they were read; some are left out here, `headgate events` has the latest');
    } else {
      const event = auditEventOf(item, api);
      if (event !== null) print(event);
    }
  }
}

/** Oldest first. */
async function lastEvents(api: ApiClient, limit: number): Promise<AuditEvent[]> {
  const { events } = await api.get<{ events: AuditEvent[] }>('/api/v1/audit', 'events', { limit });
  return events.toReversed();
}

/** As `lastEvents`; none when the server has just gone again, which the subscription will tell. */
async function eventsIfThere(api: ApiClient, limit: number): Promise<AuditEvent[]> {
  try {
    return await lastEvents(api, limit);
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

function printEvent(event: AuditEvent, json: boolean, { terminal }: Context): void {
  if (json) printJsonLine(terminal, event);
  else printView(terminal, [eventLine(event)]);
}

/** What was printed already: two answers overlap, and an answer overlaps with what is heard live. */
class Printed {
  readonly #ids = new Set<string>();
  /** wall time of the newest, ISO 8601 */
  #newest = '';

  /** False when it was printed, or is older than what was. */
  add(event: AuditEvent): boolean {
    const { id, at } = event.kind === 'receipt' ? event.receipt : event.action;
    if (this.#ids.has(id) || at < this.#newest) return false;
    this.#newest = at;
    this.#ids.add(id);
    if (this.#ids.size > 2 * EVENTS_MAX) this.#ids.delete(this.#ids.values().next().value!);
    return true;
  }
}
