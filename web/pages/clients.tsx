/** Who publishes here: how much of what each client may use it uses, and which streams are its. */
import { useMemo } from 'preact/hooks';
import { formatEventRate } from '../../src/core/units.ts';
import type { ClientSnapshot } from '../../src/http/ports.ts';
import type { PageProps } from '../app.tsx';
import { bps, count, percent, plural } from '../format.ts';
import { useLive } from '../live/live.ts';
import { useList } from '../live/use-list.ts';
import { go, href } from '../router.ts';
import { EmptyState, Failure, Panel } from '../ui/panel.tsx';
import { SearchField } from '../ui/search-field.tsx';
import { type SortColumn, type Sorting, SortTable } from '../ui/sort-table.tsx';
import { UseCell } from '../ui/use-cell.tsx';

/** Streams linked from a row; the rest is one link to all of them. */
const LINKED_MAX = 3;

const COLUMNS: readonly SortColumn<ClientSnapshot>[] = [
  {
    title: 'Client',
    sortBy: ({ id }) => id,
    cell: ({ id, configured }) => (
      <>
        <b>{id}</b>
        {configured ? null : <span class="hint"> not in the config</span>}
      </>
    ),
  },
  { title: 'Tier', sortBy: ({ tier }) => tier ?? '', cell: ({ tier }) => tier ?? '–' },
  { title: 'Priority', numeric: true, sortBy: ({ priority }) => priority, cell: ({ priority }) => priority },
  {
    title: 'Streams',
    sortBy: ({ streams }) => streams,
    numeric: true,
    cell: ({ streams, limits, utilization }) => (
      <UseCell
        label="streams"
        seen={count(streams)}
        limit={limits.max_streams === null ? null : count(limits.max_streams)}
        used={utilization.streams}
      />
    ),
  },
  {
    title: 'Bandwidth',
    sortBy: ({ bitrate_bps }) => bitrate_bps,
    numeric: true,
    cell: ({ bitrate_bps, limits, utilization }) => (
      <UseCell
        label="bandwidth"
        seen={bps(bitrate_bps)}
        limit={limits.max_bandwidth_bps === null ? null : bps(limits.max_bandwidth_bps)}
        used={utilization.bandwidth}
      />
    ),
  },
  {
    title: 'Publish rate',
    sortBy: ({ utilization }) => utilization.publish_rate,
    numeric: true,
    cell: ({ limits: { publish_rate: rate }, utilization }) => (
      <UseCell
        label="publish rate"
        seen={percent(utilization.publish_rate)}
        limit={rate === null ? null : formatEventRate({ count: rate.count, periodMs: rate.period_ms })}
        used={utilization.publish_rate}
      />
    ),
  },
  { title: 'Live now', cell: (client) => <Streams client={client} /> },
  {
    title: 'Receipts',
    cell: ({ id }) => <a href={href('receipts', null, { key: id })}>why</a>,
  },
];

const BUSIEST: Sorting = { by: 'Bandwidth', descending: true };

const keyOf = ({ id }: ClientSnapshot): string => id;

export function ClientsPage({ route }: PageProps) {
  // `#/clients/ID` is what the pages of streams link to.
  const { q = route.id ?? '' } = route.query;
  const { answer, error, again } = useList<'clients', ClientSnapshot>('/api/v1/clients', 'clients');
  const word = q.trim().toLowerCase();
  const rows = useMemo(
    () =>
      answer?.clients.filter(
        ({ id, tier }) => id.toLowerCase().includes(word) || tier?.toLowerCase() === word,
      ) ?? [],
    [answer, word],
  );
  return (
    <>
      <div class="page-head">
        <h1>Clients</h1>
        <span class="soft">Who publishes, and how much of what he may use he uses</span>
      </div>
      <search class="filters">
        <SearchField
          value={q}
          label="Filter clients"
          placeholder="Client or tier  ( / )"
          onSearch={(text) => go(href('clients', null, { q: text }), { replace: true })}
        />
      </search>
      {error === null ? null : <Failure error={error} again={again} />}
      {answer === null ? null : rows.length === 0 ? (
        <Nothing any={answer.clients.length > 0} />
      ) : (
        <Panel title={plural(rows.length, 'client')} aside={omittedWords(answer.omitted)} class="flush">
          <SortTable label="Clients" columns={COLUMNS} rows={rows} keyOf={keyOf} initial={BUSIEST} />
        </Panel>
      )}
    </>
  );
}

function Nothing({ any }: { readonly any: boolean }) {
  if (any) return <EmptyState title="No client of that name or tier" />;
  return (
    <EmptyState title="No client yet">
      Clients that the config names are always listed here. With <code>auth.mode: open</code> every address
      that publishes is a client of its own, and is here for as long as it does.
    </EmptyState>
  );
}

function omittedWords(omitted: number): string | undefined {
  return omitted === 0 ? undefined : `${count(omitted)} more are not shown`;
}

function Streams({ client: { id, stream_ids, streams } }: { readonly client: ClientSnapshot }) {
  const live = useLive((now) => now.streams);
  if (streams === 0) return <span class="soft">nothing</span>;
  const paths = stream_ids.slice(0, LINKED_MAX).map((stream) => ({
    stream,
    path: live.find((other) => other.id === stream)?.path ?? stream,
  }));
  return (
    <span class="links">
      {paths.map(({ stream, path }) => (
        <a key={stream} href={href('streams', stream)}>
          {path}
        </a>
      ))}
      {streams <= LINKED_MAX ? null : (
        <a href={href('streams', null, { q: `client:${id}` })}>all {count(streams)}</a>
      )}
    </span>
  );
}
