import { afterAll, beforeAll, expect, test } from 'vitest';
import { REASONS } from '../../src/core/reasons.ts';
import { METRICS } from '../../src/telemetry/metrics.ts';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { checkExpressions, promtool, type Series, seriesOf } from '../support/promtool.ts';
import { RtmpClient } from '../support/rtmp-client.ts';
import { TestServer, until } from '../support/server.ts';

/** What Prometheus gets of a running server with a real encoder on it. */

const MAX_STREAMS = 8;

let server: TestServer;
let publisher: Publisher;
let scraped: string;
let series: Series[];

async function scrape(): Promise<string> {
  return (await fetch(server.url('/metrics'))).text();
}

beforeAll(async () => {
  server = await TestServer.start({
    config: `
metrics: { max_streams: ${MAX_STREAMS} }
limits:
  global: { connection_rate: 10000/s }
  client: { publish_rate: 5/min }
  stream: { max_bitrate: 400kbps, on_exceed: throttle, grace: never }
deny: [ 127.99.0.0/16 ]
resources: { cpu: null, heap: { degrade: 98%, close: 99% }, memory: null, event_loop: null }`,
  });
  publisher = new Publisher(clip({ kbps: 800 }), `${server.rtmp()}/cam1`);
  await server.stream('/live/cam1', ({ usage }) => usage.frames > 10 && usage.throttled_ms > 0);
  // A resource is known once its first sample is in.
  await until(
    async () => Number.isFinite(await server.metric('headgate_resource_usage', '{resource="heap"}')),
    'a sample of the heap',
  );
  scraped = await scrape();
  series = seriesOf(scraped);
});
afterAll(async () => {
  await publisher.stop();
  await server.stop();
});

test('promtool finds nothing to complain about in a scrape', () => {
  expect(promtool(['check', 'metrics'], scraped)).toEqual({ status: 0, said: '' });
});

/** Section 6 of the contract: names and labels that users' dashboards are made of. */
const CONTRACT: Readonly<Record<string, readonly string[]>> = {
  headgate_connections: ['protocol'],
  headgate_streams: ['protocol', 'state'],
  headgate_ingest_bytes_total: ['protocol'],
  headgate_ingest_packets_total: ['protocol', 'kind'],
  headgate_ingest_frames_total: ['protocol'],
  headgate_decisions_total: ['scope', 'result'],
  headgate_denied_total: ['reason'],
  headgate_throttled_seconds_total: ['scope'],
  headgate_dropped_frames_total: ['reason'],
  headgate_disconnects_total: ['reason'],
  headgate_limit_utilization: ['scope', 'limit'],
  headgate_decision_duration_seconds_bucket: ['le'],
  headgate_decision_duration_seconds_sum: [],
  headgate_decision_duration_seconds_count: [],
  headgate_resource_usage: ['resource'],
  headgate_resource_state: ['resource'],
  headgate_gate_state: [],
  headgate_adjustments_total: ['direction'],
  headgate_stream_bitrate_bps: ['path'],
  process_cpu_seconds_total: [],
  process_resident_memory_bytes: [],
  nodejs_eventloop_lag_p99_seconds: [],
};

test.each(Object.entries(CONTRACT))('%s is told, with its labels and no others', (name, labels) => {
  const found = series.filter((each) => each.name === name);
  expect(found.length).toBeGreaterThan(0);
  for (const each of found) expect(Object.keys(each.labels)).toEqual(labels);
});

test('the figures are those of the stream', () => {
  const value = (name: string, labels: Record<string, string>) =>
    series.find(
      (each) =>
        each.name === name && Object.entries(labels).every(([label, word]) => each.labels[label] === word),
    )?.value;
  expect(value('headgate_connections', { protocol: 'rtmp' })).toBe(1);
  expect(value('headgate_ingest_frames_total', { protocol: 'rtmp' })).toBeGreaterThan(10);
  expect(value('headgate_throttled_seconds_total', { scope: 'stream' })).toBeGreaterThan(0);
  expect(value('headgate_stream_bitrate_bps', { path: '/live/cam1' })).toBeGreaterThan(50_000);
  expect(value('headgate_limit_utilization', { scope: 'ip', limit: 'max_connections' })).toBe(0.05);
  const streams = series.filter(({ name }) => name === 'headgate_streams');
  expect(streams.reduce((sum, each) => sum + each.value, 0)).toBe(1);
});

test('every name of the list is a name that Prometheus can query', () => {
  expect(checkExpressions(METRICS.map(({ name }) => name)).status).toBe(0);
});

/** From an address of its own: the whole of 127.0.0.0/8 is this machine. */
async function stranger(index: number, network: number): Promise<RtmpClient> {
  const localAddress = `127.${network}.${Math.floor(index / 200)}.${(index % 200) + 1}`;
  return RtmpClient.open({ port: server.ports.rtmp, localAddress });
}

test('hundreds of strangers with names, addresses and mistakes of their own add no series but the capped ones', async () => {
  const STRANGERS = 300;
  const before = new Set(seriesOf(await scrape()).map(identityOf));
  const publishing: RtmpClient[] = [];
  for (let index = 0; index < STRANGERS; index++) {
    const client = await stranger(index, 77);
    const app = index % 3 === 0 ? 'live' : `app${index}`;
    const name = index % 5 === 0 ? `bad\nname${index}` : `cam${index}-${'x'.repeat(index % 90)}`;
    await client.publish(app, name);
    publishing.push(client);
  }
  // The same client too often, a name that is taken, an address that is denied.
  for (let index = 0; index < 20; index++) {
    // Refused already when it connects, in the end: the address has too many.
    const again = await stranger(0, 77).catch(() => null);
    if (again === null) continue;
    publishing.push(again);
    await again.publish('live', index % 2 === 0 ? 'cam1' : `again${index}`);
  }
  for (let index = 0; index < 20; index++) await stranger(index, 99).catch(() => undefined);
  await until(
    async () => (await server.metric('headgate_denied_total', '{reason="denied"}')) >= 20,
    '20 denials',
  );

  const text = await scrape();
  expect(promtool(['check', 'metrics'], text)).toEqual({ status: 0, said: '' });
  const after = seriesOf(text);
  const fresh = after.filter((each) => !before.has(identityOf(each)));
  // Node names kinds of resources and collections when it first has them; their number is its own, not a stranger's.
  const ours = fresh.filter(({ name }) => name.startsWith('headgate_'));
  expect(ours.every(({ name }) => name === 'headgate_stream_bitrate_bps')).toBe(true);
  expect(after.filter(({ name }) => name === 'headgate_stream_bitrate_bps')).toHaveLength(MAX_STREAMS);
  expect(await server.metric('headgate_stream_bitrate_omitted')).toBeGreaterThan(200);
  expect(fresh.length - ours.length).toBeLessThan(20);
  const reasons = new Set(after.map(({ labels }) => labels['reason']).filter((word) => word !== undefined));
  expect([...reasons].sort()).toEqual([...REASONS].sort());
  for (const client of publishing) client.socket.destroy();
});

function identityOf({ name, labels }: Series): string {
  return `${name}${JSON.stringify(labels)}`;
}
