import { HISTORY_INTERVAL_MS, type HistoryRing } from './ring.ts';

/** Figures over time, as the API tells them: one array per column, oldest first, null where nothing is known. */
export interface HistoryColumns<Column extends string> {
  /** between two values of a column */
  interval_ms: number;
  /** ISO times of the first and the last value; the same when there is none */
  from: string;
  to: string;
  columns: Record<Column, (number | null)[]>;
}

/** Both clocks at one instant, ms: rows are numbered by the monotonic one and shown by the other. */
export interface Instant {
  readonly now: number;
  readonly wallMs: number;
}

/** Which rows a view shows, and when they were. */
export interface Span {
  readonly first: number;
  readonly last: number;
  readonly from: string;
  readonly to: string;
}

/** Number of the row that `now` belongs to, on a grid that is `phaseMs` early: never negative. */
export function rowNumber(now: number, phaseMs: number): number {
  return Math.floor((now + phaseMs) / HISTORY_INTERVAL_MS);
}

/**
 * The rows that are shown at an instant. Of what is still sampled the view goes up to now, as a gap where nothing was
 * written; the row that is about to be written is not missed yet. Of what has ended it goes to its last row.
 */
export function spanOf(ring: HistoryRing, phaseMs: number, ended: boolean, at: Instant): Span {
  if (ring.isEmpty) {
    const now = isoOf(at, at.now);
    return { first: 0, last: -1, from: now, to: now };
  }
  const written = ring.next - 1;
  const last = ended ? written : Math.max(written, rowNumber(at.now, phaseMs) - 1);
  const first = Math.min(ring.firstUpTo(last), last);
  const timeOf = (row: number): string => isoOf(at, row * HISTORY_INTERVAL_MS - phaseMs);
  return { first, last, from: timeOf(first), to: timeOf(last) };
}

/** The columns of a ring by name, in the order of their names. */
export function columnsOf<Column extends string>(
  ring: HistoryRing,
  names: readonly Column[],
  span: Span,
): HistoryColumns<Column> {
  const columns = Object.fromEntries(
    names.map((name, column) => [name, ring.column(column, span.first, span.last)]),
  ) as Record<Column, (number | null)[]>;
  return { interval_ms: HISTORY_INTERVAL_MS, from: span.from, to: span.to, columns };
}

/** The wall time of an instant of the monotonic clock. */
export function isoOf({ now, wallMs }: Instant, at: number): string {
  return new Date(wallMs - now + at).toISOString();
}
