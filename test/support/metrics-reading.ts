import { DurationHistogram } from '../../src/telemetry/duration-histogram.ts';
import { createMetrics, DECISION_BUCKETS_S } from '../../src/telemetry/metrics.ts';
import type { MetricsReading } from '../../src/telemetry/metrics-source.ts';
import { pressedGovernor } from './governor-snapshot.ts';
import { type Series, seriesOf } from './promtool.ts';

/** What a node in trouble has counted: every kind of series has a sample. */
export const READING: MetricsReading = {
  connections: { rtmp: 3 },
  streams: { rtmp: { live: 2, throttled: 1 } },
  players: { rtmp: 1, 'http-flv': 2 },
  ingest: { rtmp: { bytes: 1_000, frames: 30, packets: { video: 30, audio: 47 } } },
  decisions: { ip: { reject: 4 }, stream: { throttle: 1 } },
  denied: { ip_connection_rate: 4 },
  throttledMs: { stream: 1_500 },
  droppedFrames: { stream_bitrate: 7 },
  disconnects: { kicked: 1 },
  utilization: [
    { scope: 'global', limit: 'max_streams', fraction: 0.25 },
    { scope: 'ip', limit: 'max_connections', fraction: 0.1 },
    { scope: 'client', limit: 'max_bandwidth', fraction: 0.5 },
    { scope: 'stream', limit: 'max_bitrate', fraction: 1 },
  ],
  gate: 'closed',
  governor: pressedGovernor(),
  governorCounts: { changes: { gate: 2, adaptive: 3 }, adjustments: { up: 1, down: 2 } },
  gopBytes: 10,
  gopEvictions: 1,
  pendingBytes: 5,
  srt: {
    packets: { received: 900, lost: 7, retransmitted: 6, dropped: 1 },
    continuityErrors: 1,
    refused: { passphrase: 3 },
    eventsDropped: 4,
    playbackBytesDropped: 1316,
  },
  configReloads: { ok: 1, failed: 2 },
  configRefused: true,
  receipts: 4,
  eventsDropped: 0,
  logLinesDropped: 0,
  auditLog: { written: 12, dropped: 3, rotations: 1, failing: true },
};

/** The series of a scrape of that node, with one stream. */
export async function everySeries(): Promise<Series[]> {
  const metrics = createMetrics({
    source: { read: () => READING, streamBitrates: () => [{ path: '/live/cam1', bitrateBps: 1e6 }] },
    decisions: new DurationHistogram(DECISION_BUCKETS_S),
    version: '1.2.3',
    nodeId: 'ingest-1',
    maxStreams: () => 10,
  });
  return seriesOf(await metrics.scrape());
}
