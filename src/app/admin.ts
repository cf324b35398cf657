import { maskedConfig } from '../config/mask.ts';
import type { Readiness, ResourcesSnapshot } from '../http/ports.ts';
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
  readiness(): Readiness;
  gate(): ResourcesSnapshot['gate'];
}

/** Builds the admin API over the running parts; it does not listen yet. */
export async function openAdmin(house: AdminHouse): Promise<AdminServer> {
  const { ingest, telemetry, reloader } = house;
  let server: AdminServer | null = null;
  const source = new MetricsGatherer({
    admission: ingest.admission,
    audit: telemetry.audit,
    budgets: ingest.budgets,
    decisions: telemetry.decisions,
    engine: ingest.engine.engine,
    playback: ingest.playback,
    registry: ingest.registry,
    rtmp: ingest.rtmp,
    srt: ingest.srt,
    tally: ingest.tally,
    reloads: () => reloader.counts,
    gate: () => house.gate().state,
    eventsDropped: () => server?.eventsDropped() ?? 0,
    logLinesDropped: () => telemetry.log.dropped(),
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
    readiness: () => house.readiness(),
    gate: () => house.gate(),
    effectiveConfig: () => maskedConfig(ingest.config),
  });
  server = await createAdminServer(port, {
    tokens: () => ingest.config.admin.tokens,
    metrics,
    log: telemetry.logger,
  });
  return server;
}
