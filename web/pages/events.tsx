/** The audit trail as it is written: decisions about publishers, and what operators and the server itself did. */
import { useMemo } from 'preact/hooks';
import { soughtIn } from '../../src/core/words/sought.ts';
import type { AuditEvent } from '../../src/telemetry/events.ts';
import type { PageProps } from '../app.tsx';
import { type EventRow, eventRow } from '../events/event-row.ts';
import { auditPath, KIND_GROUPS } from '../events/kinds.ts';
import { clock, dateTime, plural } from '../format.ts';
import { useFreshAsk } from '../live/use-fresh-ask.ts';
import { useSteady } from '../live/use-steady.ts';
import { go, href } from '../router.ts';
import { Badge } from '../ui/badge.tsx';
import { FreshButton } from '../ui/fresh-button.tsx';
import { EmptyState, Failure, Panel } from '../ui/panel.tsx';
import { SearchField } from '../ui/search-field.tsx';
import { type SortColumn, type Sorting, SortTable } from '../ui/sort-table.tsx';

/** Lines on the page: some minutes of a bad night. */
const SHOWN_MAX = 300;

const COLUMNS: readonly SortColumn<EventRow>[] = [
  {
    title: 'Time',
    sortBy: ({ at }) => at,
    cell: ({ at }) => (
      <time class="mono" dateTime={at} title={dateTime(at)}>
        {clock(at)}
      </time>
    ),
  },
  { title: 'Kind', sortBy: ({ kind }) => kind, cell: ({ kind, tone }) => <Badge tone={tone}>{kind}</Badge> },
  { title: 'By', sortBy: ({ by }) => by, cell: ({ by }) => <span class="mono">{by}</span> },
  {
    title: 'About',
    sortBy: ({ about }) => about,
    cell: (row) => <About row={row} />,
  },
  { title: 'What happened', cell: (row) => <Told row={row} /> },
];

const NEWEST: Sorting = { by: 'Time', descending: true };

const keyOf = ({ id }: EventRow): string => id;

export function EventsPage({ route }: PageProps) {
  const { kind = '', key = '' } = route.query;
  const search = (next: { kind?: string; key?: string }) =>
    go(href('events', null, { kind, key, ...next }), { replace: true });
  const path = auditPath(kind, soughtIn(key), SHOWN_MAX);
  const { answer, error, again } = useFreshAsk<{ events: AuditEvent[] }>(path);
  return (
    <>
      <div class="page-head">
        <h1>Events</h1>
        <span class="soft">What was decided, and what operators and the server did</span>
      </div>
      <search class="filters">
        <SearchField
          value={key}
          label="Search events"
          placeholder="Path, stream, client, address, or who did it  ( / )"
          onSearch={(text) => search({ key: text })}
        />
        <select
          aria-label="Kind"
          value={kind}
          onChange={(event) => search({ kind: event.currentTarget.value })}
        >
          <option value="">everything</option>
          {KIND_GROUPS.map(({ label, kinds }) => (
            <optgroup key={label} label={label}>
              {kinds.map(([value, words]) => (
                <option key={value} value={value}>
                  {words}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </search>
      {error === null ? null : <Failure error={error} again={again} />}
      {answer === null ? null : (
        <Trail events={answer.events} question={path} narrowed={kind !== '' || key !== ''} />
      )}
    </>
  );
}

interface TrailProps {
  readonly events: readonly AuditEvent[];
  readonly question: string;
  readonly narrowed: boolean;
}

function Trail({ events, question, narrowed }: TrailProps) {
  const rows = useMemo(() => events.map(eventRow), [events]);
  const { shown, fresh, area, release } = useSteady(rows, keyOf, question);
  if (rows.length === 0) {
    return narrowed ? (
      <EmptyState title="No such event">Nothing of that kind is among what the server keeps.</EmptyState>
    ) : (
      <EmptyState title="Nothing happened yet">
        Refusals, cuts and slow-downs appear here as they are decided, and every kick, temporary limit, reload
        and change of the gate, with who did it and from where.
      </EmptyState>
    );
  }
  return (
    <div ref={area}>
      <FreshButton fresh={fresh} noun="event" release={release} />
      <Panel title={`The newest ${plural(shown.length, 'event')}`} class="flush">
        <SortTable
          label="Events"
          columns={COLUMNS}
          rows={shown}
          keyOf={keyOf}
          initial={NEWEST}
          class="prose"
        />
      </Panel>
    </div>
  );
}

function About({ row: { about, stream, receipt } }: { readonly row: EventRow }) {
  if (stream !== null) return <a href={href('streams', stream)}>{about}</a>;
  if (receipt === null) return <span>{about}</span>;
  return <a href={href('receipts', null, { key: about })}>{about}</a>;
}

/** The sentence, and behind it a link to all that is known of it. */
function Told({ row: { told, receipt } }: { readonly row: EventRow }) {
  return (
    <span class="told">
      {told}
      {receipt === null ? null : <Why receipt={receipt} />}
    </span>
  );
}

function Why({ receipt }: { readonly receipt: string }) {
  return (
    <>
      {' '}
      <a href={href('receipts', null, { key: receipt })}>why</a>
    </>
  );
}
