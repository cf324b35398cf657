import { refusal } from '../core/admission/denials.ts';
import { describeNotice } from '../core/notice.ts';
import type { Reason } from '../core/reasons.ts';
import type { Denial, Receipt } from '../core/verdict.ts';
import type { Decision } from './ports.ts';

/** What a publisher and the receipt are told of a decision. */

/** Reasons that no waiting mends. */
const NEVER_RIGHT: ReadonlySet<Reason> = new Set<Reason>(['auth_failed', 'protocol_error']);

/** A denial by the server itself, behind which no number stands. */
export function serverDenial(reason: Reason, key: string): Denial {
  // A wrong key stays wrong, a bad name bad; what else ends up here is over as soon as it is said.
  return refusal(reason, key, NEVER_RIGHT.has(reason) ? Number.POSITIVE_INFINITY : 0);
}

/** The line that the publisher is told. */
export function noticeOf(decision: Decision, receipt: Receipt): string {
  const { reason, limit, observed, windowMs, retryAfterMs } = decision;
  return describeNotice({ reason, limit, observed, windowMs, retryAfterMs, receipt: receipt.id });
}

/** One clause for people about a refusal. */
export function detailOf(denial: Decision): string {
  if (denial.cause !== undefined) return denial.cause;
  switch (denial.reason) {
    case 'stream_duplicate':
      return 'this path already has a live publisher';
    case 'cooldown':
      return 'this stream key or address was cut for cause a moment ago';
    case 'draining':
      return 'this server is shutting down';
    case 'shed':
      return 'this server sheds load, and keeps out publishers of this priority for the time being';
    case 'resource_cpu':
      return 'this server is short of CPU time';
    case 'resource_heap':
    case 'resource_memory':
      return 'this server is short of memory';
    case 'resource_event_loop':
      return 'this server answers late';
    default:
      return `the limit on ${denial.key} is reached`;
  }
}
