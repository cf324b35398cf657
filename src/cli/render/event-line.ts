/** One line for one event of the audit trail. Pure. */

import type { Receipt } from '../../core/verdict.ts';
import { instant, limitWords, observedWords } from '../../core/words/limits.ts';
import type { AuditEvent, OperatorAction } from '../../telemetry/events.ts';
import { type Line, pad, type Span, span, widthOf } from '../top/text.ts';
import { actionStyle } from './receipt-story.ts';

/** Cells of the longest action against a publisher, `throttle`, and of the longest common reason, `client_publish_rate`. */
const ACTION_CELLS = 8;
const REASON_CELLS = 19;

export function eventLine(event: AuditEvent): Line {
  return { spans: event.kind === 'receipt' ? receiptSpans(event.receipt) : actionSpans(event.action) };
}

function receiptSpans(receipt: Receipt): Span[] {
  const { action, reason, id, count } = receipt;
  const style = actionStyle(action);
  return [
    span(`${instant(receipt.at)}  `, 'dim'),
    span(pad(action, ACTION_CELLS), style),
    span(`  ${pad(reason, REASON_CELLS)}  `),
    span(`${subject(receipt)}${numbers(receipt)}${count > 1 ? `  ${count} times` : ''}  `),
    span(id, 'dim'),
  ];
}

function subject({ path, client, ip }: Receipt): string {
  const who = client === null || client === ip ? ip : `${client}@${ip}`;
  return path === null ? who : `${path}  ${who}`;
}

/** What was seen of what is allowed. */
function numbers({ reason, limit, observed, window }: Receipt): string {
  if (limit === null || observed === null) return '';
  return `  ${observedWords(reason, observed)} of ${limitWords(reason, limit, window)}`;
}

function actionSpans({ at, action, by, target, result, detail }: OperatorAction): Span[] {
  return [
    span(`${instant(at)}  `, 'dim'),
    // One that is longer stands out of line rather than be cut.
    span(pad(action, Math.max(ACTION_CELLS, widthOf(action))), result === 'failed' ? 'bad' : 'accent'),
    span(
      `  by ${by}${target === null ? '' : ` on ${target}`}${result === 'failed' ? ' failed' : ''}: ${detail}`,
    ),
  ];
}
