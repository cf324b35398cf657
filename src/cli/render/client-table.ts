/** The tables of `headgate clients` and `headgate ips`. Pure. */

import { formatEventRate } from '../../core/units.ts';
import { formatBitRate, formatDuration, formatPercent } from '../../core/words/figures.ts';
import { bitrateLimit } from '../../core/words/limits.ts';
import type { ClientSnapshot, IpSnapshot } from '../../http/ports.ts';
import { styleOfUse } from '../top/bar.ts';
import type { Line } from '../top/text.ts';
import { type TableColumn, table } from './table.ts';

/** Cells of the longest IPv4 address, and of how long somebody has to wait: neither is told in part. */
const IPV4_CELLS = 15;
const COOLDOWN_CELLS = 15;

/** How much of a limit is used; nothing is said of a limit that is none. */
function used(limit: unknown, fraction: number): string {
  return limit === null ? '-' : formatPercent(fraction);
}

function ofLimit(count: number, limit: number | null): string {
  return limit === null ? String(count) : `${count}/${limit}`;
}

function rateWords(rate: { count: number; period_ms: number } | null): string {
  return rate === null ? 'unlimited' : formatEventRate({ count: rate.count, periodMs: rate.period_ms });
}

const CLIENTS: readonly TableColumn<ClientSnapshot>[] = [
  { title: 'CLIENT', rank: 1, align: 'left', cellsMin: IPV4_CELLS, text: ({ id }) => id },
  { title: 'TIER', rank: 7, align: 'left', text: ({ tier }) => tier ?? '-' },
  { title: 'PRIO', rank: 8, align: 'right', text: ({ priority }) => String(priority) },
  {
    title: 'STREAMS',
    rank: 2,
    align: 'right',
    text: ({ streams, limits }) => ofLimit(streams, limits.max_streams),
    style: ({ utilization }) => styleOfUse(utilization.streams),
  },
  { title: 'BITRATE', rank: 3, align: 'right', text: ({ bitrate_bps }) => formatBitRate(bitrate_bps) },
  { title: 'LIMIT', rank: 5, align: 'right', text: ({ limits }) => bitrateLimit(limits.max_bandwidth_bps) },
  {
    title: 'USED',
    rank: 4,
    align: 'right',
    text: ({ limits, utilization }) => used(limits.max_bandwidth_bps, utilization.bandwidth),
    style: ({ utilization }) => styleOfUse(utilization.bandwidth),
  },
  {
    title: 'ATTEMPTS',
    rank: 6,
    align: 'right',
    text: ({ limits, utilization }) => used(limits.publish_rate, utilization.publish_rate),
    style: ({ utilization }) => styleOfUse(utilization.publish_rate),
  },
  { title: 'OF', rank: 9, align: 'right', text: ({ limits }) => rateWords(limits.publish_rate) },
];

const ADDRESSES: readonly TableColumn<IpSnapshot>[] = [
  { title: 'ADDRESS', rank: 1, align: 'left', cellsMin: IPV4_CELLS, text: ({ ip }) => ip },
  {
    title: 'CONNS',
    rank: 2,
    align: 'right',
    text: ({ connections, limits }) => ofLimit(connections, limits.max_connections),
    style: ({ utilization }) => styleOfUse(utilization.connections),
  },
  { title: 'STREAMS', rank: 5, align: 'right', text: ({ streams }) => String(streams) },
  { title: 'BITRATE', rank: 4, align: 'right', text: ({ bitrate_bps }) => formatBitRate(bitrate_bps) },
  { title: 'LIMIT', rank: 8, align: 'right', text: ({ limits }) => bitrateLimit(limits.max_bandwidth_bps) },
  {
    title: 'ATTEMPTS',
    rank: 6,
    align: 'right',
    text: ({ limits, utilization }) => used(limits.connection_rate, utilization.connection_rate),
    style: ({ utilization }) => styleOfUse(utilization.connection_rate),
  },
  { title: 'OF', rank: 9, align: 'right', text: ({ limits }) => rateWords(limits.connection_rate) },
  {
    title: 'STATE',
    rank: 3,
    align: 'left',
    cellsMin: COOLDOWN_CELLS,
    text: stateOf,
    style: ({ cooldown_ms }) => (cooldown_ms > 0 ? 'bad' : 'plain'),
  },
];

function stateOf({ exempt, cooldown_ms, cooldown_reason }: IpSnapshot): string {
  if (cooldown_ms > 0) return `cooldown ${formatDuration(cooldown_ms)} ${cooldown_reason ?? ''}`.trimEnd();
  return exempt ? 'allowed' : '-';
}

/** `width` null: nothing is clipped or left out. */
export function clientTable(clients: readonly ClientSnapshot[], width: number | null): Line[] {
  return table(CLIENTS, clients, width);
}

export function addressTable(addresses: readonly IpSnapshot[], width: number | null): Line[] {
  return table(ADDRESSES, addresses, width);
}
