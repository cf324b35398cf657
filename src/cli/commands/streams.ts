import { allStreams, type StreamFilter } from '../api/streams.ts';
import { type Context, printJson } from '../context.ts';
import { printView } from '../render/print.ts';
import { streamTable, totalsLine } from '../render/stream-table.ts';

/** `headgate streams`: the live streams, oldest first. */
export async function runStreams(
  { json, ...filter }: StreamFilter & { readonly json: boolean },
  { api, terminal }: Context,
): Promise<number> {
  const list = await allStreams(api, filter);
  if (json) {
    printJson(terminal, list);
    return 0;
  }
  if (list.streams.length === 0) {
    const such = Object.values(filter).some((value) => value !== undefined) ? 'such ' : '';
    terminal.stderr.write(`headgate: no ${such}live streams\n`);
    return 0;
  }
  const lines = streamTable(list.streams, terminal.columns);
  // A sum under the table is for people: a program counts lines.
  printView(terminal, terminal.isTty ? [...lines, totalsLine(list.totals)] : lines);
  return 0;
}
