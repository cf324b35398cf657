/** A chart over time (uPlot), drawn again when its columns change, never built anew for that. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { useCell } from '../live/cell.ts';
import { type ChartLine, type ChartMark, type ChartUnit, chartOptions, showLast } from './chart-options.ts';
import { shade } from './theme.tsx';

export type { ChartLine, ChartMark, ChartUnit };

export interface ChartProps {
  /** in words, for those who do not see it */
  readonly label: string;
  /** wall times, seconds, oldest first */
  readonly times: readonly number[];
  /** one column per line, as long as `times`; null is a gap */
  readonly columns: readonly (readonly (number | null)[])[];
  /** what the lines are; keep the array the same from one drawing to the next where it does not change */
  readonly lines: readonly ChartLine[];
  readonly unit: ChartUnit;
  /** CSS pixels; 160 when absent */
  readonly height?: number;
  /** the axis reaches at least so far up */
  readonly top?: number | null;
  /** seconds shown, ending with the last time; 300 when absent */
  readonly spanS?: number;
  /** things that happened, drawn as ticks on the time axis */
  readonly marks?: readonly ChartMark[];
  /** charts with one name show the pointer's time together */
  readonly sync?: string;
}

export function Chart(props: ChartProps) {
  const { label, times, columns, lines, height = 160, unit, sync } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const colours = useCell(shade);
  const columnsNow = () => [latest.current.times, ...latest.current.columns] as unknown as uPlot.AlignedData;
  useEffect(() => {
    const element = place.current!;
    const options = chartOptions(() => latest.current, element.clientWidth || 300, height);
    const made = new uPlot(options, columnsNow(), element);
    plot.current = made;
    const resized = new ResizeObserver(() => {
      if (element.clientWidth > 0 && element.clientWidth !== made.width)
        made.setSize({ width: element.clientWidth, height });
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [lines, unit, height, sync, colours]);
  useEffect(() => {
    if (plot.current === null) return;
    plot.current.setData(columnsNow());
    showLast(plot.current);
  }, [times, columns, props.top, props.marks]);
  return <div ref={place} class="chart" role="img" aria-label={label} />;
}
