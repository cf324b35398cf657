import type { StreamSnapshot } from '../../src/core/stream.ts';
import { dateTime } from '../format.ts';
import { href } from '../router.ts';
import { Moment } from '../ui/moment.tsx';
import type { Ending } from './ending.ts';

export interface EndedNoticeProps {
  readonly ending: Ending;
  /** the server knows something of it */
  readonly known: boolean;
  /** who publishes at the same path now */
  readonly successor: StreamSnapshot | null;
}

/** In place of figures that will not come any more: when it ended and why, and who followed. */
export function EndedNotice({ ending: { at, receipt }, known, successor }: EndedNoticeProps) {
  return (
    <div class="ended" role="status">
      <p>
        <strong>{known ? 'This stream has ended' : 'There is no such stream (any more)'}</strong>
        {at === null ? null : (
          <>
            {' '}
            <Moment at={at} />, at {dateTime(at)}
          </>
        )}
        .
      </p>
      {receipt === null ? (
        known ? (
          <p>The server did not cut it: its publisher left, or the connection broke.</p>
        ) : (
          <p>The server remembers streams for five minutes after their end, and receipts for longer.</p>
        )
      ) : (
        <p>
          Cut for <span class="mono">{receipt.reason}</span>: {sentence(receipt.detail)} Receipt{' '}
          <a href={href('receipts', null, { key: receipt.id })}>{receipt.id}</a>.
        </p>
      )}
      <p>
        {successor === null ? null : (
          <>
            <a href={href('streams', successor.id)}>{successor.path} is live again.</a>{' '}
          </>
        )}
        <a href={href('streams')}>All streams</a>
      </p>
    </div>
  );
}

function sentence(detail: string): string {
  return /[.!?]$/.test(detail) ? detail : `${detail}.`;
}
