/** The lines about the node: who it is and how it is, what presses, what flows, who suffers, what it refused. */
import { formatBitRate, formatCount, formatDuration, formatRate } from '../../core/words/figures.ts';
import { budgetWords, factorPart, pressureLine, squeezeLine } from './machine-lines.ts';
import type { Screen, TopMoment } from './moment.ts';
import { joinFitting, type Line, type Span, span, widthOf } from './text.ts';

/** In the order of their worth: a short screen shows the first ones. */
export function nodeLines(
  moment: TopMoment,
  { columns, unicode }: Pick<Screen, 'columns' | 'unicode'>,
): Line[] {
  const lines = [
    nodeLine(moment, columns),
    pressureLine(moment.machine, unicode),
    flowLine(moment),
    squeezeLine(moment.machine),
    deniedLine(moment),
  ];
  return lines.map((parts) => ({ spans: joinFitting(parts, columns) }));
}

function nodeLine(moment: TopMoment, columns: number): Span[][] {
  const { node, problem, configError } = moment;
  const name = [span('headgate ', 'bold'), span(node.id, 'accent')];
  const health = problem === null ? healthOf(moment) : [span(`NO ANSWER: ${problem}`, 'bad')];
  const parts = [
    // Where there is no room for both, how it is goes before what it is called.
    ...(cellsOf(name) + cellsOf(health) + 2 <= columns ? [name, health] : [health, name]),
    [span(`up ${formatDuration(node.uptimeMs)}`)],
    [span(node.version, 'dim')],
  ];
  if (configError !== null) parts.splice(2, 0, [span('config not reloaded', 'warn')]);
  return parts;
}

function healthOf({ ready, reasons, machine: { gate } }: TopMoment): Span[] {
  const why = reasonsOf(ready ? gate.reasons : reasons);
  if (ready) {
    return gate.state === 'open'
      ? [span('ready, gate open', 'good')]
      : [span(`ready, gate ${gate.state}${why}`, 'warn')];
  }
  const { reopens_in_ms: opensMs } = gate;
  if (gate.open || opensMs === null) return [span(`NOT READY${why}`, 'bad')];
  return [span(`GATE CLOSED${why}, opens in ${formatDuration(opensMs)}`, 'bad')];
}

function reasonsOf(reasons: readonly string[]): string {
  return reasons.length > 0 ? `: ${reasons.join(', ')}` : '';
}

function cellsOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { text }) => sum + widthOf(text), 0);
}

function flowLine({ totals, machine }: TopMoment): Span[][] {
  return [
    [span(formatBitRate(totals.bitrate_bps), 'bold'), span(`${budgetWords(machine)} in`)],
    ...factorPart(machine),
    [span(formatCount(totals.streams), 'bold'), span(totals.streams === 1 ? ' stream' : ' streams')],
    [span(formatCount(totals.connections)), span(totals.connections === 1 ? ' connection' : ' connections')],
    [span(`${formatRate(totals.packets_per_sec)} pkt/s`)],
  ];
}

function deniedLine({ denied }: TopMoment): Span[][] {
  if (denied === null) return [[span('denied: not known', 'dim')]];
  const reasons = Object.entries(denied)
    .filter(([, count]) => count > 0)
    .sort(([a, most], [b, more]) => more - most || (a < b ? -1 : 1));
  const total = reasons.reduce((sum, [, count]) => sum + count, 0);
  const parts = reasons.map(([reason, count]) => [span(`${reason} `, 'dim'), span(formatCount(count))]);
  return [[span('denied '), span(formatCount(total), total > 0 ? 'warn' : 'dim')], ...parts];
}
