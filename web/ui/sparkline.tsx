import { useEffect, useRef } from 'preact/hooks';
import { useCell } from '../live/cell.ts';
import { colour, shade } from './theme.tsx';

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

/** The shape of a figure over the last minute, without axes. */
export function Sparkline(props: SparklineProps) {
  const { values, capacity, max = null, label, width = 96, height = 20 } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const shown = useCell(shade);
  useEffect(() => {
    const element = canvas.current!;
    const pixels = devicePixelRatio;
    element.width = Math.round(width * pixels);
    element.height = Math.round(height * pixels);
    const pen = element.getContext('2d')!;
    pen.scale(pixels, pixels);
    draw(pen, { values, places: capacity ?? values.length, max, width, height });
  }, [values, capacity, max, width, height, shown]);
  return (
    <canvas
      ref={canvas}
      class="spark"
      role="img"
      aria-label={label}
      style={{ width: `${width}px`, height: `${height}px` }}
    />
  );
}

interface Drawing {
  readonly values: readonly (number | null)[];
  readonly places: number;
  readonly max: number | null;
  readonly width: number;
  readonly height: number;
}

function draw(pen: CanvasRenderingContext2D, { values, places, max, width, height }: Drawing): void {
  const top = max ?? values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  if (values.length < 2 || top <= 0) return;
  const step = width / Math.max(1, places - 1);
  const left = width - (values.length - 1) * step;
  const line = new Path2D();
  let open = false;
  for (const [index, value] of values.entries()) {
    const x = left + index * step;
    const y = height - 1 - (Math.min(value ?? 0, top) / top) * (height - 2);
    if (value !== null && open) line.lineTo(x, y);
    else if (value !== null) line.moveTo(x, y);
    open = value !== null;
  }
  pen.strokeStyle = colour('--accent');
  pen.lineWidth = 1.25;
  pen.lineJoin = 'round';
  pen.stroke(line);
  line.lineTo(width, height);
  line.lineTo(left, height);
  pen.globalAlpha = 0.12;
  pen.fillStyle = colour('--accent');
  pen.fill(line);
}
