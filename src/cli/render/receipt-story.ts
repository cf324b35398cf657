/** A receipt told to people: when, who, what and why, until when, what to do. Pure. */
import type { Receipt } from '../../core/verdict.ts';
import { formatDuration } from '../format.ts';
import { type Line, type Style, span } from '../top/text.ts';
import { REASON_WORDS, type ReasonWords } from './reason-words.ts';
import { durationWords, instant, limitWords, observedWords } from './words.ts';

const ACTION_WORDS: Readonly<Record<Receipt['action'], { readonly told: string; readonly style: Style }>> = {
  refuse: { told: 'was refused', style: 'bad' },
  cut: { told: 'was disconnected', style: 'bad' },
  drop: { told: 'lost video frames', style: 'warn' },
  throttle: { told: 'was slowed down', style: 'warn' },
  observe: { told: 'was let through over a limit', style: 'odd' },
};

export function actionStyle(action: Receipt['action']): Style {
  return ACTION_WORDS[action]?.style ?? 'plain';
}

/** What a newer server may say that this version does not know. */
const UNKNOWN_REASON: ReasonWords = {
  because: 'of a reason that this version of headgate does not know',
  advice: 'Update headgate here to the version of the server',
};

/** Lines about one receipt. `nowMs` is wall time, Unix ms. */
export function receiptStory(receipt: Receipt, nowMs: number): Line[] {
  const words = REASON_WORDS[receipt.reason] ?? UNKNOWN_REASON;
  const { told, style } = ACTION_WORDS[receipt.action] ?? { told: receipt.action, style: 'plain' };
  const rest = untilWhen(receipt, nowMs);
  return [
    {
      spans: [
        span(receipt.id, 'bold'),
        span(`  ${instant(receipt.at)} (${ago(receipt.at, nowMs)})  `),
        span(receipt.reason, style),
      ],
    },
    {
      spans: [span(`  ${whoWas(receipt)} `), span(told, style), span(` because ${filled(words, receipt)}.`)],
    },
    { spans: [span(`  Told then: ${receipt.detail}.`, 'dim')] },
    ...(receipt.count > 1 ? [{ spans: [span(`  ${again(receipt)}`)] }] : []),
    ...(rest === null ? [] : [{ spans: [span(`  ${rest}`)] }]),
    { spans: [span(`  ${words.advice}${sourceHint(receipt)}.`, 'accent')] },
  ];
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

function again({ count, last_at }: Receipt): string {
  return `${count} times in all, the last at ${instant(last_at)}.`;
}

function untilWhen(receipt: Receipt, nowMs: number): string | null {
  const { action, retry_after_ms: retryMs } = receipt;
  if (action !== 'refuse' && action !== 'cut') return null;
  if (retryMs === null) return 'Trying again will not help as things are.';
  const may = action === 'refuse' ? 'It may try again' : 'It may come back';
  if (retryMs === 0) return `${may} at once.`;
  const endMs = Date.parse(receipt.last_at) + retryMs;
  const end = Number.isFinite(endMs) ? ` (${instant(new Date(endMs).toISOString())})` : '';
  const left = endMs - nowMs;
  const state = left > 0 ? `, in ${formatDuration(left)}` : ', which is over';
  // A promise must not come early: whole seconds, rounded up.
  const wait = durationWords(retryMs < 1_000 ? Math.ceil(retryMs) : Math.ceil(retryMs / 1_000) * 1_000);
  return `${may} after ${wait}${end}${state}.`;
}

/** Where a stream's own limit is looked up: it can come from several places. A stream that was cut has gone. */
function sourceHint({ reason, stream, action, limit }: Receipt): string {
  if (!reason.startsWith('stream_') || limit === null || stream === null || action === 'cut') return '';
  return `; \`headgate stream ${stream}\` shows where it comes from`;
}

function ago(iso: string, nowMs: number): string {
  const ms = nowMs - Date.parse(iso);
  if (!Number.isFinite(ms)) return 'at an unknown time';
  return ms < 1_000 ? 'just now' : `${formatDuration(ms)} ago`;
}
