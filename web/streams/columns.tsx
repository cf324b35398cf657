/** The columns of the table of streams. */
import type { ComponentChildren } from 'preact';
import { SQUEEZE_WORDS } from '../../src/core/held.ts';
import type { StreamSnapshot } from '../../src/core/stream.ts';
import { bps, count, duration } from '../format.ts';
import { bitratesOf, SPARK_SAMPLES } from '../live/live.ts';
import { href } from '../router.ts';
import { Badge } from '../ui/badge.tsx';
import { Sparkline } from '../ui/sparkline.tsx';
import type { SortKey } from './order.ts';
import { bitrateUse, fpsUse, packetsUse } from './use.ts';
import { UseMeter } from './use-meter.tsx';
import { codecText, STATE_TONES, STATE_WORDS } from './words.ts';

export interface Column {
  readonly name: string;
  readonly title: string;
  /** null: it has no order */
  readonly sort: SortKey | null;
  /** px; 0 takes what is left. Fixed, so that columns keep their places while rows come and go */
  readonly width: number;
  /** its turn to go where the table is too narrow for all, from 1; without it the column stays */
  readonly leaves?: number;
  readonly number?: boolean;
  readonly cell: (stream: StreamSnapshot) => ComponentChildren;
}

export const COLUMNS: readonly Column[] = [
  { name: 'state', title: 'State', sort: 'state', width: 110, cell: stateCell },
  { name: 'path', title: 'Stream', sort: 'path', width: 0, cell: pathCell },
  { name: 'spark', title: 'Last minute', sort: null, width: 118, leaves: 4, cell: sparkCell },
  {
    name: 'bitrate',
    title: 'Bitrate',
    sort: 'bitrate',
    width: 224,
    cell: (stream) => <UseMeter use={bitrateUse(stream)} />,
  },
  {
    name: 'fps',
    title: 'FPS',
    sort: 'fps',
    width: 122,
    cell: (stream) => <UseMeter use={fpsUse(stream)} short />,
  },
  {
    name: 'packets',
    title: 'Packets /s',
    sort: 'packets',
    width: 122,
    leaves: 5,
    cell: (stream) => <UseMeter use={packetsUse(stream)} short />,
  },
  { name: 'client', title: 'Client', sort: 'client', width: 118, cell: clientCell },
  {
    name: 'tier',
    title: 'Tier',
    sort: 'tier',
    width: 64,
    leaves: 1,
    cell: ({ tier }) => tier ?? <Nothing />,
  },
  {
    name: 'protocol',
    title: 'Via',
    sort: 'protocol',
    width: 54,
    leaves: 2,
    cell: ({ protocol }) => protocol,
  },
  { name: 'codec', title: 'Codec', sort: 'codec', width: 142, leaves: 3, cell: codecText },
  {
    name: 'dropped',
    title: 'Dropped',
    sort: 'dropped',
    width: 76,
    leaves: 7,
    number: true,
    cell: ({ usage }) => (usage.dropped_frames === 0 ? <Nothing /> : count(usage.dropped_frames)),
  },
  {
    name: 'uptime',
    title: 'Up',
    sort: 'uptime',
    width: 88,
    leaves: 6,
    number: true,
    cell: ({ uptime_ms }) => duration(Math.floor(uptime_ms / 1_000) * 1_000),
  },
];

function Nothing() {
  return <span class="soft">–</span>;
}

function stateCell({ state, share }: StreamSnapshot) {
  return (
    <>
      <Badge tone={STATE_TONES[state]} title={STATE_WORDS[state]}>
        {state}
      </Badge>
      {share.by === null ? null : (
        <span class="squeezed" title={SQUEEZE_WORDS[share.by]}>
          by {share.by}
        </span>
      )}
    </>
  );
}

function pathCell({ id, path }: StreamSnapshot) {
  return (
    <a href={href('streams', id)} tabIndex={-1} title={path}>
      {path}
    </a>
  );
}

function clientCell({ client, tier }: StreamSnapshot) {
  return (
    <a
      href={href('clients', client)}
      tabIndex={-1}
      title={tier === null ? client : `${client}, tier ${tier}`}
    >
      {client}
    </a>
  );
}

function sparkCell({ id, usage }: StreamSnapshot) {
  return (
    <Sparkline
      values={bitratesOf(id)}
      capacity={SPARK_SAMPLES}
      label={`bitrate, now ${bps(usage.bitrate_bps)}`}
    />
  );
}
