import type { Admission } from '../core/admission/admission.ts';
import type { Protocol, StreamState } from '../core/stream.ts';
import type { Budgets } from '../ingest/budgets.ts';
import type { Playback } from '../ingest/playback/playback.ts';
import type { StreamRegistry } from '../ingest/registry.ts';
import type { RtmpServer } from '../ingest/rtmp/server.ts';
import { fraction } from '../ingest/snapshot.ts';
import type { SrtServer } from '../ingest/srt/server.ts';
import type { StreamTally } from '../ingest/stream-tally.ts';
import { monotonicMs } from '../lib/clock.ts';
import type { NativeEngine } from '../native/binding.ts';
import type { AuditTrail } from '../telemetry/audit.ts';
import type { LimitUtilization, MetricsReading, MetricsSource } from '../telemetry/metrics-source.ts';
import type { Decisions } from './decisions.ts';
import { type GovernancePort, gateReading } from './governance-view.ts';
import type { GovernorLog } from './governor-log.ts';

export interface MetricsParts {
  readonly admission: Admission;
  readonly audit: AuditTrail;
  readonly budgets: Budgets;
  readonly decisions: Decisions;
  readonly engine: NativeEngine;
  readonly governance: Pick<GovernancePort, 'snapshot'>;
  readonly governorLog: GovernorLog;
  readonly playback: Playback;
  readonly registry: StreamRegistry;
  readonly rtmp: RtmpServer;
  readonly srt: SrtServer;
  readonly tally: StreamTally;
  /** false while what can be done without is not done: a series for each stream */
  extras(): boolean;
  reloads(): { ok: number; failed: number };
  /** ISO time; null while the server does not shut down */
  drainingSince(): string | null;
  eventsDropped(): number;
  logLinesDropped(): number;
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
      utilization: this.#utilization(),
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
      receipts: audit.recorded,
      eventsDropped: this.#parts.eventsDropped(),
      logLinesDropped: this.#parts.logLinesDropped(),
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

  #utilization(): LimitUtilization[] {
    const { admission, budgets, registry } = this.#parts;
    const global = admission.global();
    const streams = { bitrate: 0, fps: 0, packets: 0 };
    const clients = new Map<
      string,
      { streams: number; bps: number; limit: { streams: number; bps: number } }
    >();
    let totalBps = 0;
    for (const stream of registry.all()) {
      const { limits, ring, effective } = stream;
      const bps = ring.bitrateBps();
      totalBps += bps;
      streams.bitrate = Math.max(streams.bitrate, fraction(bps, limits.max_bitrate));
      streams.fps = Math.max(streams.fps, fraction(ring.wallFps(), limits.max_fps));
      streams.packets = Math.max(streams.packets, fraction(ring.packetsPerSec(), limits.max_packets_per_sec));
      const use = clients.get(stream.identity.client) ?? {
        streams: 0,
        bps: 0,
        limit: { streams: 0, bps: 0 },
      };
      use.streams++;
      use.bps += bps;
      use.limit = { streams: effective.client.max_streams, bps: effective.client.max_bandwidth };
      clients.set(stream.identity.client, use);
    }
    let clientStreams = 0;
    let clientBps = 0;
    for (const use of clients.values()) {
      clientStreams = Math.max(clientStreams, fraction(use.streams, use.limit.streams));
      clientBps = Math.max(clientBps, fraction(use.bps, use.limit.bps));
    }
    return [
      {
        scope: 'global',
        limit: 'max_connections',
        fraction: fraction(global.connections, global.maxConnections),
      },
      { scope: 'global', limit: 'max_streams', fraction: fraction(global.streams, global.maxStreams) },
      { scope: 'global', limit: 'max_bandwidth', fraction: fraction(totalBps, budgets.globalBps) },
      { scope: 'client', limit: 'max_streams', fraction: clientStreams },
      { scope: 'client', limit: 'max_bandwidth', fraction: clientBps },
      { scope: 'stream', limit: 'max_bitrate', fraction: streams.bitrate },
      { scope: 'stream', limit: 'max_fps', fraction: streams.fps },
      { scope: 'stream', limit: 'max_packets_per_sec', fraction: streams.packets },
    ];
  }
}
