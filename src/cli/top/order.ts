/** Which streams are shown, and in what order. */

import { heldTo } from '../../core/held.ts';
import type { StreamSnapshot } from '../../core/stream.ts';

interface SortKey {
  readonly key: string;
  readonly label: string;
  /** negative when `a` comes first in the natural direction: the greatest, or the first by name */
  readonly compare: (a: StreamSnapshot, b: StreamSnapshot) => number;
}

/** Sort orders by the key that chooses them. */
export const SORTS = {
  bitrate: { key: 'b', label: 'bitrate', compare: (a, b) => b.usage.bitrate_bps - a.usage.bitrate_bps },
  utilization: { key: 'u', label: 'utilization', compare: (a, b) => mostUsed(b) - mostUsed(a) },
  fps: { key: 'f', label: 'fps', compare: (a, b) => b.usage.fps - a.usage.fps },
  name: { key: 'n', label: 'name', compare: byPath },
  uptime: { key: 't', label: 'uptime', compare: (a, b) => b.uptime_ms - a.uptime_ms },
  squeeze: { key: 's', label: 'squeeze', compare: (a, b) => leftOf(a) - leftOf(b) },
  dropped: { key: 'd', label: 'dropped', compare: (a, b) => b.usage.dropped_frames - a.usage.dropped_frames },
} as const satisfies Record<string, SortKey>;

export type Sort = keyof typeof SORTS;

/** The reader's choice of streams and their order. */
export interface Ordering {
  readonly sort: Sort;
  readonly reversed: boolean;
  /** text that a stream must show somewhere; empty for all */
  readonly filter: string;
}

/** The streams that pass the filter, sorted; equals stay in the order of their paths, so that rows do not jump. */
export function shownStreams(streams: readonly StreamSnapshot[], ordering: Ordering): StreamSnapshot[] {
  const wanted = ordering.filter.toLowerCase();
  const shown = wanted === '' ? [...streams] : streams.filter((stream) => matches(stream, wanted));
  const { compare } = SORTS[ordering.sort];
  const sign = ordering.reversed ? -1 : 1;
  return shown.sort((a, b) => sign * compare(a, b) || byPath(a, b) || (a.id < b.id ? -1 : 1));
}

/** The share of the limit that is nearest to its end. */
function mostUsed({ utilization }: StreamSnapshot): number {
  return Math.max(utilization.bitrate, utilization.fps, utilization.packets);
}

/** What a stream is left of what it wants, lowest for who is squeezed hardest; 1 for who is not. */
function leftOf(stream: StreamSnapshot): number {
  const { bps, by } = heldTo(stream);
  if (by === null || bps === null) return 1;
  const { max_bitrate_bps: own } = stream.limits;
  return Math.min(1, bps / (own ?? Math.max(bps, stream.usage.bitrate_peak_bps, 1)));
}

function byPath(a: StreamSnapshot, b: StreamSnapshot): number {
  return a.path === b.path ? 0 : a.path < b.path ? -1 : 1;
}

function matches(stream: StreamSnapshot, wanted: string): boolean {
  const { path, client, id, ip, protocol, state, share } = stream;
  return [path, client, id, ip, protocol, state, share.by ?? ''].some((text) =>
    text.toLowerCase().includes(wanted),
  );
}
