/** The table of `headgate streams`. Pure. */
import type { StreamSnapshot, StreamState, StreamTotals } from '../../core/stream.ts';
import {
  formatBitRate,
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
} from '../../core/words/figures.ts';
import { bitrateLimit, fpsLimit } from '../../core/words/limits.ts';
import { type Line, type Style, span } from '../top/text.ts';
import { type TableColumn, table } from './table.ts';

const STATE_STYLES: Readonly<Record<StreamState, Style>> = {
  live: 'good',
  throttled: 'warn',
  exceeding: 'odd',
  dropping: 'bad',
  closing: 'dim',
};

export function stateStyle(state: StreamState): Style {
  return STATE_STYLES[state] ?? 'plain';
}

const COLUMNS: readonly TableColumn<StreamSnapshot>[] = [
  { title: 'ID', rank: 1, align: 'left', text: ({ id }) => id },
  { title: 'PATH', rank: 2, align: 'left', cellsMin: 12, text: ({ path }) => path },
  {
    title: 'STATE',
    rank: 4,
    align: 'left',
    text: ({ state }) => state,
    style: ({ state }) => stateStyle(state),
  },
  { title: 'CLIENT', rank: 8, align: 'left', cellsMin: 10, text: ({ client }) => client },
  { title: 'ADDRESS', rank: 11, align: 'left', text: ({ ip }) => ip },
  { title: 'PROTO', rank: 12, align: 'left', text: ({ protocol }) => protocol },
  { title: 'BITRATE', rank: 3, align: 'right', text: ({ usage }) => formatBitRate(usage.bitrate_bps) },
  { title: 'LIMIT', rank: 5, align: 'right', text: ({ limits }) => bitrateLimit(limits.max_bitrate_bps) },
  { title: 'USED', rank: 6, align: 'right', text: used },
  { title: 'FPS', rank: 7, align: 'right', text: ({ usage }) => formatRate(usage.fps) },
  { title: 'OF', rank: 10, align: 'right', text: ({ limits }) => fpsLimit(limits.max_fps) },
  { title: 'UP', rank: 9, align: 'right', text: ({ uptime_ms }) => formatDuration(uptime_ms) },
];

function used({ limits, utilization }: StreamSnapshot): string {
  return limits.max_bitrate_bps === null ? '-' : formatPercent(utilization.bitrate);
}

/** `width` null: nothing is clipped or left out. */
export function streamTable(streams: readonly StreamSnapshot[], width: number | null): Line[] {
  return table(COLUMNS, streams, width);
}

export function totalsLine({ streams, bitrate_bps, connections }: StreamTotals): Line {
  const count = `${formatCount(streams)} ${streams === 1 ? 'stream' : 'streams'}`;
  const open = `${formatCount(connections)} ${connections === 1 ? 'connection' : 'connections'}`;
  return { spans: [span(`${count}, ${formatBitRate(bitrate_bps)}, ${open}`, 'dim')] };
}
