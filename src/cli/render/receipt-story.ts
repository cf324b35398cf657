/** A receipt on the terminal: when, who, what and why, until when, what to do. Pure. */
import type { Receipt } from '../../core/verdict.ts';
import { formatDuration } from '../../core/words/figures.ts';
import { instant } from '../../core/words/limits.ts';
import { returnOf, storyOf, waitWords } from '../../core/words/receipt.ts';
import { type Line, type Style, span } from '../top/text.ts';

const STYLES: Readonly<Record<Receipt['action'], Style>> = {
  refuse: 'bad',
  cut: 'bad',
  drop: 'warn',
  throttle: 'warn',
  observe: 'odd',
};

export function actionStyle(action: Receipt['action']): Style {
  return STYLES[action] ?? 'plain';
}

/** Lines about one receipt. `nowMs` is wall time, Unix ms. */
export function receiptStory(receipt: Receipt, nowMs: number): Line[] {
  const { who, told, because, advice } = storyOf(receipt);
  const style = actionStyle(receipt.action);
  const rest = untilWhen(receipt, nowMs);
  return [
    {
      spans: [
        span(receipt.id, 'bold'),
        span(`  ${instant(receipt.at)} (${ago(receipt.at, nowMs)})  `),
        span(receipt.reason, style),
      ],
    },
    { spans: [span(`  ${who} `), span(told, style), span(` because ${because}.`)] },
    { spans: [span(`  Told then: ${receipt.detail}.`, 'dim')] },
    ...(receipt.count > 1 ? [{ spans: [span(`  ${again(receipt)}`)] }] : []),
    ...(rest === null ? [] : [{ spans: [span(`  ${rest}`)] }]),
    { spans: [span(`  ${advice}${sourceHint(receipt)}.`, 'accent')] },
  ];
}

function again({ count, last_at }: Receipt): string {
  return `${count} times in all, the last at ${instant(last_at)}.`;
}

function untilWhen(receipt: Receipt, nowMs: number): string | null {
  const back = returnOf(receipt);
  if (back === null) return null;
  if (back === 'never') return 'Trying again will not help as things are.';
  const may = receipt.action === 'refuse' ? 'It may try again' : 'It may come back';
  if (back.waitMs === 0) return `${may} at once.`;
  const { waitMs, atMs } = back;
  const end = Number.isFinite(atMs) ? ` (${instant(new Date(atMs).toISOString())})` : '';
  const left = atMs - nowMs;
  const state = left > 0 ? `, in ${formatDuration(left)}` : ', which is over';
  return `${may} after ${waitWords(waitMs)}${end}${state}.`;
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
