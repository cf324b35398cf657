/**
 * What it costs to look at every stream: `node bench/micro/snapshot.ts [STREAMS]`.
 * Prints the time for snapshots of all streams, the longest stretch that the
 * event loop is held, the cost of one control step, and what remembering the
 * last five minutes of all costs in time and memory (with --expose-gc exactly).
 */

import { History } from '../../src/app/history.ts';
import { defaultConfig } from '../../src/config/schema.ts';
import type { EffectiveLimits } from '../../src/core/limits.ts';
import { Slab } from '../../src/core/meter/slab.ts';
import { STREAM, streamAt } from '../../src/core/meter/slab-layout.ts';
import { Budgets } from '../../src/ingest/budgets.ts';
import { LiveStream } from '../../src/ingest/live-stream.ts';
import { StreamRegistry } from '../../src/ingest/registry.ts';
import { snapshotOf } from '../../src/ingest/snapshot.ts';
import { StreamRows } from '../../src/ingest/stream-rows.ts';

const count = Number(process.argv[2] ?? 10_000);
const ROUNDS = 15;
/** As `app/admin-port.ts` cuts its lists. */
const BATCH = 200;

const { limits } = defaultConfig();
const effective: EffectiveLimits = {
  stream: limits.stream,
  client: limits.client,
  sources: { max_bitrate: 'limits.stream' },
  observed: {},
};
const slab = new Slab({ streams: count, sharedNodes: count * 2 + 1 });
const budgets = new Budgets(slab, limits.global.max_bandwidth);
const registry = new StreamRegistry();
const connection = {
  cut() {},
  recheck() {},
  throttledMs: () => 0,
  paused: false,
  orphaned: false,
  probe() {},
  transport: () => ({ rtt_ms: 0.2, loss: 0, retransmitted: 0 }),
};

for (let i = 0; i < count; i++) {
  const client = `client${i % 1000}`;
  const rows = StreamRows.take(
    slab,
    budgets,
    limits.stream,
    { client, clientBps: 2e7, ipKey: '192.0.2.1', ipBps: Number.POSITIVE_INFINITY },
    { exempt: false, lossy: false },
    0,
  );
  if (rows === null) throw new Error('the slab is too small');
  const path = `/live/cam${i}`;
  const identity = {
    id: `s-${i}`,
    protocol: 'rtmp',
    app: 'live',
    name: `cam${i}`,
    path,
    client,
    ip: '192.0.2.1',
    ipKey: '192.0.2.1',
    port: 50_000,
    keyId: path,
  } as const;
  registry.add(
    new LiveStream(identity, { tier: null, priority: 50 }, effective, rows, connection, {
      now: 0,
      wallMs: Date.now(),
    }),
  );
}

const watcher = { episodeOpened() {}, cutDue() {} };
function control(now: number): void {
  for (const stream of registry.all()) stream.step(watcher, Number.POSITIVE_INFINITY, now);
}
// Twelve seconds of past, so that every rate has its whole window.
for (let now = 250; now <= 12_000; now += 250) {
  for (const stream of registry.all()) {
    const at = streamAt(stream.slot, 0);
    slab.streams[at + STREAM.BYTES]! += 83_000;
    slab.streams[at + STREAM.PACKETS]! += 18;
    slab.streams[at + STREAM.FRAMES]! += 8;
    slab.streams[at + STREAM.LAST_PACKET_AT] = now;
  }
  control(now);
}

const wholes: number[] = [];
const stretches: number[] = [];
const steps: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  let whole = 0;
  let longest = 0;
  for (const batch of registry.batches(BATCH)) {
    const began = performance.now();
    for (const stream of batch) snapshotOf(stream, 12_000);
    const took = performance.now() - began;
    whole += took;
    longest = Math.max(longest, took);
  }
  wholes.push(whole);
  stretches.push(longest);
  const began = performance.now();
  control(12_250 + round * 250);
  steps.push(performance.now() - began);
}

const median = (values: number[]): string =>
  (values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0).toFixed(2);
console.log(`${count} streams, median of ${ROUNDS} rounds`);
console.log(`snapshot of all       ${median(wholes)} ms`);
console.log(`longest stretch       ${median(stretches)} ms (batches of ${BATCH})`);
console.log(`control step of all   ${median(steps)} ms (in batches of 500 with turns of the loop between)`);

const history = new History(
  {
    registry,
    connections: count,
    governance: {
      extras: true,
      snapshot: () => {
        throw new Error('rows of the server are not measured here');
      },
    },
  },
  () => ({}),
);
/** Five minutes and a little: then every ring is full. */
const REMEMBERED_MS = 304_000;
const rounds: number[] = [];
const held = (): number => {
  // Buffers that the first finds dead are gone after the second.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};
const before = held();
for (let now = 20_000; now <= 20_000 + REMEMBERED_MS; now += 250) {
  const roundBegan = performance.now();
  for (const stream of registry.all()) history.step(stream, now);
  rounds.push(performance.now() - roundBegan);
}
const perStream = (held() - before) / count;
console.log(`history, one round    ${median(rounds)} ms (an eighth of all are sampled)`);
const rows = history.stream('s-0')?.columns.bitrate_bps.length;
console.log(`history, per stream   ${Math.round(perStream)} bytes once it has its ${rows} rows`);
