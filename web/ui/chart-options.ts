/** How our charts look: thin lines, few ticks, figures with units, colours of the theme. */
import type uPlot from 'uplot';
import { bps, count, duration, percent, rate } from '../format.ts';
import { colour } from './theme.tsx';

export type ChartUnit = 'bps' | 'count' | 'per_s' | 'fraction' | 'ms' | 'fps';

export interface ChartLine {
  readonly label: string;
  /** a custom property: `--accent`, `--line-2` ... */
  readonly colour: string;
  /** a limit or a watermark: dashed, without filling */
  readonly dashed?: boolean;
  /** tinted below; the first line is when absent */
  readonly filled?: boolean;
}

export interface ChartMark {
  /** wall time, seconds */
  readonly atS: number;
  /** a custom property: `--warn`, `--bad` ... */
  readonly colour: string;
}

/** What of the chart may change without building it anew. */
export interface ChartState {
  readonly lines: readonly ChartLine[];
  readonly times: readonly number[];
  readonly unit: ChartUnit;
  readonly top?: number | null;
  readonly spanS?: number;
  readonly marks?: readonly ChartMark[];
  readonly sync?: string;
}

const WORDS: Readonly<Record<ChartUnit, (value: number) => string>> = {
  bps: (value) => bps(value).replace(/\.0+ |(\.\d*[1-9])0+ /, '$1 '),
  count: (value) => count(value),
  per_s: (value) => `${rate(value, value > 0 && value < 1 ? 2 : 1)} /s`,
  fraction: (value) => percent(value),
  ms: (value) => duration(value),
  fps: (value) => `${rate(value, 0)} fps`,
};

/** How far the axis reaches while every value is 0, so that its figures are no fractions of a bit. */
const TOP_OF_NOTHING: Readonly<Record<ChartUnit, number>> = {
  bps: 1_000_000,
  count: 4,
  per_s: 1,
  fraction: 1,
  ms: 100,
  fps: 30,
};

/** Steps of an axis that counts: there is no half stream. */
const WHOLE_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000];

/** Seconds shown when nobody says. */
const SPAN_S = 300;

/** Room above the highest value, as a part of it. */
const HEADROOM = 0.08;

/** Steps of the time axis, seconds: uPlot's own know nothing between one minute and five. */
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600];

/** Seconds of a step from which on its labels go without seconds. */
const WHOLE_MINUTES_S = 60;

const FONT = '11px system-ui, sans-serif';

/** CSS pixels of the axis on the left: `1.25 Gbps` fits. */
const AXIS_WIDTH = 68;

/** `state` is asked at every drawing. */
export function chartOptions(state: () => ChartState, width: number, height: number): uPlot.Options {
  const { lines, unit, sync } = state();
  const words = WORDS[unit];
  const ink = colour('--ink-3');
  const grid = { stroke: colour('--grid'), width: 1 };
  const axis = { stroke: ink, font: FONT, grid, ticks: { show: false }, gap: 6 };
  return {
    width,
    height,
    padding: [8, 18, 0, 0],
    cursor: {
      y: false,
      points: { size: 6 },
      drag: { x: false, y: false },
      ...(sync === undefined ? {} : { sync: { key: sync, setSeries: false } }),
    },
    legend: { live: true, markers: { width: 0, fill: (_plot, index) => colour(lines[index - 1]!.colour) } },
    scales: {
      x: { time: true, range: () => xRange(state()) },
      y: { range: (_plot, _least, most) => [0, topOf(most, state())] },
    },
    axes: [
      {
        ...axis,
        space: 56,
        size: 24,
        incrs: TIME_STEPS,
        values: (_plot, splits, _axis, _space, stepS) =>
          splits.map((at) =>
            stepS < WHOLE_MINUTES_S ? timeOfDay(at) : timeOfDay(at).slice(0, 'hh:mm'.length),
          ),
      },
      {
        ...axis,
        space: 34,
        size: AXIS_WIDTH,
        ...(unit === 'count' ? { incrs: WHOLE_STEPS } : {}),
        values: (_plot, splits) => splits.map(words),
      },
    ],
    series: [
      { label: '', value: (_plot, at) => (at === null ? '–' : timeOfDay(at)) },
      ...lines.map((line, index) => series(line, line.filled ?? index === 0, words)),
    ],
    hooks: {
      draw: [(plot) => drawMarks(plot, state().marks ?? [])],
      setCursor: [showLast],
    },
  };
}

/** While nobody points at the chart its legend tells the last values. */
export function showLast(plot: uPlot): void {
  const { left } = plot.cursor;
  const last = plot.data[0].length - 1;
  if ((left === undefined || left < 0) && last >= 0 && plot.legend.idx !== last)
    plot.setLegend({ idx: last }, false);
}

function series(line: ChartLine, filled: boolean, words: (value: number) => string): uPlot.Series {
  const stroke = colour(line.colour);
  return {
    label: line.label,
    stroke,
    width: line.dashed === true ? 1 : 1.5,
    points: { show: false },
    value: (_plot, value) => (value === null || value === undefined ? '–' : words(value)),
    ...(line.dashed === true ? { dash: [5, 4] } : filled ? { fill: `${stroke}1f` } : {}),
  };
}

function xRange({ times, spanS = SPAN_S }: ChartState): [number, number] {
  const last = times.at(-1) ?? 0;
  return [last - spanS, last];
}

function topOf(most: number | null, { top, unit }: ChartState): number {
  const needed = Math.max((most ?? 0) * (1 + HEADROOM), top ?? 0);
  return needed > 0 ? needed : TOP_OF_NOTHING[unit];
}

function timeOfDay(seconds: number): string {
  return new Date(seconds * 1_000).toLocaleTimeString('en-GB');
}

/** Ticks that stand on the time axis, a tenth of the height. */
function drawMarks(plot: uPlot, marks: readonly ChartMark[]): void {
  const { ctx: pen, bbox } = plot;
  pen.save();
  for (const { atS, colour: name } of marks) {
    const x = plot.valToPos(atS, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    pen.fillStyle = colour(name);
    pen.fillRect(x - devicePixelRatio, bbox.top + bbox.height * 0.9, 2 * devicePixelRatio, bbox.height * 0.1);
  }
  pen.restore();
}
