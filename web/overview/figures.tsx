import type { ComponentChildren } from 'preact';
import type { NodeSnapshot } from '../../src/http/ports.ts';
import { bps, count, partOf, rate } from '../format.ts';
import { Bar } from '../ui/bar.tsx';
import { Chart, type ChartLine } from '../ui/chart.tsx';
import { Panel } from '../ui/panel.tsx';
import type { Course } from './course.ts';
import { nearestToClose } from './resource-words.ts';

/** Charts of one page show the pointer's time together. */
const SYNC = 'overview';

/** CSS pixels. */
const HEIGHT = 118;

const BANDWIDTH: readonly ChartLine[] = [
  { label: 'in', colour: '--line-1' },
  { label: 'budget', colour: '--line-4', dashed: true },
];
const STREAMS: readonly ChartLine[] = [
  { label: 'streams', colour: '--line-1' },
  { label: 'connections', colour: '--line-2' },
];
const REFUSED: readonly ChartLine[] = [{ label: 'refused', colour: '--line-4' }];
const MACHINE: readonly ChartLine[] = [
  { label: 'CPU', colour: '--line-1' },
  { label: 'memory', colour: '--line-2' },
  { label: 'heap', colour: '--line-3' },
];

interface FigureProps {
  readonly value: string;
  /** behind it, smaller */
  readonly of: string;
  /** fraction of the limit; null = there is none */
  readonly used: number | null;
  readonly label: string;
}

function Figure({ value, of, used, label }: FigureProps) {
  return (
    <div class="figure">
      <p>
        <strong>{value}</strong> <span class="soft">{of}</span>
      </p>
      {used === null ? null : <Bar value={used} label={label} text={`${value} ${of}`} />}
    </div>
  );
}

export interface FiguresProps {
  readonly node: NodeSnapshot;
  readonly course: Course;
  /** refusals of the last minute */
  readonly refused: number;
}

/** What flows, how many, what the machine makes of it, and what was refused: each with its last minutes. */
export function Figures({ node, course, refused }: FiguresProps) {
  const { totals, limits, resources } = node;
  const budget = resources.shares.budget_bps;
  const { times, columns } = course;
  const chart = { times, height: HEIGHT, sync: SYNC };
  const all = Object.values(node.denied).reduce((sum, times_) => sum + times_, 0);
  return (
    <>
      <Tile title="Bandwidth in" aside={`${rate(totals.packets_per_sec, 0)} packets/s`}>
        <Figure
          value={bps(totals.bitrate_bps)}
          of={budget === null ? 'of unlimited' : `of ${bps(budget)}`}
          used={partOf(totals.bitrate_bps, budget)}
          label="bandwidth"
        />
        <Chart
          {...chart}
          label="Bandwidth of the last five minutes"
          lines={BANDWIDTH}
          unit="bps"
          columns={[columns.bitrate_bps, within(columns.budget_bps, columns.bitrate_bps)]}
        />
      </Tile>
      <Tile
        title="Streams"
        aside={`${count(totals.connections)} of ${limitText(limits.max_connections)} connections`}
      >
        <Figure
          value={count(totals.streams)}
          of={`of ${limitText(limits.max_streams)}`}
          used={partOf(totals.streams, limits.max_streams)}
          label="streams"
        />
        <Chart
          {...chart}
          label="Streams and connections of the last five minutes"
          lines={STREAMS}
          unit="count"
          columns={[columns.streams, columns.connections]}
        />
      </Tile>
      <Tile title="Machine" aside={`control round ${rate(resources.control.took_ms)} ms`}>
        <MachineFigure node={node} />
        <Chart
          {...chart}
          label="CPU, memory and heap of the last five minutes"
          lines={MACHINE}
          unit="fraction"
          top={1}
          columns={[columns.cpu, columns.memory, columns.heap]}
        />
      </Tile>
      <Tile title="Refused" aside={`${count(all)} since the start`}>
        <Figure value={count(refused)} of="in the last minute" used={null} label="refused" />
        <Chart
          {...chart}
          label="Refusals per second of the last five minutes"
          lines={REFUSED}
          unit="per_s"
          columns={[columns.denied_per_s]}
        />
      </Tile>
    </>
  );
}

/** How far the machine is from closing its gate. */
function MachineFigure({ node }: { readonly node: NodeSnapshot }) {
  return <Figure {...nearestToClose(node.resources)} label="nearest to closing the gate" />;
}

function limitText(limit: number | null): string {
  return limit === null ? 'unlimited' : count(limit);
}

/** Times the highest bitrate from which on a budget would press the line of the bitrate flat. */
const BUDGET_SHOWN = 3;

/** The budget where it is near enough to be seen with what is used of it; otherwise nothing. */
function within(budget: Course['times'] | readonly (number | null)[], used: readonly (number | null)[]) {
  const most = used.reduce<number>((top, value) => Math.max(top, value ?? 0), 0);
  return budget.map((value) => (value !== null && value <= most * BUDGET_SHOWN ? value : null));
}

function Tile(props: {
  readonly title: string;
  readonly aside: string;
  readonly children: ComponentChildren;
}) {
  return <Panel {...props} class="tile" />;
}
