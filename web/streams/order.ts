/** In which order streams stand, and which of them are shown. */
import type { StreamSnapshot } from '../../src/core/stream.ts';
import { parseQuery, predicateOf } from './query.ts';
import { mostUsed } from './use.ts';

type Compare = (a: StreamSnapshot, b: StreamSnapshot) => number;

/** From what needs attention least to most; the way back is `descending`. */
const STATE_RANK: Readonly<Record<StreamSnapshot['state'], number>> = {
  live: 0,
  closing: 1,
  exceeding: 2,
  throttled: 3,
  dropping: 4,
};

const byText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/** All ascending. */
const COMPARE = {
  path: (a, b) => byText(a.path, b.path),
  state: (a, b) => STATE_RANK[a.state] - STATE_RANK[b.state],
  client: (a, b) => byText(a.client, b.client),
  tier: (a, b) => byText(a.tier ?? '', b.tier ?? ''),
  protocol: (a, b) => byText(a.protocol, b.protocol),
  codec: (a, b) => byText(a.media.video_codec ?? '', b.media.video_codec ?? ''),
  use: (a, b) => percent(mostUsed(a)) - percent(mostUsed(b)),
  bitrate: (a, b) => a.usage.bitrate_bps - b.usage.bitrate_bps,
  fps: (a, b) => a.usage.fps - b.usage.fps,
  packets: (a, b) => a.usage.packets_per_sec - b.usage.packets_per_sec,
  dropped: (a, b) => a.usage.dropped_frames - b.usage.dropped_frames,
  held: (a, b) => a.usage.throttled_ms - b.usage.throttled_ms,
  uptime: (a, b) => a.uptime_ms - b.uptime_ms,
} as const satisfies Record<string, Compare>;

export type SortKey = keyof typeof COMPARE;

export function isSortKey(key: string): key is SortKey {
  return Object.hasOwn(COMPARE, key);
}

/** Whole percents: rows that differ by less would change places with every reading. */
function percent(fraction: number): number {
  return Math.round(fraction * 100);
}

/** Names read from A on; of amounts the largest is looked for. */
export function descendsFirst(key: SortKey): boolean {
  return !['path', 'client', 'tier', 'protocol', 'codec'].includes(key);
}

export interface Ordering {
  readonly sort: SortKey;
  readonly descending: boolean;
  readonly query: string;
}

/** What passes the filter, sorted; equals stand by path, so that rows do not jump. */
export function shownStreams(streams: readonly StreamSnapshot[], ordering: Ordering): StreamSnapshot[] {
  const terms = parseQuery(ordering.query);
  const shown = terms.length === 0 ? [...streams] : streams.filter(predicateOf(terms));
  const compare = COMPARE[ordering.sort];
  const sign = ordering.descending ? -1 : 1;
  return shown.sort((a, b) => sign * compare(a, b) || byText(a.path, b.path) || byText(a.id, b.id));
}
