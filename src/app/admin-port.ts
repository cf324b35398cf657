import v8 from 'node:v8';
import type { Admission } from '../core/admission/admission.ts';
import type { Slab } from '../core/meter/slab.ts';
import type {
  AdminPort,
  BackpressureOrder,
  BackpressureSnapshot,
  GovernorPort,
  HistoryPort,
  ServerAbout,
  ServerPort,
} from '../http/ports.ts';
import type { PublishDesk } from '../ingest/publish-desk.ts';
import type { StreamRegistry } from '../ingest/registry.ts';
import { monotonicMs } from '../lib/clock.ts';
import type { NativeEngine } from '../native/binding.ts';
import type { AuditTrail } from '../telemetry/audit.ts';
import { type ClientsParts, ClientsView } from './clients-view.ts';
import { backpressureOf, type GovernancePort, gateReading, readinessOf } from './governance-view.ts';
import { StreamsView } from './streams-view.ts';

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
  denied(): ReturnType<ServerPort['denied']>;
  /** `limits.global`, Infinity = unlimited */
  globalLimits(): { max_connections: number; max_streams: number; max_bandwidth: number };
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
    governance.order({ ...order, by }, monotonicMs());
    audit.act({ action: 'backpressure', by, target: null, result: 'ok', detail: orderWords(order) });
    return this.backpressure();
  }
}

function orderWords({ mode, belowPriority, forMs }: BackpressureOrder): string {
  if (mode === 'auto') return 'auto';
  const what = mode === 'shed' ? `shed below priority ${belowPriority}` : 'off';
  return `${what} ${forMs === null ? 'until the next order' : `for ${forMs / 1000} s`}`;
}

/** JSON has no Infinity: unlimited is null. */
function finite(limit: number): number | null {
  return Number.isFinite(limit) ? limit : null;
}

function serverView(parts: AdminParts): ServerPort {
  return {
    readiness: () => {
      const gate = gateReading(parts.governance.snapshot(monotonicMs()), parts.drainingSince());
      return readinessOf(gate, parts.configError());
    },
    effectiveConfig: () => parts.effectiveConfig(),
    about: () => parts.about,
    denied: () => parts.denied(),
    globalLimits: () => {
      const { max_connections, max_streams, max_bandwidth } = parts.globalLimits();
      return {
        max_connections: finite(max_connections),
        max_streams: finite(max_streams),
        max_bandwidth_bps: finite(max_bandwidth),
      };
    },
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
