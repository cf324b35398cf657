/** In which order streams stand, and which of them are shown. */
import type { StreamSnapshot } from '../../src/core/stream.ts';
import { parseQuery, predicateOf } from './query.ts';
import { mostUsed } from './use.ts';

/** From what needs attention least to most. */
const STATE_RANK: Readonly<Record<StreamSnapshot['state'], number>> = {
  live: 0,
  closing: 1,
  exceeding: 2,
  throttled: 3,
  dropping: 4,
};

/** What each order goes by. */
const KEYS = {
  path: ({ path }) => path,
  state: ({ state }) => STATE_RANK[state],
  client: ({ client }) => client,
  tier: ({ tier }) => tier ?? '',
  protocol: ({ protocol }) => protocol,
  codec: ({ media }) => media.video_codec ?? '',
  // Whole percents: rows that differ by less would change places with every reading.
  use: (stream) => Math.round(mostUsed(stream) * 100),
  bitrate: ({ usage }) => usage.bitrate_bps,
  fps: ({ usage }) => usage.fps,
  packets: ({ usage }) => usage.packets_per_sec,
  dropped: ({ usage }) => usage.dropped_frames,
  held: ({ usage }) => usage.throttled_ms,
  uptime: ({ uptime_ms }) => uptime_ms,
} as const satisfies Record<string, (stream: StreamSnapshot) => string | number>;

export type SortKey = keyof typeof KEYS;

export function isSortKey(key: string): key is SortKey {
  return Object.hasOwn(KEYS, key);
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
  const shown = terms.length === 0 ? streams : streams.filter(predicateOf(terms));
  const keyOf: (stream: StreamSnapshot) => string | number = KEYS[ordering.sort];
  const sign = ordering.descending ? -1 : 1;
  // Each key is worked out once, not in every comparison.
  return shown
    .map((stream) => ({ stream, key: keyOf(stream) }))
    .sort((a, b) => sign * order(a.key, b.key) || byName(a.stream, b.stream))
    .map(({ stream }) => stream);
}

function order(a: string | number, b: string | number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function byName(a: StreamSnapshot, b: StreamSnapshot): number {
  return order(a.path, b.path) || order(a.id, b.id);
}
