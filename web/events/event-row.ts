/** One line of the audit trail, whoever it is about: a decision about a publisher, or what an operator or the server did. */

import { storyOf } from '../../src/core/words/receipt.ts';
import type { AuditEvent, OperatorAction } from '../../src/telemetry/events.ts';
import { ACTIONS } from '../receipts/actions.ts';
import type { Tone } from '../ui/tone.ts';

export interface EventRow {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  readonly tone: Tone;
  /** who did it: of a decision the rule that it is from */
  readonly by: string;
  /** what it was done to */
  readonly about: string;
  /** id of that, when it is a stream that an operator named */
  readonly stream: string | null;
  readonly told: string;
  /** id of the receipt that tells more; its `about` is found among receipts */
  readonly receipt: string | null;
}

/** What the server or an operator does is worth a glance where it takes something away. */
const TONES: Partial<Readonly<Record<OperatorAction['action'], Tone>>> = {
  kick: 'warn',
  limit: 'info',
  backpressure: 'warn',
  refused: 'bad',
  gate: 'warn',
  shed: 'bad',
  recover: 'ok',
};

export function eventRow(event: AuditEvent): EventRow {
  if (event.kind === 'audit') return actionRow(event.action);
  const { receipt } = event;
  const { word, tone } = ACTIONS[receipt.action];
  const { told, because } = storyOf(receipt);
  const about = receipt.path ?? receipt.client ?? receipt.ip;
  const times = receipt.count > 1 ? ` (${receipt.count} times)` : '';
  return {
    id: receipt.id,
    at: receipt.at,
    kind: word,
    tone,
    by: receipt.reason,
    about,
    stream: null,
    told: `${told} because ${because}${times}`,
    receipt: receipt.id,
  };
}

function actionRow({ id, at, action, by, target, result, detail }: OperatorAction): EventRow {
  const failed = result === 'failed';
  return {
    id,
    at,
    kind: failed ? `${action} failed` : action,
    tone: failed ? 'bad' : (TONES[action] ?? 'idle'),
    by,
    about: target ?? 'the server',
    stream: target?.startsWith('s-') === true ? target : null,
    told: detail,
    receipt: null,
  };
}
