/**
 * What the accounting costs per message: a stream in throttle mode under four
 * limits (its bitrate, its client, its address, the server), read by read, as
 * the server charges it. Native and TypeScript, over reads of several sizes.
 *
 *   node bench/micro/accounting.ts
 *
 * `native` is the accounting alone, called from C++ as the demuxer calls it.
 * `native + call` makes one call from JavaScript per read, as a read costs at
 * least one anyway. `native per packet` shows why it is not done per message.
 */
import { KIND, type MessageMeta, ReferenceAccounting } from '../../src/core/meter/accounting.ts';
import { bandwidthRate, ownRates } from '../../src/core/meter/node-rate.ts';
import { Slab } from '../../src/core/meter/slab.ts';
import { monotonicMs } from '../../src/lib/clock.ts';
import { loadNative } from '../../src/native/binding.ts';

const MESSAGES_PER_READ = [1, 4, 16, 64] as const;
/** Messages of one measured run: some ms, long enough for the clock and short enough to find a quiet moment. */
const MESSAGES_PER_RUN = 64_000;
/** The best of so many runs is told: what the code costs, not what else the machine does. */
const RUNS = 25;
/** Time between reads, ms; at 1,000 bytes a message every row stays below its limits. */
const STEP_MS = 25;
/** The goal for the native accounting, amortised over a read, ns. */
const GOAL_NS = 60;

function slab(fps: number): { slab: Slab; slot: number } {
  const rows = new Slab({ streams: 1, sharedNodes: 3 });
  const limits = {
    max_bitrate: 50e6,
    max_fps: fps,
    max_packets_per_sec: fps,
    on_exceed: 'throttle',
  } as const;
  const slot = rows.takeStream({
    onExceed: 'throttle',
    exempt: false,
    own: ownRates(limits),
    client: rows.takeNode(bandwidthRate(100e6)),
    ip: rows.takeNode(bandwidthRate(200e6)),
    global: rows.takeNode(bandwidthRate(2e9)),
  });
  if (slot === null) throw new RangeError('the slab is too small');
  return { slab: rows, slot };
}

function messages(count: number): MessageMeta[] {
  return Array.from({ length: count }, (_, i) => ({
    bytes: 1000,
    kind: i % 3 === 0 ? KIND.AUDIO : KIND.VIDEO,
    frames: i % 3 === 0 ? 0 : 1,
    allFrames: i % 3 === 0 ? 0 : 1,
    keyframe: i % 60 === 1,
    header: false,
    disposable: false,
    metadata: false,
    dts: 1000,
    packets: 1,
  }));
}

function packed(list: readonly MessageMeta[]): Float64Array {
  return Float64Array.from(
    list.flatMap(
      ({ bytes, kind, frames, allFrames, keyframe, header, disposable, metadata, dts, packets }) => [
        bytes,
        kind,
        frames,
        allFrames,
        Number(keyframe),
        Number(header),
        Number(disposable),
        Number(metadata),
        dts,
        packets,
      ],
    ),
  );
}

/** Best time per message of `run`, ns; `run` does `reads` reads starting at `now`. */
function measure(perRead: number, run: (reads: number, now: number) => number): number {
  const reads = Math.floor(MESSAGES_PER_RUN / perRead);
  let best = Infinity;
  let now = 1000;
  for (let i = 0; i < RUNS; i++) {
    const start = monotonicMs();
    const delayMs = run(reads, now);
    best = Math.min(best, monotonicMs() - start);
    if (delayMs !== 0) throw new RangeError('a conforming stream was delayed: this measures the wrong road');
    now += reads * STEP_MS;
  }
  return (best * 1e6) / (reads * perRead);
}

function rowOf(perRead: number): Record<string, string> {
  const list = messages(perRead);
  const bytes = packed(list);
  const { AccountingProbe } = loadNative();
  const own = (fps = Infinity) => {
    const table = slab(fps);
    return { slot: table.slot, probe: new AccountingProbe(table.slab.nodes, table.slab.streams), table };
  };
  const inside = own();
  const all = own(1e6);
  const calls = own();
  const perPacket = own();
  const single = list.map((message) => packed([message]));
  const twin = slab(Infinity);
  const reference = new ReferenceAccounting(twin.slab.nodes, twin.slab.streams);
  const ns = (value: number) => value.toFixed(1).padStart(6);
  return {
    'messages per read': String(perRead),
    'native, ns': ns(
      measure(perRead, (reads, now) => inside.probe.replay(inside.slot, bytes, reads, STEP_MS, now)),
    ),
    'all 7 limits on': ns(
      measure(perRead, (reads, now) => all.probe.replay(all.slot, bytes, reads, STEP_MS, now)),
    ),
    'native + call': ns(
      measure(perRead, (reads, now) => {
        let delayMs = 0;
        for (let i = 0; i < reads; i++) {
          delayMs += calls.probe.replay(calls.slot, bytes, 1, STEP_MS, now + i * STEP_MS);
        }
        return delayMs;
      }),
    ),
    'native per packet': ns(
      measure(perRead, (reads, now) => {
        let delayMs = 0;
        for (let i = 0; i < reads; i++) {
          for (const message of single) perPacket.probe.admit(perPacket.slot, message, now + i * STEP_MS);
          delayMs += perPacket.probe.settle(perPacket.slot, now + i * STEP_MS);
        }
        return delayMs;
      }),
    ),
    'TypeScript twin': ns(
      measure(perRead, (reads, now) => {
        let delayMs = 0;
        for (let i = 0; i < reads; i++) {
          for (const message of list) reference.admit(twin.slot, message, now + i * STEP_MS);
          delayMs += reference.settle(twin.slot, now + i * STEP_MS);
        }
        return delayMs;
      }),
    ),
  };
}

const rows = MESSAGES_PER_READ.map(rowOf);
const head = Object.keys(rows[0] ?? {});
console.log(`ns per message, best of ${RUNS}; goal for native: <= ${GOAL_NS}\n`);
for (const line of [Object.fromEntries(head.map((name) => [name, name])), ...rows]) {
  console.log(head.map((name) => (line[name] ?? '').padStart(Math.max(8, name.length))).join('  '));
}
