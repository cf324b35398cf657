/** One line of the audit trail, whoever it is about: a decision about a publisher, or what an operator or the server did. */

import { storyOf } from '../../src/core/words/receipt.ts';
import type { AuditEvent, OperatorAction } from '../../src/telemetry/events.ts';
import { ACTIONS } from '../receipts/actions.ts';
import { href } from '../router.ts';
import type { Tone } from '../ui/badge.tsx';

export interface EventRow {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  readonly tone: Tone;
  /** who did it: of a decision the rule that it is from */
  readonly by: string;
  /** what it was done to, and where more is told of that */
  readonly about: string;
  readonly aboutHref: string | null;
  readonly told: string;
  readonly toldHref: string | null;
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
    aboutHref: href('receipts', null, { key: about }),
    told: `${told} because ${because}${times}`,
    toldHref: href('receipts', null, { key: receipt.id }),
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
    aboutHref: target?.startsWith('s-') === true ? href('streams', target) : null,
    told: detail,
    toldHref: null,
  };
}
