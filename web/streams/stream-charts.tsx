import type { StreamSnapshot } from '../../src/core/stream.ts';
import { bytes, count, duration } from '../format.ts';
import { Chart, type ChartLine, type ChartMark } from '../ui/chart.tsx';
import { Panel } from '../ui/panel.tsx';
import type { Mark } from './course.ts';
import type { CourseView } from './use-course.ts';

const BITRATE: readonly ChartLine[] = [
  { label: 'Bitrate', colour: '--line-1' },
  { label: 'Limit', colour: '--bad', dashed: true },
];
const BITRATE_SQUEEZED: readonly ChartLine[] = [
  ...BITRATE,
  { label: 'Held to', colour: '--warn', dashed: true },
];
const FRAMES: readonly ChartLine[] = [
  { label: 'Media', colour: '--line-1' },
  { label: 'Arrival', colour: '--line-2' },
  { label: 'Limit', colour: '--bad', dashed: true },
];
const PACKETS: readonly ChartLine[] = [{ label: 'Packets', colour: '--line-3' }];
const PACKETS_LIMITED: readonly ChartLine[] = [...PACKETS, { label: 'Limit', colour: '--bad', dashed: true }];
const KEYFRAMES: readonly ChartLine[] = [{ label: 'Between keyframes', colour: '--line-4' }];

/** Part of the limit from which its line is drawn: a limit far above would press what is measured flat. */
const LIMIT_LINE_FROM = 0.4;

/** The charts of one page show the same instant. */
const SYNC = 'stream';

/** The height of the chart that is looked at first, and of the others, CSS px. */
const TALL = 220;
const LOW = 130;

interface StreamChartsProps {
  readonly course: CourseView;
  /** null when it has ended */
  readonly stream: StreamSnapshot | null;
}

/** The bitrate against what it is held to, with what was done about it on the time axis. */
export function BitratePanel({ course }: { course: CourseView }) {
  const { times, columns } = course;
  const squeezed = columns.ceiling_bps.some((value) => value !== null);
  const bitrates = [columns.bitrate_bps, columns.limit_bps, ...(squeezed ? [columns.ceiling_bps] : [])];
  return (
    <Panel title="Bitrate" class="wide" aside={<MarksLegend course={course} />}>
      <Chart
        label="Bitrate of the last five minutes, with its limit"
        times={times}
        columns={bitrates}
        lines={squeezed ? BITRATE_SQUEEZED : BITRATE}
        unit="bps"
        height={TALL}
        marks={ticksOf(course)}
        spanS={course.spanS}
        sync={SYNC}
      />
    </Panel>
  );
}

export function SmallCharts({ course, stream }: StreamChartsProps) {
  const { times, columns } = course;
  const fpsLimit = stream?.limits.max_fps ?? null;
  const packetsLimit = stream?.limits.max_packets_per_sec ?? null;
  const nearPackets = (stream?.utilization.packets ?? 0) >= LIMIT_LINE_FROM;
  return (
    <>
      <Panel title="Frames per second">
        <Chart
          label="Frames per second of the last five minutes, by media time and by arrival"
          times={times}
          columns={[columns.fps, columns.wall_fps, times.map(() => fpsLimit)]}
          lines={FRAMES}
          unit="fps"
          height={LOW}
          spanS={course.spanS}
          sync={SYNC}
        />
      </Panel>
      <Panel title="Packets per second">
        <Chart
          label="Packets per second of the last five minutes"
          times={times}
          columns={[columns.packets_per_sec, ...(nearPackets ? [times.map(() => packetsLimit)] : [])]}
          lines={nearPackets ? PACKETS_LIMITED : PACKETS}
          unit="per_s"
          height={LOW}
          spanS={course.spanS}
          sync={SYNC}
        />
      </Panel>
      <Panel title="Keyframes" aside={<Gop course={course} stream={stream} />}>
        <Chart
          label="Time between two keyframes in the last five minutes"
          times={times}
          columns={[columns.keyframe_interval_ms]}
          lines={KEYFRAMES}
          unit="ms"
          height={LOW}
          spanS={course.spanS}
          sync={SYNC}
        />
      </Panel>
    </>
  );
}

function Gop({ course, stream }: StreamChartsProps) {
  const interval = course.latest('keyframe_interval_ms');
  if (interval === null) return <>none twice yet</>;
  const keptBytes = stream?.playback.gop_bytes ?? 0;
  const kept = keptBytes === 0 ? '' : `, ${bytes(keptBytes)} kept for players`;
  return (
    <>
      every {duration(interval)}
      {kept}
    </>
  );
}

function sumOf(marks: readonly Mark[]): number {
  return marks.reduce((sum, { amount }) => sum + amount, 0);
}

/** What the ticks on the time axis are, and how much of each there was. */
function MarksLegend({ course: { throttled, dropped } }: { course: CourseView }) {
  return (
    <span class="marks">
      <span class="tick held" /> held back {throttled.length === 0 ? 'never' : duration(sumOf(throttled))}
      <span class="tick lost" /> dropped {dropped.length === 0 ? 'none' : `${count(sumOf(dropped))} frames`}
    </span>
  );
}

/** One tick per reading in which something was held back or lost: a long stretch is a band. */
function ticksOf({ times, columns }: CourseView): ChartMark[] {
  const ticks = (amounts: readonly (number | null)[], colour: string): ChartMark[] =>
    times.filter((_at, i) => (amounts[i] ?? 0) > 0).map((atS) => ({ atS, colour }));
  return [...ticks(columns.throttled_ms, '--warn'), ...ticks(columns.dropped_frames, '--bad')];
}
