/**
 * Every metric is declared here, once: name, labels, help, and how it is read.
 * Nothing is pushed on a hot path; at scrape the plain counters of
 * `MetricsSource` are copied into prom-client, which writes the text format.
 *
 * Label values come from fixed vocabularies, except `path`, which is capped
 * (`stream-series.ts`). So the number of series does not grow with strangers.
 */
import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';
import { REASONS, SCOPES } from '../core/reasons.ts';
import { PROTOCOLS, STREAM_STATES } from '../core/stream.ts';
import type { DurationHistogram } from './duration-histogram.ts';
import { GOVERNOR_METRICS } from './metrics-governor.ts';
import { DECISION_RESULTS, GATE_STATES, type MetricsSource, SRT_REFUSAL_CAUSES } from './metrics-source.ts';
import { entries, type MetricSpec, rows, type Sample } from './metrics-spec.ts';
import { StreamSeries } from './stream-series.ts';

const COUNTED: readonly MetricSpec[] = [
  {
    name: 'headgate_connections',
    type: 'gauge',
    labels: ['protocol'],
    help: 'Connections open now.',
    read: (reading) => rows(reading.connections),
  },
  {
    name: 'headgate_streams',
    type: 'gauge',
    labels: ['protocol', 'state'],
    help: 'Live streams by state.',
    // Every state has its sample always: a panel of no streams shows 0, not nothing.
    read: (reading) =>
      PROTOCOLS.flatMap((protocol) =>
        STREAM_STATES.map((state): Sample => [reading.streams[protocol]?.[state] ?? 0, protocol, state]),
      ),
  },
  {
    name: 'headgate_players',
    type: 'gauge',
    labels: ['protocol'],
    help: 'Players attached now.',
    read: (reading) => rows(reading.players),
  },
  {
    name: 'headgate_ingest_bytes_total',
    type: 'counter',
    labels: ['protocol'],
    help: 'Media payload bytes admitted.',
    read: (reading) => entries(reading.ingest).map(([protocol, counts]) => [counts.bytes, protocol]),
  },
  {
    name: 'headgate_ingest_packets_total',
    type: 'counter',
    labels: ['protocol', 'kind'],
    help: 'Media messages or packets admitted; kind is video, audio or data.',
    read: (reading) =>
      entries(reading.ingest).flatMap(([protocol, counts]) =>
        entries(counts.packets).map(([kind, count]): Sample => [count, protocol, kind]),
      ),
  },
  {
    name: 'headgate_ingest_frames_total',
    type: 'counter',
    labels: ['protocol'],
    help: 'Video access units admitted.',
    read: (reading) => entries(reading.ingest).map(([protocol, counts]) => [counts.frames, protocol]),
  },
  {
    name: 'headgate_decisions_total',
    type: 'counter',
    labels: ['scope', 'result'],
    help: 'Decisions by the level that decided; result is allow, throttle, drop or reject.',
    read: (reading) =>
      SCOPES.flatMap((scope) =>
        DECISION_RESULTS.map((result): Sample => [reading.decisions[scope]?.[result] ?? 0, scope, result]),
      ),
  },
  {
    name: 'headgate_denied_total',
    type: 'counter',
    labels: ['reason'],
    help: 'Connections and publishes refused before a stream was live.',
    read: (reading) => REASONS.map((reason) => [reading.denied[reason] ?? 0, reason]),
  },
  {
    name: 'headgate_throttled_seconds_total',
    type: 'counter',
    labels: ['scope'],
    help: 'Seconds streams were held back, by the level whose limit held them.',
    read: (reading) => entries(reading.throttledMs).map(([scope, ms]) => [ms / 1_000, scope]),
  },
  {
    name: 'headgate_dropped_frames_total',
    type: 'counter',
    labels: ['reason'],
    help: 'Video access units not admitted.',
    read: (reading) => REASONS.map((reason) => [reading.droppedFrames[reason] ?? 0, reason]),
  },
  {
    name: 'headgate_disconnects_total',
    type: 'counter',
    labels: ['reason'],
    help: 'Publishers cut while live.',
    read: (reading) => REASONS.map((reason) => [reading.disconnects[reason] ?? 0, reason]),
  },
  {
    name: 'headgate_limit_utilization',
    type: 'gauge',
    labels: ['scope', 'limit'],
    help: 'Fraction of a limit in use; for ip, client and stream the highest of all keys.',
    read: (reading) => reading.utilization.map(({ scope, limit, fraction }) => [fraction, scope, limit]),
  },
  {
    name: 'headgate_gate_state',
    type: 'gauge',
    labels: [],
    help: 'The gate: 0 open, 1 degraded, 2 closed to newcomers.',
    read: (reading) => [[GATE_STATES.indexOf(reading.gate)]],
  },
  ...GOVERNOR_METRICS,
  {
    name: 'headgate_gop_bytes',
    type: 'gauge',
    labels: [],
    help: 'Bytes of groups of pictures kept for players that join.',
    read: (reading) => [[reading.gopBytes]],
  },
  {
    name: 'headgate_gop_evictions_total',
    type: 'counter',
    labels: [],
    help: 'Groups of pictures given up because their bytes are capped.',
    read: (reading) => [[reading.gopEvictions]],
  },
  {
    name: 'headgate_pending_bytes',
    type: 'gauge',
    labels: [],
    help: 'Bytes of half-received messages.',
    read: (reading) => [[reading.pendingBytes]],
  },
  {
    name: 'headgate_srt_packets_total',
    type: 'counter',
    labels: ['result'],
    help: 'SRT packets of publishers: received once, lost on the way, retransmitted, dropped as too late.',
    read: (reading) => rows(reading.srt.packets),
  },
  {
    name: 'headgate_srt_continuity_errors_total',
    type: 'counter',
    labels: [],
    help: 'Gaps in the transport streams of SRT publishers.',
    read: (reading) => [[reading.srt.continuityErrors]],
  },
  {
    name: 'headgate_srt_refused_total',
    type: 'counter',
    labels: ['cause'],
    help: 'SRT callers turned away at the door; limits are told apart in headgate_denied_total.',
    read: (reading) => SRT_REFUSAL_CAUSES.map((cause) => [reading.srt.refused[cause] ?? 0, cause]),
  },
  {
    name: 'headgate_srt_events_dropped_total',
    type: 'counter',
    labels: [],
    help: 'SRT refusals and log lines that found no room on their way to receipts and log.',
    read: (reading) => [[reading.srt.eventsDropped]],
  },
  {
    name: 'headgate_srt_playback_dropped_bytes_total',
    type: 'counter',
    labels: [],
    help: 'Payload that players of SRT streams missed because the server was behind.',
    read: (reading) => [[reading.srt.playbackBytesDropped]],
  },
  {
    name: 'headgate_config_reloads_total',
    type: 'counter',
    labels: ['result'],
    help: 'Reloads of the config; result is ok, or failed (the old config runs on).',
    read: (reading) => rows(reading.configReloads),
  },
  {
    name: 'headgate_config_last_reload_successful',
    type: 'gauge',
    labels: [],
    help: '1 while the file as it is now runs, 0 since a reload of it failed.',
    read: (reading) => [[reading.configRefused ? 0 : 1]],
  },
  {
    name: 'headgate_receipts_total',
    type: 'counter',
    labels: [],
    help: 'Decisions written to the audit trail, those that share a receipt included.',
    read: (reading) => [[reading.receipts]],
  },
  {
    name: 'headgate_events_dropped_total',
    type: 'counter',
    labels: [],
    help: 'Audit events that a slow subscriber of the API did not get.',
    read: (reading) => [[reading.eventsDropped]],
  },
  {
    name: 'headgate_log_lines_dropped_total',
    type: 'counter',
    labels: [],
    help: 'Log lines dropped because nobody read them.',
    read: (reading) => [[reading.logLinesDropped]],
  },
  {
    name: 'headgate_audit_log_lines_total',
    type: 'counter',
    labels: ['result'],
    help: 'Lines for the file of audit.file; result is written or dropped (the disk was too slow or full).',
    read: ({ auditLog }) => [
      [auditLog.written, 'written'],
      [auditLog.dropped, 'dropped'],
    ],
  },
  {
    name: 'headgate_audit_log_rotations_total',
    type: 'counter',
    labels: [],
    help: 'Files of the audit log that were put aside for a new one.',
    read: ({ auditLog }) => [[auditLog.rotations]],
  },
  {
    name: 'headgate_audit_log_failing',
    type: 'gauge',
    labels: [],
    help: '1 while the audit log cannot be written, else 0, also when it is off.',
    read: ({ auditLog }) => [[auditLog.failing ? 1 : 0]],
  },
];

