import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DurationHistogram } from '../../../src/telemetry/duration-histogram.ts';
import { createMetrics, DECISION_BUCKETS_S, METRICS } from '../../../src/telemetry/metrics.ts';
import type { MetricsSource } from '../../../src/telemetry/metrics-source.ts';
import { StreamSeries } from '../../../src/telemetry/stream-series.ts';
import { calmGovernor } from '../../support/governor-snapshot.ts';
import { READING } from '../../support/metrics-reading.ts';

function metricsOf(source: Partial<MetricsSource> = {}, maxStreams = 100) {
  const decisions = new DurationHistogram(DECISION_BUCKETS_S);
  const metrics = createMetrics({
    source: { read: () => READING, streamBitrates: () => [], ...source },
    decisions,
    version: '1.2.3',
    nodeId: 'ingest-1',
    maxStreams: () => maxStreams,
  });
  return { metrics, decisions };
}

test('a scrape tells what the counters say, in the text format', async () => {
  const { metrics, decisions } = metricsOf({
    streamBitrates: () => [{ path: '/live/a"b\\', bitrateBps: 5 }],
  });
  decisions.observe(3e-6);
  const text = await metrics.scrape();
  for (const line of [
    'headgate_connections{protocol="rtmp"} 3',
    'headgate_streams{protocol="rtmp",state="throttled"} 1',
    'headgate_ingest_packets_total{protocol="rtmp",kind="audio"} 47',
    'headgate_decisions_total{scope="ip",result="reject"} 4',
    'headgate_denied_total{reason="ip_connection_rate"} 4',
    'headgate_denied_total{reason="quota"} 0',
    'headgate_throttled_seconds_total{scope="stream"} 1.5',
    'headgate_limit_utilization{scope="global",limit="max_streams"} 0.25',
    'headgate_gate_state 2',
    'headgate_config_reloads_total{result="failed"} 2',
    'headgate_config_last_reload_successful 0',
    'headgate_build_info{version="1.2.3",node="ingest-1"} 1',
    'headgate_stream_bitrate_bps{path="/live/a\\"b\\\\"} 5',
    'headgate_decision_duration_seconds_bucket{le="0.000002"} 0',
    'headgate_decision_duration_seconds_bucket{le="0.000005"} 1',
    'headgate_decision_duration_seconds_count 1',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  expect(text).toMatch(/^process_cpu_seconds_total /m);
});

test('a scrape tells how the machine fares and what is done about it', async () => {
  const lines = (await metricsOf().metrics.scrape()).split('\n');
  for (const line of [
    'headgate_resource_usage{resource="cpu"} 0.93',
    'headgate_resource_usage{resource="event_loop"} 0.092',
    'headgate_resource_watermark{resource="cpu",mark="close"} 0.9',
    'headgate_resource_watermark{resource="event_loop",mark="degrade"} 0.05',
    'headgate_resource_state{resource="cpu"} 2',
    'headgate_resource_state{resource="event_loop"} 1',
    'headgate_resource_state{resource="heap"} 0',
    'headgate_resource_pressure{resource="event_loop"} 0.28',
    'headgate_reservations 3',
    'headgate_reserved_memory_bytes 48000000',
    'headgate_adaptive_factor 0.64',
    'headgate_adjustments_total{direction="up"} 1',
    'headgate_adjustments_total{direction="down"} 2',
    'headgate_bandwidth_budget_bps 1280000000',
    'headgate_squeezed_streams{by="global"} 4',
    'headgate_squeezed_streams{by="shed"} 2',
    'headgate_shed_cohorts{state="cut"} 2',
    'headgate_shed_cohorts{state="lowered"} 1',
    'headgate_degradation_step{step="refuse_all"} 1',
    'headgate_governor_events_total{kind="gate"} 2',
    'headgate_governor_events_total{kind="shed"} 0',
    'headgate_control_round_seconds 0.0004',
  ]) {
    expect(lines).toContain(line);
  }
});

test('what is off or not known has no sample rather than one of 0, and unlimited is no 0 either', async () => {
  const { resources, shares } = calmGovernor();
  const governor = calmGovernor({
    resources: { ...resources, heap: { ...resources.heap, value: null, degrade: null, close: null } },
    shares: { ...shares, budget_bps: null },
  });
  const text = await metricsOf({ read: () => ({ ...READING, governor }) }).metrics.scrape();
  expect(text).toContain('headgate_resource_usage{resource="cpu"}');
  expect(text).not.toMatch(/^headgate_resource_(usage|watermark)\{resource="heap"/m);
  expect(text).toContain('headgate_bandwidth_budget_bps +Inf\n');
  expect(text).toContain('headgate_resource_state{resource="heap"} 0');
});

test('each declared metric is exposed once, with its help and type', async () => {
  const text = await metricsOf().metrics.scrape();
  for (const { name, type, help } of METRICS) {
    expect(text.split('\n').filter((line) => line === `# TYPE ${name} ${type}`)).toHaveLength(1);
    expect(text).toContain(`# HELP ${name} ${help}\n`);
  }
});

test('a second scrape tells the new counts, not the sum of both, and series of ended streams are gone', async () => {
  let streams = [{ path: '/live/a', bitrateBps: 1 }];
  const { metrics } = metricsOf({ streamBitrates: () => streams });
  await metrics.scrape();
  streams = [{ path: '/live/b', bitrateBps: 2 }];
  const text = await metrics.scrape();
  expect(text).toContain('headgate_receipts_total 4\n');
  expect(text).not.toContain('/live/a');
});

test('ten thousand streams make at most metrics.max_streams series', async () => {
  const streams = Array.from({ length: 10_000 }, (_, n) => ({ path: `/live/cam${n}`, bitrateBps: n }));
  const text = await metricsOf({ streamBitrates: () => streams }, 50).metrics.scrape();
  expect(text.match(/^headgate_stream_bitrate_bps\{/gm)).toHaveLength(50);
  expect(text).toContain('headgate_stream_bitrate_bps{path="/live/cam9999"} 9999');
  expect(text).toContain('headgate_stream_bitrate_omitted 9950');
});

test('a path keeps its series while its stream lives', () => {
  const path = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const scrape = fc.uniqueArray(fc.record({ path, bitrateBps: fc.nat(9) }), {
    selector: (stream) => stream.path,
  });
  fc.assert(
    fc.property(fc.array(scrape), fc.nat(5), (scrapes, max) => {
      const series = new StreamSeries();
      let told: string[] = [];
      for (const streams of scrapes) {
        const { samples, omitted } = series.choose(streams, max);
        const now = samples.map(([, label]) => label);
        const alive = told.filter((label) => streams.some((stream) => stream.path === label));
        expect(now).toEqual(expect.arrayContaining(alive));
        expect(now.length).toBe(Math.min(max, streams.length));
        expect(omitted).toBe(streams.length - now.length);
        told = now;
      }
    }),
  );
});

test('durations fall into the bucket whose bound they do not exceed', () => {
  const histogram = new DurationHistogram([1, 2]);
  for (const seconds of [0, 1, 1.5, 2, 3, -1]) histogram.observe(seconds);
  expect(histogram.cumulative()).toEqual([3, 5, 6]);
  expect(histogram.sum).toBe(7.5);
});

test('docs/metrics.md lists exactly these metrics, with labels, type and help', () => {
  const document = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
  const listed = [...document.matchAll(/^\| `(headgate_\w+)(?:\{([\w,]+)\})?` \| (\w+) \| (.+) \|$/gm)].map(
    ([, name, labels, type, help]) => ({ name, type, labels: labels?.split(',') ?? [], help }),
  );
  expect(listed).toEqual(
    METRICS.map(({ name, type, labels, help }) => ({ name, type, labels: [...labels], help })),
  );
});
