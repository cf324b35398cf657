/**
 * What it costs to write a scrape: `taskset -c 0 node bench/micro/scrape.ts [STREAMS]`. Counters are made up, so this is
 * the copying into prom-client and its text format; `bench/load/scrape.ts` asks a running server. The bar for both:
 * 2,000 streams under 50 ms.
 */
import { DurationHistogram } from '../../src/telemetry/duration-histogram.ts';
import { createMetrics, DECISION_BUCKETS_S } from '../../src/telemetry/metrics.ts';
import { READING } from '../../test/support/metrics-reading.ts';

const count = Number(process.argv[2] ?? 2_000);
const ROUNDS = 100;
const streams = Array.from({ length: count }, (_, i) => ({ path: `/live/camera-${i}`, bitrateBps: 1e6 + i }));

for (const series of [0, 100, count]) {
  const metrics = createMetrics({
    source: { read: () => READING, streamBitrates: () => streams },
    decisions: new DurationHistogram(DECISION_BUCKETS_S),
    version: '1.2.3',
    nodeId: 'ingest-1',
    maxStreams: () => series,
  });
  const tookMs: number[] = [];
  const before = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    await metrics.scrape();
    tookMs.push(performance.now() - began);
  }
  const { user, system } = process.cpuUsage(before);
  const median = tookMs.toSorted((a, b) => a - b)[ROUNDS / 2]!;
  console.log(
    `${count} streams, ${series} with a series: ${median.toFixed(2)} ms (median of ${ROUNDS}), ` +
      `${((user + system) / 1_000 / ROUNDS).toFixed(2)} ms of CPU`,
  );
}
// prom-client watches the event loop and garbage collection for as long as the process lives.
process.exit(0);
