/** Where connections come from: how much of what an address may have open it has, and which have to wait. */
import { useMemo } from 'preact/hooks';
import { formatEventRate } from '../../src/core/units.ts';
import type { IpSnapshot } from '../../src/http/ports.ts';
import { isAddressSought } from '../addresses/sought.ts';
import type { PageProps } from '../app.tsx';
import { bps, count, percent, plural } from '../format.ts';
import { serverNowMs } from '../live/live.ts';
import { useList } from '../live/use-list.ts';
import { go, href } from '../router.ts';
import { Badge } from '../ui/badge.tsx';
import { Countdown } from '../ui/countdown.tsx';
import { EmptyState, Failure, Panel } from '../ui/panel.tsx';
import { SearchField } from '../ui/search-field.tsx';
import { type SortColumn, type Sorting, SortTable } from '../ui/sort-table.tsx';
import { UseCell } from '../ui/use-cell.tsx';

/** An address, and until when it has to wait, Unix ms of the server; 0 = it has not. */
interface Row extends IpSnapshot {
  readonly untilMs: number;
}

const COLUMNS: readonly SortColumn<Row>[] = [
  {
    title: 'Address',
    sortBy: ({ ip }) => ip,
    cell: ({ ip, exempt }) => (
      <>
        <b class="mono">{ip}</b>
        {exempt ? (
          <Badge tone="info" title="On the allow list: counted, never limited">
            exempt
          </Badge>
        ) : null}
      </>
    ),
  },
  {
    title: 'Connections',
    sortBy: ({ connections }) => connections,
    numeric: true,
    cell: ({ connections, limits, utilization, exempt }) => (
      <UseCell
        label="connections"
        seen={count(connections)}
        limit={exempt || limits.max_connections === null ? null : count(limits.max_connections)}
        used={utilization.connections}
      />
    ),
  },
  {
    title: 'Connection rate',
    sortBy: ({ utilization }) => utilization.connection_rate,
    numeric: true,
    cell: ({ limits: { connection_rate: rate }, utilization, exempt }) => (
      <UseCell
        label="connection rate"
        seen={percent(utilization.connection_rate)}
        limit={
          exempt || rate === null ? null : formatEventRate({ count: rate.count, periodMs: rate.period_ms })
        }
        used={utilization.connection_rate}
      />
    ),
  },
  {
    title: 'Streams',
    sortBy: ({ streams }) => streams,
    numeric: true,
    cell: ({ streams }) => count(streams),
  },
  {
    title: 'Bandwidth',
    sortBy: ({ bitrate_bps }) => bitrate_bps,
    numeric: true,
    cell: ({ bitrate_bps, limits, utilization, exempt }) => (
      <UseCell
        label="bandwidth"
        seen={bps(bitrate_bps)}
        limit={exempt || limits.max_bandwidth_bps === null ? null : bps(limits.max_bandwidth_bps)}
        used={utilization.bandwidth}
      />
    ),
  },
  {
    title: 'Cooldown',
    sortBy: ({ untilMs }) => untilMs,
    numeric: true,
    cell: ({ untilMs, cooldown_reason: reason }) =>
      untilMs === 0 ? (
        <span class="soft">–</span>
      ) : (
        <Badge tone="bad" title={`Refused until then: its publisher was cut for ${reason}`}>
          <Countdown untilMs={untilMs} over="over" />
          {reason === null ? null : ` after ${reason}`}
        </Badge>
      ),
  },
  { title: 'Receipts', cell: ({ ip }) => <a href={href('receipts', null, { key: ip })}>why</a> },
];

const BUSIEST: Sorting = { by: 'Connections', descending: true };

const keyOf = ({ ip }: Row): string => ip;

export function AddressesPage({ route }: PageProps) {
  const { q = '' } = route.query;
  const { answer, error, again } = useList<'ips', IpSnapshot>('/api/v1/ips', 'ips');
  const all = useMemo(() => answer?.ips.map(withDeadline) ?? [], [answer]);
  const word = q.trim();
  const rows = useMemo(() => all.filter(({ ip }) => isAddressSought(ip, word)), [all, word]);
  const cooling = rows.filter(({ untilMs }) => untilMs > 0).length;
  const omitted = answer?.omitted ?? 0;
  return (
    <>
      <div class="page-head">
        <h1>Addresses</h1>
        <span class="soft">Where connections come from, and which addresses have to wait</span>
      </div>
      <search class="filters">
        <SearchField
          value={q}
          label="Filter addresses"
          placeholder="Part of an address  ( / )"
          onSearch={(text) => go(href('addresses', null, { q: text }), { replace: true })}
        />
      </search>
      {error === null ? null : <Failure error={error} again={again} />}
      {answer === null ? null : rows.length === 0 ? (
        <Nothing any={all.length > 0} />
      ) : (
        <Panel
          title={plural(rows.length, 'address', 'addresses')}
          aside={`${count(cooling)} in cooldown${omitted === 0 ? '' : `, ${count(omitted)} more are not shown`}`}
          class="flush"
        >
          <SortTable label="Addresses" columns={COLUMNS} rows={rows} keyOf={keyOf} initial={BUSIEST} />
        </Panel>
      )}
    </>
  );
}

/** The answer says how long; between two answers the clock goes on. */
function withDeadline(address: IpSnapshot): Row {
  return { ...address, untilMs: address.cooldown_ms === 0 ? 0 : serverNowMs() + address.cooldown_ms };
}

function Nothing({ any }: { readonly any: boolean }) {
  if (any) return <EmptyState title="No address like that" />;
  return (
    <EmptyState title="No address now">
      An address is listed while it has a connection or a stream, and while it is in cooldown after its
      publisher was cut for cause.
    </EmptyState>
  );
}
