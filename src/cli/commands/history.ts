import { formatBitRate, formatPercent, formatRate } from '../../core/words/figures.ts';
import { instant } from '../../core/words/limits.ts';
import type { NodeHistory } from '../../telemetry/history/node.ts';
import type { StreamHistory } from '../../telemetry/history/streams.ts';
import { findStream, streamPath } from '../api/streams.ts';
import { type Context, printJson } from '../context.ts';
import { printView } from '../render/print.ts';
import { type TableColumn, table } from '../render/table.ts';

export interface HistoryOptions {
  /** id, path or name; undefined: the server as a whole */
  readonly stream: string | undefined;
  /** rows shown, the latest */
  readonly rows: number;
  readonly json: boolean;
}

type Past = Pick<StreamHistory | NodeHistory, 'from' | 'interval_ms'> & {
  readonly columns: Readonly<Record<string, readonly (number | null)[]>>;
};

/** `headgate history [ID]`: the last five minutes, a row for each interval. */
export async function runHistory(options: HistoryOptions, { api, terminal }: Context): Promise<number> {
  const path =
    options.stream === undefined ? '/api/v1/history' : `${await pastPath(options.stream, api)}/history`;
  const past = await api.get<StreamHistory | NodeHistory>(path, 'columns');
  if (options.json) printJson(terminal, past);
  else printView(terminal, pastTable(past as Past, options.rows, terminal.columns));
  return 0;
}

/** Of a stream that has ended the id is still known: it is asked for as it is. */
async function pastPath(meant: string, api: Context['api']): Promise<string> {
  if (/^s-[0-9a-z]+$/.test(meant)) return streamPath(meant);
  return streamPath((await findStream(api, meant)).id);
}

function pastTable({ from, interval_ms, columns }: Past, rows: number, width: number | null) {
  const names = Object.keys(columns);
  const length = Math.max(0, ...names.map((name) => columns[name]!.length));
  const shown = Array.from(
    { length: Math.min(rows, length) },
    (_, index) => length - Math.min(rows, length) + index,
  );
  const start = Date.parse(from);
  const at = (index: number): string =>
    instant(new Date(start + index * interval_ms).toISOString()).slice(11);
  const time: TableColumn<number> = { title: 'AT', rank: 1, align: 'left', text: at };
  const figures = names.map(
    (name, index): TableColumn<number> => ({
      title: name.toUpperCase(),
      rank: index + 2,
      align: 'right',
      text: (row) => figure(name, columns[name]![row] ?? null),
    }),
  );
  return table([time, ...figures], shown, width);
}

function figure(name: string, value: number | null): string {
  if (value === null) return '-';
  if (name.endsWith('_bps')) return formatBitRate(value);
  return name === 'cpu' || name === 'heap' || name === 'memory' ? formatPercent(value) : formatRate(value);
}