/** Name, type, labels and help of every metric of our own; docs/metrics.md is held equal to it. */
export const METRICS: readonly { name: string; type: string; labels: readonly string[]; help: string }[] = [
  ...COUNTED,
  {
    name: 'headgate_decision_duration_seconds',
    type: 'histogram',
    labels: [],
    help: 'Time one admission decision took.',
  },
  {
    name: 'headgate_stream_bitrate_bps',
    type: 'gauge',
    labels: ['path'],
    help: 'Bitrate of a live stream; at most metrics.max_streams paths, a path stays while its stream lives.',
  },
  {
    name: 'headgate_stream_bitrate_omitted',
    type: 'gauge',
    labels: [],
    help: 'Live streams that have no headgate_stream_bitrate_bps because of metrics.max_streams.',
  },
  {
    name: 'headgate_build_info',
    type: 'gauge',
    labels: ['version', 'node'],
    help: 'Always 1; the version that runs and the id of this node.',
  },
];

/**
 * Buckets of `headgate_decision_duration_seconds`, 1 us to 10 ms in steps of
 * 1-2-5: a decision should take some microseconds; 10 ms would be felt by every stream.
 */
export const DECISION_BUCKETS_S: readonly number[] = [
  1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2,
];

/**
 * Gauges of prom-client that are named like counters, which `promtool check metrics` refuses. Each is the sum over the
 * labels of the metric that has its name without `_total`.
 */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

