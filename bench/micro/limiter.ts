/**
 * Nanoseconds and bytes of garbage per decision of each limiter, admitted
 * (the clock moves on far enough) and denied (it stands still until the
 * limiter is exhausted). CPU time, so that a busy machine disturbs less. Run: `node --expose-gc bench/micro/limiter.ts`.
 */
import { Concurrency } from '../../src/core/limiter/concurrency.ts';
import { FixedWindow } from '../../src/core/limiter/fixed-window.ts';
import { Gcra } from '../../src/core/limiter/gcra.ts';
import { KeyedGcra } from '../../src/core/limiter/keyed.ts';
import { LeakyBucket } from '../../src/core/limiter/leaky-bucket.ts';
import { SlidingWindow } from '../../src/core/limiter/sliding-window.ts';
import { TokenBucket } from '../../src/core/limiter/token-bucket.ts';
import type { EventRate } from '../../src/core/limits.ts';

const DECISIONS = 2_000_000;
const ROUNDS = 5;
/** Uptime at which the clock has few bits left for fractions. */
const START_MS = 1e9;
const LIMIT = { count: 1000, periodMs: 1000 };
const KEYS = 10_000;
/** One unit each 10 s and a burst that lasts for the run: keys that never rest. */
const SLOW = { count: 1e9, periodMs: 1e13 };

type Decide = (now: number, turn: number) => number;

interface Subject {
  readonly name: string;
  /** ms between decisions when all are to be admitted */
  readonly stepMs: number;
  readonly make: () => Decide;
}

function taking(make: () => { take(cost: number, now: number): number }): () => Decide {
  return () => {
    const limiter = make();
    return (now) => limiter.take(1, now);
  };
}

function keyed(limit: EventRate): () => Decide {
  return () => {
    const limiter = new KeyedGcra({ ...limit, capacity: 2 * KEYS });
    const keys = Array.from({ length: KEYS }, (_, key) => `192.0.2.${key}`);
    return (now, turn) => limiter.take(keys[turn % KEYS]!, 1, now);
  };
}

function concurrency(): Decide {
  const limiter = new Concurrency(1000);
  return (now) => {
    const verdict = limiter.take(1);
    // Admitted runs give back at once; denied runs keep what they took.
    if (verdict === 0 && now !== START_MS) limiter.release(1);
    return verdict;
  };
}

const SUBJECTS: readonly Subject[] = [
  { name: 'gcra', stepMs: 1.01, make: taking(() => new Gcra(LIMIT)) },
  { name: 'token bucket', stepMs: 1.01, make: taking(() => new TokenBucket(LIMIT)) },
  { name: 'leaky bucket', stepMs: 1.01, make: taking(() => new LeakyBucket(LIMIT)) },
  { name: 'fixed window', stepMs: 1.01, make: taking(() => new FixedWindow(LIMIT)) },
  { name: 'sliding window', stepMs: 1.1, make: taking(() => new SlidingWindow(LIMIT)) },
  { name: 'concurrency', stepMs: 1, make: concurrency },
  { name: `keyed gcra, ${KEYS} busy keys`, stepMs: 0.9, make: keyed(SLOW) },
  // Every key has rested when it returns, and its row is given away meanwhile.
  {
    name: `keyed gcra, ${KEYS} keys that come and go`,
    stepMs: 1.01,
    make: keyed({ count: 1, periodMs: 1000 }),
  },
];

/** Best of the rounds: the machine is shared, and noise only ever adds. */
function measure(decide: Decide, stepMs: number): { nanoseconds: number; bytes: number; admitted: number } {
  let best = Number.POSITIVE_INFINITY;
  let bytes = Number.POSITIVE_INFINITY;
  let admitted = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    globalThis.gc?.();
    const heapBefore = process.memoryUsage().heapUsed;
    const begun = process.cpuUsage();
    admitted = 0;
    for (let turn = 0; turn < DECISIONS; turn += 1) {
      const now = START_MS + (round * DECISIONS + turn) * stepMs;
      if (decide(now, turn) === 0) admitted += 1;
    }
    const { user, system } = process.cpuUsage(begun);
    best = Math.min(best, ((user + system) * 1000) / DECISIONS);
    bytes = Math.min(bytes, Math.max(0, process.memoryUsage().heapUsed - heapBefore) / DECISIONS);
  }
  return { nanoseconds: best, bytes, admitted };
}

function row(name: string, stepMs: number, make: () => Decide): Record<string, string | number> {
  const { nanoseconds, bytes, admitted } = measure(make(), stepMs);
  return {
    limiter: name,
    admitted: `${Math.round((100 * admitted) / DECISIONS)} %`,
    'ns/decision': Number(nanoseconds.toFixed(1)),
    'bytes/decision': Number(bytes.toFixed(1)),
  };
}

console.table(SUBJECTS.flatMap(({ name, stepMs, make }) => [row(name, stepMs, make), row(name, 0, make)]));
