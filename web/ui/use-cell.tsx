import { Bar } from './bar.tsx';

export interface UseCellProps {
  /** what is limited, for those who do not see the bar */
  readonly label: string;
  /** in words: `2`, `2.61 Mbps` */
  readonly seen: string;
  /** in words; null = unlimited */
  readonly limit: string | null;
  /** part of the limit in use */
  readonly used: number;
}

/** What is used of a limit: figures over a bar. */
export function UseCell({ label, seen, limit, used }: UseCellProps) {
  return (
    <div class="use">
      <span>
        <b>{seen}</b> <span class="soft">{limit === null ? 'no limit' : `of ${limit}`}</span>
      </span>
      {limit === null ? null : <Bar value={used} label={label} text={`${seen} of ${limit}`} />}
    </div>
  );
}
