import type { Protocol, StreamState } from '../core/stream.ts';
import type { Playback } from '../ingest/playback/playback.ts';
import type { RtmpServer } from '../ingest/rtmp/server.ts';
import type { SrtServer } from '../ingest/srt/server.ts';
import type { StreamTally } from '../ingest/stream-tally.ts';
import { monotonicMs } from '../lib/clock.ts';
import type { NativeEngine } from '../native/binding.ts';
import type { AuditTrail } from '../telemetry/audit.ts';
import type { AuditLogCounts } from '../telemetry/audit-log/audit-log.ts';
import type { MetricsReading, MetricsSource } from '../telemetry/metrics-source.ts';
import type { Decisions } from './decisions.ts';
import { type GovernancePort, gateReading } from './governance-view.ts';
import type { GovernorLog } from './governor-log.ts';
import { type UtilizationParts, utilizationOf } from './utilization.ts';

export interface MetricsParts extends UtilizationParts {
  readonly audit: AuditTrail;
  readonly decisions: Decisions;
  readonly engine: NativeEngine;
  readonly governance: Pick<GovernancePort, 'snapshot'>;
  readonly governorLog: GovernorLog;
  readonly playback: Playback;
  readonly rtmp: RtmpServer;
  readonly srt: SrtServer;
  readonly tally: StreamTally;
  /** false while what can be done without is not done: a series for each stream */
  extras(): boolean;
  reloads(): { ok: number; failed: number };
  /** null while the last reload went well */
  configError(): string | null;
  /** ISO time; null while the server does not shut down */
  drainingSince(): string | null;
  eventsDropped(): number;
  logLinesDropped(): number;
  auditLog(): AuditLogCounts;
}

/** Gathers what the parts count anyway into the one reading a scrape asks for. */
export class MetricsGatherer implements MetricsSource {
  readonly #parts: MetricsParts;

  constructor(parts: MetricsParts) {
    this.#parts = parts;
  }

  read(): MetricsReading {
    const { audit, decisions, engine, governance, playback, rtmp, srt, tally } = this.#parts;
    const governor = governance.snapshot(monotonicMs());
    const totals = tally.read();
    const engineStats = engine.stats();
    const srtStats = srt.stats();
    const { continuityErrors, ...packets } = srtStats.counts;
    return {
      connections: {
        rtmp: rtmp.connectionsOf('rtmp'),
        rtmps: rtmp.connectionsOf('rtmps'),
        srt: srtStats.connections,
      },
      streams: this.#streamsByState(),
      players: playback.stats().byProtocol,
      ingest: totals.ingest,
      decisions: decisions.counts,
      denied: decisions.denied,
      throttledMs: totals.heldMs,
      droppedFrames: totals.droppedFrames,
      disconnects: decisions.disconnects,
      utilization: utilizationOf(this.#parts),
      gate: gateReading(governor, this.#parts.drainingSince()).state,
      governor,
      governorCounts: this.#parts.governorLog.counts,
      gopBytes: engineStats.gopBytes,
      gopEvictions: engineStats.gopEvictions,
      pendingBytes: engineStats.pendingBytes,
      srt: {
        packets,
        continuityErrors,
        refused: srtStats.refused,
        eventsDropped: srtStats.lostEvents,
        playbackBytesDropped: srtStats.lostMediaBytes,
      },
      configReloads: this.#parts.reloads(),
      configRefused: this.#parts.configError() !== null,
      receipts: audit.recorded,
      eventsDropped: this.#parts.eventsDropped(),
      logLinesDropped: this.#parts.logLinesDropped(),
      auditLog: this.#parts.auditLog(),
    };
  }

  *streamBitrates(): Iterable<{ path: string; bitrateBps: number }> {
    if (!this.#parts.extras()) return;
    for (const stream of this.#parts.registry.all()) {
      yield { path: stream.identity.path, bitrateBps: stream.ring.bitrateBps() };
    }
  }

  #streamsByState(): MetricsReading['streams'] {
    const counts: Partial<Record<Protocol, Partial<Record<StreamState, number>>>> = {};
    for (const stream of this.#parts.registry.all()) {
      counts[stream.identity.protocol] ??= {};
      const states = counts[stream.identity.protocol] as Partial<Record<StreamState, number>>;
      states[stream.state] = (states[stream.state] ?? 0) + 1;
    }
    return counts;
  }
}
