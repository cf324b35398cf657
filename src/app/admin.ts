import { maskedConfig } from '../config/mask.ts';
import type { Config } from '../config/schema.ts';
import type { RequestAllowance } from '../http/request-limit.ts';
import { type AdminServer, createAdminServer } from '../http/server.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { VERSION } from '../version.ts';
import { adminPort } from './admin-port.ts';
import type { Ingest } from './ingest.ts';
import { MetricsGatherer } from './metrics-reading.ts';
import type { Reloader } from './reloader.ts';
import type { Telemetry } from './telemetry.ts';

export interface AdminHouse {
  readonly ingest: Ingest;
  readonly telemetry: Telemetry;
  readonly reloader: Reloader;
  /** ISO time */
  readonly startedAt: string;
  /** ISO time; null while the server does not shut down */
  drainingSince(): string | null;
}

/** Builds the admin API over the running parts; it does not listen yet. */
export async function openAdmin(house: AdminHouse): Promise<AdminServer> {
  const { ingest, telemetry, reloader } = house;
  let server: AdminServer | null = null;
  const source = new MetricsGatherer({
    admission: ingest.admission,
    audit: telemetry.audit,
    budgets: ingest.budgets,
    ipLimits: () => ingest.config.limits.ip,
    decisions: telemetry.decisions,
    engine: ingest.engine.engine,
    playback: ingest.playback,
    registry: ingest.registry,
    rtmp: ingest.rtmp,
    srt: ingest.srt,
    tally: ingest.tally,
    reloads: () => reloader.counts,
    configError: () => reloader.lastError,
    governance: ingest.governance,
    governorLog: ingest.governance.log,
    extras: () => ingest.governance.extras,
    drainingSince: () => house.drainingSince(),
    eventsDropped: () => server?.eventsDropped() ?? 0,
    logLinesDropped: () => telemetry.log.dropped(),
    auditLog: () => telemetry.auditLog.counts,
  });
  const metrics = createMetrics({
    source,
    decisions: telemetry.durations,
    version: VERSION,
    nodeId: ingest.config.node.id,
    maxStreams: () => ingest.config.metrics.max_streams,
  });
  const port = adminPort({
    admission: ingest.admission,
    audit: telemetry.audit,
    desk: ingest.desk,
    engine: ingest.engine.engine,
    registry: ingest.registry,
    slab: ingest.slab,
    about: {
      name: 'headgate',
      version: VERSION,
      node_id: ingest.config.node.id,
      started_at: house.startedAt,
    },
    resolver: () => ingest.resolver,
    configuredClients: () => ingest.config.clients,
    ipLimits: () => ingest.config.limits.ip,
    connections: () => ingest.connections,
    governance: ingest.governance,
    history: ingest.history,
    drainingSince: () => house.drainingSince(),
    configError: () => reloader.lastError,
    effectiveConfig: () => maskedConfig(ingest.config),
    denied: () => telemetry.decisions.denied,
    globalLimits: () => ingest.config.limits.global,
  });
  server = await createAdminServer(port, {
    tokens: () => ingest.config.admin.tokens,
    rateLimit: () => requestAllowance(ingest.config.admin),
    metrics,
    log: telemetry.logger,
  });
  return server;
}

function requestAllowance({ rate_limit, x_ratelimit }: Config['admin']): RequestAllowance {
  return { ...rate_limit, xHeaders: x_ratelimit };
}