export interface MetricsOptions {
  readonly source: MetricsSource;
  readonly decisions: DurationHistogram;
  readonly version: string;
  readonly nodeId: string;
  /** label sets of `headgate_stream_bitrate_bps`; read at each scrape, so that a reload takes effect */
  readonly maxStreams: () => number;
}

export interface Metrics {
  /** the text exposition format, version 0.0.4 */
  scrape(): Promise<string>;
  readonly contentType: string;
}

/** Declares everything on a registry of its own. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  const counted = COUNTED.map((spec) => ({ spec, metric: declare(spec, registry) }));
  const series = new StreamSeries();
  const bitrate = declare(named('headgate_stream_bitrate_bps'), registry);
  const omitted = declare(named('headgate_stream_bitrate_omitted'), registry);
  const build = declare(named('headgate_build_info'), registry);
  put(build, ['version', 'node'], [[1, options.version, options.nodeId]]);
  registerHistogram(options.decisions, registry);
  return {
    contentType: registry.contentType,
    scrape: () => {
      const reading = options.source.read();
      for (const { spec, metric } of counted) put(metric, spec.labels, spec.read(reading));
      const told = series.choose(options.source.streamBitrates(), options.maxStreams());
      put(bitrate, ['path'], told.samples);
      put(omitted, [], [[told.omitted]]);
      return registry.metrics();
    },
  };
}

type Declared = Counter<string> | Gauge<string>;

function declare(
  spec: Pick<MetricSpec, 'name' | 'help' | 'labels'> & { type: string },
  registry: Registry,
): Declared {
  const shape = { name: spec.name, help: spec.help, labelNames: [...spec.labels], registers: [registry] };
  return spec.type === 'counter' ? new Counter(shape) : new Gauge(shape);
}

function named(name: string): (typeof METRICS)[number] {
  return METRICS.find((metric) => metric.name === name)!;
}

/** Replaces all samples of a metric. A counter's source never goes down, so a scrape never sees it fall. */
function put(metric: Declared, labels: readonly string[], samples: readonly Sample[]): void {
  metric.reset();
  for (const [value, ...values] of samples) {
    metric.inc(Object.fromEntries(labels.map((label, index) => [label, values[index]!])), value);
  }
}

/** Shows the plain histogram to prom-client, which asks a registered metric for nothing but `get`. */
function registerHistogram(histogram: DurationHistogram, registry: Registry): void {
  const { name, help } = named('headgate_decision_duration_seconds');
  const exposed = {
    name,
    get: async () => {
      const cumulative = histogram.cumulative();
      const buckets = cumulative.map((value, index) => ({
        metricName: `${name}_bucket`,
        labels: { le: histogram.bounds[index] ?? '+Inf' },
        value,
      }));
      const sum = { metricName: `${name}_sum`, labels: {}, value: histogram.sum };
      const count = { metricName: `${name}_count`, labels: {}, value: cumulative.at(-1)! };
      return { name, help, type: 'histogram', aggregator: 'sum', values: [...buckets, sum, count] };
    },
    reset: () => undefined,
  };
  registry.registerMetric(exposed as unknown as Metric);
}
