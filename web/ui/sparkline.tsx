export interface SparklineProps {
  /** oldest first; null is a gap */
  readonly values: readonly (number | null)[];
  /** places on the axis, so that a short history grows from the right; the number of values when absent */
  readonly capacity?: number;
  /** top of the axis; the highest value when absent */
  readonly max?: number | null;
  /** in words, for those who do not see it */
  readonly label: string;
  /** CSS pixels */
  readonly width?: number;
  readonly height?: number;
}

/**
 * The shape of a figure over the last minute, without axes. A path and no canvas: each canvas is a layer of its own to
 * the browser, and a table of them costs more with every frame that is scrolled than all else in it.
 */
export function Sparkline({ values, capacity, max = null, label, width = 96, height = 20 }: SparklineProps) {
  const top = max ?? values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  const places = Math.max(2, capacity ?? values.length);
  const step = width / (places - 1);
  const left = width - (values.length - 1) * step;
  const stretches = values.length < 2 || top <= 0 ? [] : stretchesOf(values);
  const pointAt = ([index, value]: Point): string =>
    `${(left + index * step).toFixed(1)} ${(height - 1 - (Math.min(value, top) / top) * (height - 2)).toFixed(1)}`;
  const lines = stretches.map((points) => `M${points.map(pointAt).join('L')}`);
  const areas = stretches.map((points, i) => {
    const [first, last] = [points[0]!, points.at(-1)!].map(([index]) => (left + index * step).toFixed(1));
    return `${lines[i]}L${last} ${height}L${first} ${height}Z`;
  });
  return (
    <svg class="spark" role="img" aria-label={label} width={width} height={height}>
      <path class="area" d={areas.join('')} />
      <path class="line" d={lines.join('')} />
    </svg>
  );
}

type Point = readonly [index: number, value: number];

/** Values that are known, each run of them by itself. */
function stretchesOf(values: readonly (number | null)[]): Point[][] {
  const stretches: Point[][] = [];
  let known = false;
  for (const [index, value] of values.entries()) {
    if (value !== null && !known) stretches.push([]);
    if (value !== null) stretches.at(-1)!.push([index, value]);
    known = value !== null;
  }
  return stretches;
}
