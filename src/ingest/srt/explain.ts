import { refusal } from '../../core/admission/denials.ts';
import type { Reason } from '../../core/reasons.ts';
import { SRT_CAUSE, type SrtEvent } from '../../native/srt.ts';
import { detailOf } from '../denial-words.ts';
import type { Decision } from '../ports.ts';
import { nothingToPlayDetail, streamIdDetail } from './codes.ts';
import type { DoorTables } from './door.ts';

/** What the door did, told as the decision and the sentence of its receipt. */

type RefusedEvent = Extract<SrtEvent, { type: 'refused' }>;

/** Why the door refuses, for the metrics: `limit` is any limit, cooldown, duplicate, or draining. */
export type DoorCause =
  | 'limit'
  | 'stream_id'
  | 'key'
  | 'denied'
  | 'behind'
  | 'not_ready'
  | 'no_such_stream'
  | 'passphrase';

const CAUSE_OF: Readonly<Record<number, DoorCause>> = {
  [SRT_CAUSE.BAD_STREAM_ID]: 'stream_id',
  [SRT_CAUSE.UNKNOWN_KEY]: 'key',
  [SRT_CAUSE.DENIED]: 'denied',
  [SRT_CAUSE.BEHIND]: 'behind',
  [SRT_CAUSE.NOT_READY]: 'not_ready',
  [SRT_CAUSE.NO_SUCH_STREAM]: 'no_such_stream',
  [SRT_CAUSE.PASSPHRASE]: 'passphrase',
};

export function causeOf({ cause }: RefusedEvent): DoorCause {
  return CAUSE_OF[cause] ?? 'limit';
}

export interface Explained {
  readonly decision: Decision;
  readonly detail: string;
}

/** How soon a caller may try again that was refused for the server's own haste, ms. */
const BEHIND_RETRY_MS = 1_000;

/** `ipKey` is the caller's address as per-address limits see it. Null: there is nothing to write down. */
export function explain(
  event: RefusedEvent,
  tables: DoorTables,
  ipKey: string,
  now: number,
): Explained | null {
  const { path, client } = event;
  if (event.cause > 0) {
    const decision = tables.decisionOf(event.version, event.cause, { ipKey, path, client }, now);
    return decision === null ? null : { decision, detail: detailOf(decision) };
  }
  const never = (reason: Reason, detail: string): Explained => ({
    decision: refusal(reason, ipKey, Number.POSITIVE_INFINITY),
    detail,
  });
  const soon = (detail: string): Explained => ({
    decision: refusal('global_connection_rate', 'global', BEHIND_RETRY_MS),
    detail,
  });
  switch (causeOf(event)) {
    case 'stream_id':
      return never('protocol_error', streamIdDetail(event.streamIdError));
    case 'key':
      return never('auth_failed', 'the stream key is unknown: check the stream key in the stream id');
    case 'denied':
      return never('denied', 'this address is on the deny list');
    case 'no_such_stream':
      return never('protocol_error', nothingToPlayDetail(path));
    case 'passphrase':
      return never(
        'auth_failed',
        'the passphrase is wrong, missing, or given where none is wanted: check passphrase= in the address',
      );
    case 'behind':
      return soon('more SRT callers at once than can be let in');
    case 'not_ready':
      return soon('the SRT listener has only just started');
    case 'limit':
      return null;
  }
}
