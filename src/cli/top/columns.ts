/**
 * The columns of the table: what each shows, how wide it is, and which give way
 * when the terminal is narrow.
 */

import { heldTo } from '../../core/held.ts';
import type { StreamSnapshot, StreamState } from '../../core/stream.ts';
import {
  formatBitRate,
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
  UNLIMITED,
} from '../../core/words/figures.ts';
import { bar, styleOfUse } from './bar.ts';
import { pad, type Span, type Style, span } from './text.ts';

export interface Column {
  readonly title: string;
  readonly width: number;
  /** cells it may grow to when there is room; the width when it does not grow */
  readonly widthMax: number;
  /** 1 is kept longest */
  readonly rank: number;
  readonly align: 'left' | 'right';
  readonly cell: (stream: StreamSnapshot, width: number, unicode: boolean) => Span[];
}

const STATE_STYLES: Readonly<Record<StreamState, Style>> = {
  live: 'good',
  throttled: 'warn',
  exceeding: 'odd',
  dropping: 'bad',
  closing: 'dim',
};

/** Cells of ` 100%` behind a bar. */
const PERCENT_CELLS = 5;

function text(
  show: (stream: StreamSnapshot) => string,
  style: (stream: StreamSnapshot) => Style = () => 'plain',
) {
  return (stream: StreamSnapshot): Span[] => [span(show(stream), style(stream))];
}

function limitOf(value: number | null, show: (value: number) => string): string {
  return value === null ? UNLIMITED : show(value);
}

function fixed(
  title: string,
  width: number,
  rank: number,
  align: Column['align'],
  cell: Column['cell'],
): Column {
  return { title, width, widthMax: width, rank, align, cell };
}

const STATE: Column = fixed(
  'STATE',
  9,
  4,
  'left',
  text(
    ({ state }) => state,
    ({ state }) => STATE_STYLES[state] ?? 'plain',
  ),
);

/** The state as one letter, where there is no room for the word. */
const STATE_LETTER: Column = fixed(
  'S',
  1,
  4,
  'left',
  text(
    ({ state }) => state.slice(0, 1).toUpperCase(),
    ({ state }) => STATE_STYLES[state] ?? 'plain',
  ),
);

/** What holds a stream below its own limit: only there while somebody is held. */
const BY: Column = fixed(
  'BY',
  6,
  7,
  'left',
  text(
    (stream) => heldTo(stream).by ?? '',
    (stream) => (heldTo(stream).by === 'shed' ? 'bad' : 'warn'),
  ),
);

/** In the order they stand. */
const COLUMNS: readonly Column[] = [
  STATE,
  { title: 'PATH', width: 14, widthMax: 32, rank: 1, align: 'left', cell: text(({ path }) => path) },
  { title: 'CLIENT', width: 10, widthMax: 20, rank: 10, align: 'left', cell: text(({ client }) => client) },
  fixed(
    'PROTO',
    5,
    14,
    'left',
    text(({ protocol }) => protocol),
  ),
  fixed('CODEC', 9, 11, 'left', text(codecsOf)),
  fixed(
    'BITRATE',
    9,
    2,
    'right',
    text(({ usage }) => formatBitRate(usage.bitrate_bps)),
  ),
  { title: 'OF LIMIT', width: 9, widthMax: 26, rank: 3, align: 'left', cell: useOfBitrate },
  fixed(
    'LIMIT',
    9,
    6,
    'right',
    text(
      (stream) => limitOf(heldTo(stream).bps, formatBitRate),
      (stream) => (heldTo(stream).by === null ? 'plain' : 'warn'),
    ),
  ),
  BY,
  fixed(
    'FPS',
    8,
    5,
    'right',
    text(({ usage, limits }) => `${formatRate(usage.fps)}/${limitOf(limits.max_fps, formatRate)}`),
  ),
  fixed(
    'PKT/S',
    5,
    13,
    'right',
    text(({ usage }) => formatRate(usage.packets_per_sec)),
  ),
  fixed(
    'DROP',
    5,
    8,
    'right',
    text(
      ({ usage }) => formatCount(usage.dropped_frames),
      ({ usage }) => (usage.dropped_frames > 0 ? 'bad' : 'dim'),
    ),
  ),
  fixed(
    'HELD',
    6,
    12,
    'right',
    text(
      ({ usage }) => (usage.throttled_ms === 0 ? '0' : formatDuration(usage.throttled_ms)),
      ({ usage }) => (usage.throttled_ms > 0 ? 'warn' : 'dim'),
    ),
  ),
  fixed(
    'UP',
    6,
    9,
    'right',
    text(({ uptime_ms }) => formatDuration(uptime_ms)),
  ),
];

/** `h264+aac`; what is not known yet is left out. */
function codecsOf({ media }: StreamSnapshot): string {
  const known = [media.video_codec, media.audio_codec].filter((codec) => codec !== null);
  return known.length === 0 ? '-' : known.join('+');
}

function useOfBitrate(stream: StreamSnapshot, width: number, unicode: boolean): Span[] {
  const { bps, used } = heldTo(stream);
  if (bps === null) return [span(UNLIMITED, 'dim')];
  const percent = pad(formatPercent(used), PERCENT_CELLS, 'right');
  return [span(bar(used, width - PERCENT_CELLS, unicode), styleOfUse(used)), span(percent)];
}

/** Cells before the first column, where the selection is marked. */
export const GUTTER = 2;

/** The columns that fit, in order, each with the width it gets. `squeezed`: a stream is held below its own limit. */
export function columnsFor(cells: number, squeezed: boolean): (Column & { readonly cells: number })[] {
  let left = cells - GUTTER;
  const kept = new Set<Column>();
  const wanted = squeezed ? COLUMNS : COLUMNS.filter((column) => column !== BY);
  for (const column of [...wanted].sort((a, b) => a.rank - b.rank)) {
    const gap = kept.size === 0 ? 0 : 1;
    // What is less wanted must not squeeze in where the more wanted found no room.
    if (column.width + gap > left) break;
    kept.add(column);
    left -= column.width + gap;
  }
  const columns = COLUMNS.filter((column) => kept.has(column));
  if (!kept.has(STATE) && left >= STATE_LETTER.width + 1) {
    columns.unshift(STATE_LETTER);
    left -= STATE_LETTER.width + 1;
  }
  return columns.map((column) => {
    const grown = Math.min(left, column.widthMax - column.width);
    left -= grown;
    return { ...column, cells: column.width + grown };
  });
}
