import type { Admission } from '../core/admission/admission.ts';
import type { ClientLimits, EventRate } from '../core/limits.ts';
import type { PolicyResolver } from '../core/policy/resolve.ts';
import type { Batches, ClientSnapshot, ClientsPort, IpSnapshot } from '../http/ports.ts';
import type { LiveStream } from '../ingest/live-stream.ts';
import type { StreamRegistry } from '../ingest/registry.ts';
import { fraction, orNull } from '../ingest/snapshot.ts';
import { monotonicMs } from '../lib/clock.ts';

/** Rows built before the event loop gets a turn. */
const BATCH = 500;

/** Stream ids told per client. */
const STREAM_IDS_MAX = 100;

export interface ConfiguredClient {
  readonly id: string;
  readonly tier: string | null;
  readonly priority: number;
}

export interface ClientsParts {
  readonly admission: Admission;
  readonly registry: StreamRegistry;
  resolver(): PolicyResolver;
  configuredClients(): readonly ConfiguredClient[];
  ipLimits(): { max_connections: number; connection_rate: EventRate; max_bandwidth: number };
}

/** Live streams of one client or address, summed. */
interface Use {
  streams: LiveStream[];
  bps: number;
}

/** Clients and addresses as the admin API lists them, gathered from the live streams when asked. */
export class ClientsView implements ClientsPort {
  readonly #parts: ClientsParts;

  constructor(parts: ClientsParts) {
    this.#parts = parts;
  }

  *batches(): Batches<ClientSnapshot> {
    const uses = this.#uses((stream) => stream.identity.client);
    const configured = this.#parts.configuredClients();
    const known = new Set(configured.map(({ id }) => id));
    const ids = [
      ...configured.map(({ id }) => id),
      ...[...uses.keys()].filter((id) => !known.has(id)).sort(),
    ];
    const byId = new Map(configured.map((client) => [client.id, client]));
    for (let at = 0; at < ids.length; at += BATCH) {
      yield ids.slice(at, at + BATCH).map((id) => this.#client(id, byId.get(id), uses.get(id)));
    }
  }

  find(id: string): ClientSnapshot | null {
    const configured = this.#parts.configuredClients().find((client) => client.id === id);
    const use = this.#uses((stream) => stream.identity.client).get(id);
    return configured === undefined && use === undefined ? null : this.#client(id, configured, use);
  }

  *ipBatches(): Batches<IpSnapshot> {
    const uses = this.#uses((stream) => stream.identity.ipKey);
    const limits = this.#parts.ipLimits();
    let batch: IpSnapshot[] = [];
    for (const address of this.#parts.admission.ips(monotonicMs())) {
      const bps = uses.get(address.key)?.bps ?? 0;
      batch.push({
        ip: address.key,
        connections: address.connections,
        streams: address.streams,
        bitrate_bps: Math.round(bps),
        exempt: address.exempt,
        cooldown_ms: Math.ceil(address.cooldownMs),
        cooldown_reason: address.cooldownCause,
        limits: {
          max_connections: orNull(limits.max_connections),
          connection_rate: rateOf(limits.connection_rate),
          max_bandwidth_bps: orNull(limits.max_bandwidth),
        },
        utilization: {
          connections: fraction(address.connections, limits.max_connections),
          connection_rate: address.exempt ? 0 : fraction(address.rateUsed, 1),
          bandwidth: fraction(bps, limits.max_bandwidth),
        },
      });
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
    yield batch;
  }

  #client(id: string, configured: ConfiguredClient | undefined, use: Use | undefined): ClientSnapshot {
    const limits = this.#limitsOf(id, configured, use);
    const streams = use?.streams ?? [];
    return {
      id,
      configured: configured !== undefined,
      tier: configured?.tier ?? null,
      priority: configured?.priority ?? streams[0]?.standing.priority ?? 0,
      streams: streams.length,
      stream_ids: streams.slice(0, STREAM_IDS_MAX).map((stream) => stream.id),
      bitrate_bps: Math.round(use?.bps ?? 0),
      limits: {
        max_streams: orNull(limits.max_streams),
        max_bandwidth_bps: orNull(limits.max_bandwidth),
        publish_rate: rateOf(limits.publish_rate),
      },
      utilization: {
        streams: fraction(streams.length, limits.max_streams),
        publish_rate: fraction(this.#rateUsed(id, limits), 1),
        bandwidth: fraction(use?.bps ?? 0, limits.max_bandwidth),
      },
    };
  }

  #rateUsed(id: string, { publish_rate }: ClientLimits): number {
    return this.#parts.admission.publishRateUsed(id, publish_rate, monotonicMs());
  }

  /** Limits its streams live under; of a client that has none now, what its tier and own limits say. */
  #limitsOf(id: string, configured: ConfiguredClient | undefined, use: Use | undefined): ClientLimits {
    const live = use?.streams[0];
    if (live !== undefined) return live.effective.client;
    const subject = {
      app: '',
      stream: '',
      protocol: 'rtmp',
      ip: '',
      tier: configured?.tier ?? null,
      client: id,
    } as const;
    return this.#parts.resolver().resolve(subject).client;
  }

  #uses(keyOf: (stream: LiveStream) => string): Map<string, Use> {
    const uses = new Map<string, Use>();
    for (const stream of this.#parts.registry.all()) {
      const key = keyOf(stream);
      const use = uses.get(key) ?? { streams: [], bps: 0 };
      use.streams.push(stream);
      use.bps += stream.ring.bitrateBps();
      uses.set(key, use);
    }
    return uses;
  }
}

function rateOf(rate: EventRate): { count: number; period_ms: number } | null {
  return Number.isFinite(rate.count) ? { count: rate.count, period_ms: rate.periodMs } : null;
}
