/** The lines about the node: who it is and how it is, what flows, what it refused. */
import { formatBitRate, formatCount, formatDuration, formatRate } from '../format.ts';
import type { TopMoment } from './moment.ts';
import { joinFitting, type Line, type Span, span } from './text.ts';

/** In the order of their worth: a short screen shows the first ones. */
export function nodeLines(moment: TopMoment, columns: number): Line[] {
  return [nodeLine(moment), flowLine(moment), deniedLine(moment)].map((parts) => ({
    spans: joinFitting(parts, columns),
  }));
}

function nodeLine({ node, problem, configError, ...health }: TopMoment): Span[][] {
  const parts = [
    [span('headgate ', 'bold'), span(node.id, 'accent')],
    problem === null ? healthOf(health) : [span(`NO ANSWER: ${problem}`, 'bad')],
    [span(`up ${formatDuration(node.uptimeMs)}`)],
    [span(node.version, 'dim')],
  ];
  if (configError !== null) parts.splice(2, 0, [span('config not reloaded', 'warn')]);
  return parts;
}

function healthOf({ ready, reasons, gate }: Pick<TopMoment, 'ready' | 'reasons' | 'gate'>): Span[] {
  if (ready && gate === 'open') return [span('ready', 'good')];
  const why = reasons.length > 0 ? `: ${reasons.join(', ')}` : '';
  return ready ? [span(`ready, gate ${gate}${why}`, 'warn')] : [span(`NOT READY${why}`, 'bad')];
}

function flowLine({ totals }: TopMoment): Span[][] {
  return [
    [span(formatBitRate(totals.bitrate_bps), 'bold'), span(' in')],
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
