import type { StreamSnapshot } from '../../src/core/stream.ts';
import { go, href } from '../router.ts';
import { sortedBy } from './choice.ts';
import type { Column } from './columns.tsx';
import type { Ordering } from './order.ts';
import { rowId, StreamRow } from './row.tsx';
import { useTableView } from './table-view.ts';

export interface StreamTableProps {
  /** in the order they are shown */
  readonly streams: readonly StreamSnapshot[];
  readonly ordering: Ordering;
  onOrder(ordering: Ordering): void;
  /** `k` or `l` on the selected stream */
  onAct(action: 'kick' | 'limit', stream: StreamSnapshot): void;
}

/** Only the rows that are seen exist, and a few around them; a scrollbar and two spacers stand for the rest. */
export function StreamTable({ streams, ordering, onOrder, onAct }: StreamTableProps) {
  const { place, window, columns, selected, select, move, onScroll } = useTableView(streams);
  const open = (id: string) => go(href('streams', id));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if ((event.target as Element).closest('th button') !== null) return;
    const stream = streams.find(({ id }) => id === selected);
    if (move(event.key)) event.preventDefault();
    else if (event.key === 'Escape') select(null);
    else if (stream === undefined) return;
    else if (event.key === 'Enter') open(stream.id);
    else if (event.key === 'k') onAct('kick', stream);
    else if (event.key === 'l') onAct('limit', stream);
  };
  const drawn = streams.slice(window.first, window.end);
  const active = drawn.some(({ id }) => id === selected) ? selected : null;
  return (
    <div class="streams-scroll" ref={place} onScroll={onScroll}>
      <table
        // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: rows are chosen with the keys
        role="grid"
        class="streams"
        id="streams-table"
        tabIndex={0}
        aria-label="Live streams"
        aria-rowcount={streams.length + 1}
        {...(active === null ? {} : { 'aria-activedescendant': rowId(active) })}
        onKeyDown={onKeyDown}
      >
        <colgroup>
          {columns.map(({ name, width }) => (
            <col key={name} class={`c-${name}`} style={width === 0 ? {} : { width: `${width}px` }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Title key={column.name} column={column} ordering={ordering} onOrder={onOrder} />
            ))}
          </tr>
        </thead>
        <tbody>
          <Spacer key="above" columns={columns.length} height={window.above} />
          {drawn.map((stream, i) => (
            <StreamRow
              key={stream.id}
              stream={stream}
              columns={columns}
              index={window.first + i}
              selected={stream.id === selected}
              onSelect={select}
              onOpen={open}
            />
          ))}
          <Spacer key="below" columns={columns.length} height={window.below} />
        </tbody>
      </table>
    </div>
  );
}

function Spacer({ columns, height }: { columns: number; height: number }) {
  return (
    <tr class="spacer">
      <td colSpan={columns} style={{ height: `${height}px` }} />
    </tr>
  );
}

interface TitleProps {
  readonly column: Column;
  readonly ordering: Ordering;
  onOrder(ordering: Ordering): void;
}

function Title({ column: { name, title, sort, number }, ordering, onOrder }: TitleProps) {
  const classes = `c-${name}${number === true ? ' num' : ''}`;
  if (sort === null) {
    return (
      <th scope="col" class={classes}>
        {title}
      </th>
    );
  }
  const sorted = ordering.sort === sort;
  const direction = ordering.descending ? 'descending' : 'ascending';
  return (
    <th scope="col" class={classes} aria-sort={sorted ? direction : 'none'}>
      <button type="button" onClick={() => onOrder(sortedBy(ordering, sort))}>
        {title}
        <span aria-hidden="true">{sorted ? (ordering.descending ? '▾' : '▴') : ''}</span>
      </button>
    </th>
  );
}
