import type { Admission } from '../core/admission/admission.ts';
import type { Budgets } from '../ingest/budgets.ts';
import type { StreamRegistry } from '../ingest/registry.ts';
import { fraction } from '../ingest/snapshot.ts';
import type { LimitUtilization } from '../telemetry/metrics-source.ts';

export interface UtilizationParts {
  readonly admission: Admission;
  readonly budgets: Budgets;
  readonly registry: StreamRegistry;
  ipLimits(): { readonly max_connections: number; readonly max_bandwidth: number };
}

/** What one client or address uses, and what it may. */
interface Use {
  streams: number;
  bps: number;
  maxStreams: number;
  maxBps: number;
}

/**
 * How close the server is to each limit. Of addresses, clients and streams only the one that is closest is told: an
 * operator sees that somebody presses against a limit, and the number of time series stays what it is.
 */
export function utilizationOf({
  admission,
  budgets,
  registry,
  ipLimits,
}: UtilizationParts): LimitUtilization[] {
  const global = admission.global();
  const ip = ipLimits();
  const closest = { bitrate: 0, fps: 0, packets: 0 };
  const clients = new Map<string, Use>();
  const addresses = new Map<string, Use>();
  let totalBps = 0;
  for (const stream of registry.all()) {
    const { limits, ring, effective, identity } = stream;
    const bps = ring.bitrateBps();
    totalBps += bps;
    closest.bitrate = Math.max(closest.bitrate, fraction(bps, limits.max_bitrate));
    closest.fps = Math.max(closest.fps, fraction(ring.wallFps(), limits.max_fps));
    closest.packets = Math.max(closest.packets, fraction(ring.packetsPerSec(), limits.max_packets_per_sec));
    const { max_streams, max_bandwidth } = effective.client;
    charge(clients, identity.client, bps, max_streams, max_bandwidth);
    if (!stream.exempt) charge(addresses, identity.ipKey, bps, Number.POSITIVE_INFINITY, ip.max_bandwidth);
  }
  const at = (scope: LimitUtilization['scope'], limit: string, used: number): LimitUtilization => ({
    scope,
    limit,
    fraction: used,
  });
  return [
    at('global', 'max_connections', fraction(global.connections, global.maxConnections)),
    at('global', 'max_streams', fraction(global.streams, global.maxStreams)),
    at('global', 'max_bandwidth', fraction(totalBps, budgets.globalBps)),
    at('ip', 'max_connections', fraction(global.busiestAddress, ip.max_connections)),
    at(
      'ip',
      'max_bandwidth',
      highest(addresses, ({ bps, maxBps }) => fraction(bps, maxBps)),
    ),
    at(
      'client',
      'max_streams',
      highest(clients, ({ streams, maxStreams }) => fraction(streams, maxStreams)),
    ),
    at(
      'client',
      'max_bandwidth',
      highest(clients, ({ bps, maxBps }) => fraction(bps, maxBps)),
    ),
    at('stream', 'max_bitrate', closest.bitrate),
    at('stream', 'max_fps', closest.fps),
    at('stream', 'max_packets_per_sec', closest.packets),
  ];
}

function charge(uses: Map<string, Use>, key: string, bps: number, maxStreams: number, maxBps: number): void {
  const use = uses.get(key) ?? { streams: 0, bps: 0, maxStreams, maxBps };
  use.streams++;
  use.bps += bps;
  use.maxStreams = maxStreams;
  use.maxBps = maxBps;
  uses.set(key, use);
}

function highest(uses: ReadonlyMap<string, Use>, used: (use: Use) => number): number {
  let most = 0;
  for (const use of uses.values()) most = Math.max(most, used(use));
  return most;
}
