/** A receipt told to people, in the same words wherever it is read: who, what and why, until when, what to do. */

import { shedCauseIn } from '../shedding/causes.ts';
import type { Receipt } from '../verdict.ts';
import { durationWords, limitWords, observedWords } from './limits.ts';
import { REASON_WORDS, type ReasonWords } from './reasons.ts';

const ACTION_WORDS: Readonly<Record<Receipt['action'], string>> = {
  refuse: 'was refused',
  cut: 'was disconnected',
  drop: 'lost video frames',
  throttle: 'was slowed down',
  observe: 'was let through over a limit',
};

/** What a newer server may say that this version does not know. */
const UNKNOWN_REASON: ReasonWords = {
  because: 'of a reason that this version of headgate does not know',
  advice: 'Update headgate here to the version of the server',
};

/** Sentences without their full stops. "`who` `told` because `because`." is one. */
export interface ReceiptStory {
  readonly who: string;
  readonly told: string;
  readonly because: string;
  /** an imperative */
  readonly advice: string;
}

export function storyOf(receipt: Receipt): ReceiptStory {
  const words = shedWords(receipt) ?? REASON_WORDS[receipt.reason] ?? UNKNOWN_REASON;
  return {
    who: whoWas(receipt),
    told: ACTION_WORDS[receipt.action] ?? receipt.action,
    because: filled(words, receipt),
    advice: words.advice,
  };
}

/** What was not shed for the machine's sake; null for all else. */
function shedWords({ reason, detail }: Receipt): ReasonWords | null {
  const cause = reason === 'shed' ? shedCauseIn(detail) : null;
  if (cause === null) return null;
  if (cause.kind === 'order') {
    return {
      because: `${cause.by ?? 'an operator'} ordered that streams below priority ${cause.belowPriority} be given up`,
      advice:
        'Ask the operator, or wait until the order ends: `headgate backpressure` shows how long it holds',
    };
  }
  return {
    because: `${cause.path}, of the higher priority ${cause.priority}, needed its place, and the server takes no more streams`,
    advice:
      'Publish again when one ends, raise limits.global.max_streams, or raise the priority of the client',
  };
}

/**
 * When a publisher may come back: `null` for what kept nobody out, `never` where trying again does not help as things
 * are, otherwise how long it was told to wait, and until when (wall time, Unix ms; NaN when the receipt's time cannot be read).
 */
export type Return = null | 'never' | { readonly waitMs: number; readonly atMs: number };

export function returnOf({ action, retry_after_ms: waitMs, last_at }: Receipt): Return {
  if (action !== 'refuse' && action !== 'cut') return null;
  return waitMs === null ? 'never' : { waitMs, atMs: Date.parse(last_at) + waitMs };
}

/** A wait in words. A promise must not come early: whole seconds, rounded up. */
export function waitWords(waitMs: number): string {
  return durationWords(waitMs < 1_000 ? Math.ceil(waitMs) : Math.ceil(waitMs / 1_000) * 1_000);
}

function whoWas({ path, client, ip, protocol, stream }: Receipt): string {
  const by = client === null || client === ip ? '' : ` of ${client}`;
  const who = path === null ? `A connection` : `${path}${by}`;
  const id = stream === null ? '' : `, stream ${stream},`;
  const from = ip === '*' ? 'many addresses' : ip;
  return `${who} from ${from} over ${protocol}${id}`;
}

/** The reason's sentence with the numbers of this receipt; what is not known is left vague. */
function filled({ because, vaguely }: ReasonWords, { reason, limit, observed, window }: Receipt): string {
  if (vaguely !== undefined && (limit === null || observed === null)) return vaguely;
  const isPaced = reason === 'stream_bitrate' || reason === 'stream_fps' || reason === 'stream_packet_rate';
  if (isPaced && limit !== null && observed !== null && observed <= limit) {
    const average = `${observedWords(reason, observed)} on average${window === null ? '' : ` over ${durationWords(window)}`}`;
    return `a burst went over its limit of ${limitWords(reason, limit, window)} (${average})`;
  }
  const seen = observed === null ? 'too many' : observedWords(reason, observed);
  const most = limit === null ? 'fewer' : limitWords(reason, limit, window);
  const over =
    window !== null && observed !== null && !reason.endsWith('_rate')
      ? ` (over ${durationWords(window)})`
      : '';
  return `${because.replace('SEEN', seen).replace('LIMIT', most)}${over}`;
}
