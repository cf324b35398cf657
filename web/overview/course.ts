/** The node over the last minutes: what the server remembers, carried on by what came since. */
import type { Reason } from '../../src/core/reasons.ts';
import type { NodeHistory } from '../../src/telemetry/history/node.ts';
import type { NodeColumn as LiveColumn } from '../live/live.ts';
import type { Samples } from '../live/samples.ts';

export interface Course {
  /** wall times, seconds, oldest first */
  readonly times: readonly number[];
  readonly columns: Readonly<Record<LiveColumn, readonly (number | null)[]>>;
}

type Column = (number | null)[];

/** The server's columns under our names. Its rows hold no rate of refusals, but their number. */
function pastOf({ interval_ms, columns }: NodeHistory, name: LiveColumn): Column {
  if (name !== 'denied_per_s') return columns[name];
  return columns.denials.map((denials) => (denials === null ? null : (denials * 1_000) / interval_ms));
}

/** `history` null: it was not answered yet, or cannot be. */
export function courseOf(
  history: NodeHistory | null,
  live: Samples<LiveColumn>,
  names: readonly LiveColumn[],
): Course {
  const liveTimes = live.timesS();
  const pastTimes: number[] = [];
  if (history !== null) {
    const fromS = Date.parse(history.from) / 1_000;
    const rows = history.columns.bitrate_bps.length;
    for (let row = 0; row < rows; row++) pastTimes.push(fromS + (row * history.interval_ms) / 1_000);
  }
  const pastEnd = pastTimes.at(-1) ?? Number.NEGATIVE_INFINITY;
  const fresh = liveTimes.findIndex((atS) => atS > pastEnd);
  const from = fresh < 0 ? liveTimes.length : fresh;
  const columns = Object.fromEntries(
    names.map((name) => [
      name,
      [...(history === null ? [] : pastOf(history, name)), ...live.values(name).slice(from)],
    ]),
  ) as Record<LiveColumn, Column>;
  return { times: [...pastTimes, ...liveTimes.slice(from)], columns };
}

type Counts = Readonly<Partial<Record<Reason, number>>>;

/** How many had been refused, by reason, at a time the page was told. */
export interface DeniedMark {
  /** wall time */
  readonly atMs: number;
  readonly denied: Counts;
}

/** Refusals by reason over the last `spanMs`: what came live, and before that what the server remembers. */
export function refusedWithin(
  history: NodeHistory | null,
  marks: readonly DeniedMark[],
  spanMs: number,
): Counts {
  const last = marks.at(-1);
  if (last === undefined) return {};
  const sinceMs = last.atMs - spanMs;
  // Far later than `sinceMs` when the page was opened, or its tab seen again, since then.
  const first = marks.find(({ atMs }) => atMs >= sinceMs) ?? last;
  const sums: Partial<Record<Reason, number>> = {};
  const add = (reason: string, times: number) => {
    if (times > 0) sums[reason as Reason] = (sums[reason as Reason] ?? 0) + times;
  };
  for (const [reason, times] of Object.entries(last.denied))
    add(reason, times - (first.denied[reason as Reason] ?? 0));
  if (history === null) return sums;
  const fromMs = Date.parse(history.from);
  for (const [reason, counts] of Object.entries(history.denied)) {
    for (const [row, times] of counts.entries()) {
      const atMs = fromMs + row * history.interval_ms;
      if (atMs >= sinceMs && atMs < first.atMs) add(reason, times ?? 0);
    }
  }
  return sums;
}
