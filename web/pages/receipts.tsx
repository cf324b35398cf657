/** "Why was I refused?": every decision against a publisher that the server keeps, as a story, found by whatever one has at hand. */
import { REASONS } from '../../src/core/reasons.ts';
import type { Receipt } from '../../src/core/verdict.ts';
import { soughtIn } from '../../src/core/words/sought.ts';
import type { PageProps } from '../app.tsx';
import { useSteady } from '../live/use-steady.ts';
import { ReceiptCard } from '../receipts/receipt-card.tsx';
import { RECEIPTS_MAX, useReceipts } from '../receipts/use-receipts.ts';
import { go, href } from '../router.ts';
import { FreshButton } from '../ui/fresh-button.tsx';
import { EmptyState, Failure } from '../ui/panel.tsx';
import { SearchField } from '../ui/search-field.tsx';

export function ReceiptsPage({ route }: PageProps) {
  const { key = '', reason = '' } = route.query;
  const search = (next: { key?: string; reason?: string }) =>
    go(href('receipts', null, { key, reason, ...next }), { replace: true });
  const query = new URLSearchParams();
  if (key.trim() !== '') query.set('key', soughtIn(key));
  if (reason !== '') query.set('reason', reason);
  const question = query.toString();
  const { receipts, more, older, error, again } = useReceipts(question);
  return (
    <>
      <div class="page-head">
        <h1>Receipts</h1>
        <span class="soft">Why somebody was refused, slowed down or cut</span>
      </div>
      <search class="filters">
        <SearchField
          value={key}
          label="Search receipts"
          placeholder="Path, name, client, address, receipt, or the line the encoder shows  ( / )"
          onSearch={(text) => search({ key: text })}
        />
        <select
          aria-label="Reason"
          value={reason}
          onChange={(event) => search({ reason: event.currentTarget.value })}
        >
          <option value="">any reason</option>
          {REASONS.map((word) => (
            <option key={word} value={word}>
              {word}
            </option>
          ))}
        </select>
        {key === '' && reason === '' ? null : (
          <button type="button" onClick={() => search({ key: '', reason: '' })}>
            Clear
          </button>
        )}
      </search>
      {error === null ? null : <Failure error={error} again={again} />}
      {receipts === null ? null : (
        <Receipts receipts={receipts} question={question} sought={key} reason={reason} />
      )}
      {more ? (
        <div class="more">
          <button type="button" onClick={older}>
            Show older ones
          </button>
        </div>
      ) : null}
      {receipts !== null && receipts.length >= RECEIPTS_MAX ? (
        <p class="hint">These are the newest {RECEIPTS_MAX}. Search to find older ones.</p>
      ) : null}
    </>
  );
}

interface ReceiptsProps {
  readonly receipts: readonly Receipt[];
  readonly question: string;
  readonly sought: string;
  readonly reason: string;
}

function Receipts({ receipts, question, sought, reason }: ReceiptsProps) {
  const { shown, fresh, area, release } = useSteady(receipts, ({ id }) => id, question);
  return (
    <div ref={area}>
      <FreshButton fresh={fresh} noun="receipt" release={release} />
      {shown.length === 0 ? <Nothing sought={sought} reason={reason} /> : null}
      <div class="receipts">
        {shown.map((receipt) => (
          <ReceiptCard key={receipt.id} receipt={receipt} />
        ))}
      </div>
    </div>
  );
}

function Nothing({ sought, reason }: { readonly sought: string; readonly reason: string }) {
  if (sought === '' && reason === '') {
    return (
      <EmptyState title="Nobody was refused, slowed down or cut">
        When a limit, a list or the machine says no to a publisher, its receipt appears here at once: who it
        was, which limit it met, how far it was over it, when it may come back, and what to do.
      </EmptyState>
    );
  }
  const about = sought === '' ? '' : ` about ${soughtIn(sought)}`;
  return (
    <EmptyState title={`No receipt${about}${reason === '' ? '' : ` for ${reason}`}`}>
      Searched for a path, stream name, client, address, stream or receipt of exactly that name, among those
      that the server keeps. Secret stream keys are never kept: search for the public name. If its stream is
      live, nothing was decided against it.
    </EmptyState>
  );
}
