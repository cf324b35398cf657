/** Fractions from which on a bar says that it is getting tight, and that the limit is reached: who is held at it is measured within 3 %. */
const TIGHT = 0.8;
const FULL = 0.97;

export interface BarProps {
  /** fraction in use; null = not known or unlimited, an empty bar */
  readonly value: number | null;
  /** what it is, for those who do not see it: `bitrate` */
  readonly label: string;
  /** in words, for those who do not see it: `2.61 Mbps of 6 Mbps` */
  readonly text?: string;
  /** fractions at which a line is drawn, mildest first; they also decide the tone, in place of 80 % and 100 % */
  readonly marks?: readonly number[];
  /** a part of a whole, not of a limit: full is nothing to worry about */
  readonly plain?: boolean;
}

/** How much of a limit is used. Beyond it the bar is full and striped. */
export function Bar({ value, label, text, marks, plain = false }: BarProps) {
  const used = value ?? 0;
  const tight = marks?.[0] ?? TIGHT;
  const full = marks?.[1] ?? FULL;
  const tone = plain ? 'ok' : used >= full ? 'bad' : used >= tight ? 'warn' : 'ok';
  return (
    // biome-ignore lint/a11y/useSemanticElements: a <meter> cannot be drawn the same in every browser, nor carry marks
    <span
      class={`bar ${tone}`}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(Math.min(used, 1) * 100)}
      aria-valuetext={text ?? `${Math.round(used * 100)} %`}
    >
      <span class="fill" style={{ width: `${Math.min(100, Math.max(0, used * 100)).toFixed(1)}%` }} />
      {marks?.map((mark) => (
        <span key={mark} class="mark" style={{ left: `${(mark * 100).toFixed(1)}%` }} />
      ))}
    </span>
  );
}
