import v8 from 'node:v8';
import type { Admission } from '../core/admission/admission.ts';
import type { Slab } from '../core/meter/slab.ts';
import { STREAM } from '../core/meter/slab-layout.ts';
import type { StreamSnapshot, StreamTotals } from '../core/stream.ts';
import type {
  AdminPort,
  BackpressureOrder,
  BackpressureSnapshot,
  Batches,
  GovernorPort,
  HistoryPort,
  KickOrder,
  KickOutcome,
  LimitOverride,
  ServerAbout,
  ServerPort,
  StreamsPort,
} from '../http/ports.ts';
import type { PublishDesk } from '../ingest/publish-desk.ts';
import type { StreamRegistry } from '../ingest/registry.ts';
import { snapshotOf } from '../ingest/snapshot.ts';
import { monotonicMs } from '../lib/clock.ts';
import type { NativeEngine } from '../native/binding.ts';
import type { AuditTrail } from '../telemetry/audit.ts';
import { type ClientsParts, ClientsView } from './clients-view.ts';
import { backpressureOf, type GovernancePort, gateReading, readinessOf } from './governance-view.ts';

/** Snapshots built before the event loop gets a turn: about half a millisecond. */
const BATCH = 200;

export interface AdminParts extends ClientsParts {
  readonly admission: Admission;
  readonly audit: AuditTrail;
  readonly desk: PublishDesk;
  readonly engine: NativeEngine;
  readonly governance: GovernancePort;
  readonly history: HistoryPort;
  readonly registry: StreamRegistry;
  readonly slab: Slab;
  readonly about: ServerAbout;
  connections(): number;
  /** ISO time; null while the server does not shut down */
  drainingSince(): string | null;
  /** one line about the last reload that failed, or null */
  configError(): string | null;
  effectiveConfig(): Record<string, unknown>;
}

/** The admin API's view of the running server. */
export function adminPort(parts: AdminParts): AdminPort {
  return {
    streams: new StreamsView(parts),
    clients: new ClientsView(parts),
    server: serverView(parts),
    governor: new GovernorView(parts),
    audit: parts.audit,
    history: parts.history,
  };
}

class StreamsView implements StreamsPort {
  readonly #parts: AdminParts;

  constructor(parts: AdminParts) {
    this.#parts = parts;
  }

  *batches(): Batches<StreamSnapshot> {
    for (const batch of this.#parts.registry.batches(BATCH)) {
      const now = monotonicMs();
      yield batch.map((stream) => snapshotOf(stream, now));
    }
  }

  find(id: string): StreamSnapshot | null {
    const stream = this.#parts.registry.find(id);
    return stream === undefined ? null : snapshotOf(stream, monotonicMs());
  }

  totals(): StreamTotals {
    const totals = {
      streams: 0,
      bitrate_bps: 0,
      bytes: 0,
      packets_per_sec: 0,
      connections: this.#parts.connections(),
    };
    for (const stream of this.#parts.registry.all()) {
      totals.streams++;
      totals.bitrate_bps += stream.ring.bitrateBps();
      totals.bytes += stream.read(STREAM.BYTES);
      totals.packets_per_sec += stream.ring.packetsPerSec();
    }
    totals.bitrate_bps = Math.round(totals.bitrate_bps);
    totals.packets_per_sec = Math.round(totals.packets_per_sec * 10) / 10;
    return totals;
  }

  kick(id: string, order: KickOrder): KickOutcome | null {
    const { registry, desk, audit } = this.#parts;
    const stream = registry.find(id);
    if (stream === undefined) return null;
    const now = monotonicMs();
    const cooldownMs = order.cooldownMs ?? stream.limits.cooldown;
    const snapshot = { ...snapshotOf(stream, now), state: 'closing' as const };
    const why =
      order.reason === null
        ? 'an operator kicked this stream'
        : `an operator kicked this stream: ${order.reason}`;
    const receipt = desk.cut(stream, { reason: 'kicked', detail: why, cooldownMs }, now);
    audit.act({
      action: 'kick',
      by: order.by,
      target: id,
      result: 'ok',
      detail: `${stream.identity.path}: ${why}`,
    });
    return { stream: snapshot, receipt: receipt.id, cooldown_ms: cooldownMs };
  }

  override(id: string, change: LimitOverride, forMs: number | null, by: string): StreamSnapshot | null {
    const { registry, audit } = this.#parts;
    const stream = registry.find(id);
    if (stream === undefined) return null;
    const now = monotonicMs();
    stream.overrideLimits(change, forMs === null ? Number.POSITIVE_INFINITY : now + forMs, now);
    const told = Object.entries(change).map(
      ([limit, value]) => `${limit}=${value === null ? 'config' : value}`,
    );
    const until =
      stream.override.untilMs === null
        ? 'nothing overridden'
        : forMs === null
          ? 'until the stream ends'
          : `for ${forMs / 1000} s`;
    audit.act({
      action: 'limit',
      by,
      target: id,
      result: 'ok',
      detail: `${stream.identity.path}: ${told.join(' ')} ${until}`,
    });
    return snapshotOf(stream, now);
  }
}

class GovernorView implements GovernorPort {
  readonly #parts: AdminParts;

  constructor(parts: AdminParts) {
    this.#parts = parts;
  }

  backpressure(): BackpressureSnapshot {
    return backpressureOf(this.#parts.governance.snapshot(monotonicMs()));
  }

  order(order: BackpressureOrder, by: string): BackpressureSnapshot {
    const { governance, audit } = this.#parts;
    governance.order(order, monotonicMs());
    audit.act({ action: 'backpressure', by, target: null, result: 'ok', detail: orderWords(order) });
    return this.backpressure();
  }
}

function orderWords({ mode, belowPriority, forMs }: BackpressureOrder): string {
  if (mode === 'auto') return 'auto';
  const what = mode === 'shed' ? `shed below priority ${belowPriority}` : 'off';
  return `${what} ${forMs === null ? 'until the next order' : `for ${forMs / 1000} s`}`;
}

function serverView(parts: AdminParts): ServerPort {
  return {
    readiness: () => {
      const gate = gateReading(parts.governance.snapshot(monotonicMs()), parts.drainingSince());
      return readinessOf(gate, parts.configError());
    },
    effectiveConfig: () => parts.effectiveConfig(),
    about: () => parts.about,
    resources: () => {
      const memory = process.memoryUsage();
      const cpu = process.cpuUsage();
      const engine = parts.engine.stats();
      const snapshot = parts.governance.snapshot(monotonicMs());
      return {
        ...snapshot,
        gate: gateReading(snapshot, parts.drainingSince()),
        process: {
          pid: process.pid,
          uptime_ms: Math.round(monotonicMs()),
          cpu_seconds: (cpu.user + cpu.system) / 1e6,
          rss_bytes: memory.rss,
          heap_used_bytes: memory.heapUsed,
          heap_limit_bytes: v8.getHeapStatistics().heap_size_limit,
          external_bytes: memory.external,
          array_buffers_bytes: memory.arrayBuffers,
        },
        engine: {
          connections: engine.connections,
          gop_bytes: engine.gopBytes,
          pending_bytes: engine.pendingBytes,
          gop_evictions: engine.gopEvictions,
          slab: { streams: parts.slab.streamsInUse, nodes: parts.slab.nodesInUse },
        },
      };
    },
  };
}
