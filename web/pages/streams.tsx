import { useMemo, useState } from 'preact/hooks';
import type { StreamSnapshot } from '../../src/core/stream.ts';
import { ActionDialog, type ActionName } from '../actions/action-dialog.tsx';
import type { PageProps } from '../app.tsx';
import { count } from '../format.ts';
import { useLive } from '../live/live.ts';
import { go, href } from '../router.ts';
import { choiceOf, urlQueryOf } from '../streams/choice.ts';
import { FilterBar } from '../streams/filter-bar.tsx';
import { leftBehind } from '../streams/left-behind.ts';
import { type Ordering, shownStreams } from '../streams/order.ts';
import { StreamTable } from '../streams/table.tsx';
import { EmptyState } from '../ui/panel.tsx';

export function StreamsPage({ route }: PageProps) {
  const streams = useLive((live) => live.streams);
  const omitted = useLive((live) => live.omitted);
  const known = useLive((live) => live.totals !== null);
  const [acting, setActing] = useState<{ action: ActionName; stream: StreamSnapshot } | null>(null);
  const ordering = useMemo(() => choiceOf(route.query), [route]);
  const shown = useMemo(() => shownStreams(streams, ordering), [streams, ordering]);
  leftBehind.address = href('streams', null, urlQueryOf(ordering));
  const order = (next: Ordering) => go(href('streams', null, urlQueryOf(next)), { replace: true });
  return (
    <div class="streams-page">
      <h1>Streams</h1>
      <FilterBar
        streams={streams}
        shown={shown.length}
        total={streams.length + omitted}
        ordering={ordering}
        onOrder={order}
      />
      {omitted === 0 ? null : (
        <p class="hint">
          The {count(streams.length)} oldest are shown; {count(omitted)} more are live. headgate streams lists
          all.
        </p>
      )}
      {shown.length === 0 ? (
        <Nothing known={known} any={streams.length > 0} onClear={() => order({ ...ordering, query: '' })} />
      ) : (
        <StreamTable
          streams={shown}
          ordering={ordering}
          onOrder={order}
          onAct={(action, stream) => setActing({ action, stream })}
        />
      )}
      <p class="hint keys">
        <kbd>/</kbd> filter <kbd>↑</kbd> <kbd>↓</kbd> move <kbd>Enter</kbd> open <kbd>k</kbd> kick{' '}
        <kbd>l</kbd> limit
      </p>
      {acting === null ? null : <ActionDialog {...acting} onClose={() => setActing(null)} />}
    </div>
  );
}

interface NothingProps {
  readonly known: boolean;
  /** there are streams that the filter hides */
  readonly any: boolean;
  onClear(): void;
}

function Nothing({ known, any, onClear }: NothingProps) {
  if (!known) return <EmptyState title="Waiting for the first reading" />;
  if (!any) {
    return (
      <EmptyState title="Nobody publishes">
        A stream appears here as soon as its encoder is let in. Was one refused?{' '}
        <a href={href('receipts')}>The receipts say why.</a>
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No stream passes the filter">
      <button type="button" onClick={onClear}>
        Show all
      </button>
    </EmptyState>
  );
}
