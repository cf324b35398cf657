/** One receipt as a story: who, what and why, since when, until when, and what to do about it. */

import type { Receipt } from '../../src/core/verdict.ts';
import { limitWords, observedWords } from '../../src/core/words/limits.ts';
import { returnOf, storyOf, waitWords } from '../../src/core/words/receipt.ts';
import { count, dateTime } from '../format.ts';
import { href } from '../router.ts';
import { Badge } from '../ui/badge.tsx';
import { Bar } from '../ui/bar.tsx';
import { Countdown } from '../ui/countdown.tsx';
import { Moment } from '../ui/moment.tsx';
import { ACTIONS } from './actions.ts';

export function ReceiptCard({ receipt }: { readonly receipt: Receipt }) {
  const { who, told, because, advice } = storyOf(receipt);
  const { tone, word } = ACTIONS[receipt.action];
  return (
    <article class={`receipt ${tone}`} aria-label={`${receipt.id}: ${receipt.reason}`}>
      <header>
        <Badge tone={tone}>{word}</Badge>
        <a
          class="reason mono"
          href={href('receipts', null, { reason: receipt.reason })}
          title="All of this reason"
        >
          {receipt.reason}
        </a>
        <Moment at={receipt.at} />
        <a class="id mono" href={href('receipts', null, { key: receipt.id })} title="Link to this receipt">
          {receipt.id}
        </a>
      </header>
      <p class="story">
        {who} <strong>{told}</strong> because {because}.
      </p>
      <Measure receipt={receipt} />
      <dl class="facts">
        <Again receipt={receipt} />
        <Until receipt={receipt} />
        <dt>What to do</dt>
        <dd>
          <Advice text={advice} about={receipt.stream ?? receipt.path} />.
          <SourceHint receipt={receipt} />
        </dd>
        <dt>Told then</dt>
        <dd class="soft">{receipt.detail}</dd>
        <dt>More about</dt>
        <dd class="links">
          <Links receipt={receipt} />
        </dd>
      </dl>
    </article>
  );
}

/** What was seen against the limit, where both are numbers. Beyond it the bar is what was seen, and the mark the limit. */
function Measure({ receipt: { reason, limit, observed, window } }: { readonly receipt: Receipt }) {
  if (limit === null || observed === null || limit <= 0 || observed <= 0) return null;
  const seen = observedWords(reason, observed);
  const most = limitWords(reason, limit, window);
  return (
    <div class="measure">
      <Bar
        value={Math.min(1, observed / limit)}
        marks={[Math.min(1, limit / observed)]}
        label={reason}
        text={`${seen}, the limit is ${most}`}
      />
      <span>
        <b>{seen}</b> seen, <b>{most}</b> allowed
      </span>
    </div>
  );
}

function Again({ receipt: { count: times, last_at } }: { readonly receipt: Receipt }) {
  if (times <= 1) return null;
  return (
    <>
      <dt>Happened</dt>
      <dd>
        {count(times)} times, the last <Moment at={last_at} />
      </dd>
    </>
  );
}

function Until({ receipt }: { readonly receipt: Receipt }) {
  const back = returnOf(receipt);
  if (back === null) return null;
  return (
    <>
      <dt>{receipt.action === 'refuse' ? 'May try again' : 'May come back'}</dt>
      <dd class="until">
        {back === 'never' ? (
          'Not as things are: waiting does not help'
        ) : back.waitMs === 0 ? (
          'At once'
        ) : (
          <>
            <Countdown untilMs={back.atMs} over="Now" />{' '}
            <span class="soft">
              (told to wait {waitWords(back.waitMs)}, until {dateTime(back.atMs)})
            </span>
          </>
        )}
      </dd>
    </>
  );
}

/** Text in which commands stand between backticks; what `headgate events` tells, the page of events does. */
function Advice({ text, about }: { readonly text: string; readonly about: string | null }) {
  const parts = text.split('`').map((part, index) => {
    if (index % 2 === 0) return part;
    const command = <code key={part}>{part}</code>;
    const isEvents = part === 'headgate events';
    return isEvents ? <a href={href('events', null, { key: about ?? undefined })}>{command}</a> : command;
  });
  return <>{parts}</>;
}

/** A stream's own limit can come from several places; the stream's page says from which, while it lives. */
function SourceHint({ receipt: { reason, action, stream, limit } }: { readonly receipt: Receipt }) {
  if (!reason.startsWith('stream_') || limit === null || stream === null || action === 'cut') return null;
  return (
    <>
      {' '}
      <a href={href('streams', stream)}>Where its limit comes from</a>
    </>
  );
}

function Links({ receipt: { path, client, ip, stream } }: { readonly receipt: Receipt }) {
  const keys = [...new Set([path, client, ip])].filter((key) => key !== null && key !== '*') as string[];
  return (
    <>
      {keys.map((key) => (
        <a key={key} href={href('receipts', null, { key })} title={`All receipts about ${key}`}>
          {key}
        </a>
      ))}
      {stream === null ? null : <a href={href('streams', stream)}>stream {stream}</a>}
    </>
  );
}
