import { FixedWindow, FixedWindowAlgorithm } from '../../src/core/limiter/fixed-window.ts';
import { Gcra, GcraAlgorithm } from '../../src/core/limiter/gcra.ts';
import { KeyedLimiter } from '../../src/core/limiter/keyed.ts';
import { LeakyBucket } from '../../src/core/limiter/leaky-bucket.ts';
import type { AlgorithmOf } from '../../src/core/limiter/limiter.ts';
import { SlidingWindow, SlidingWindowAlgorithm } from '../../src/core/limiter/sliding-window.ts';
import { TokenBucket, TokenBucketAlgorithm } from '../../src/core/limiter/token-bucket.ts';
import { limiterContract, type Subject, type TunableLimiter } from './limiter-suite.ts';

/** One key of a table in which another key has its own state. */
function oneKeyOf(algorithmOf: AlgorithmOf): Subject['make'] {
  return (limit) => {
    const table = new KeyedLimiter({ ...limit, capacity: 4 }, algorithmOf);
    table.take('another', Math.min(1, table.burst), 0);
    const limiter: TunableLimiter = {
      peek: (cost, now) => table.peek('one', cost, now),
      take: (cost, now) => table.take('one', cost, now),
      remaining: (now) => table.remaining('one', now),
      setRate: (rate, now) => table.setRate(rate, now),
    };
    return limiter;
  };
}

const SUBJECTS: readonly Subject[] = [
  { name: 'GCRA', guarantee: 'rate', make: (limit) => new Gcra(limit) },
  { name: 'token bucket', guarantee: 'rate', make: (limit) => new TokenBucket(limit) },
  { name: 'leaky bucket', guarantee: 'rate', make: (limit) => new LeakyBucket(limit) },
  { name: 'sliding window', guarantee: 'any-window', make: (limit) => new SlidingWindow(limit) },
  { name: 'fixed window', guarantee: 'own-window', make: (limit) => new FixedWindow(limit) },
  { name: 'keyed GCRA', guarantee: 'rate', make: oneKeyOf((limit) => new GcraAlgorithm(limit)) },
  {
    name: 'keyed token bucket',
    guarantee: 'rate',
    make: oneKeyOf((limit) => new TokenBucketAlgorithm(limit)),
  },
  {
    name: 'keyed sliding window',
    guarantee: 'any-window',
    make: oneKeyOf((limit) => new SlidingWindowAlgorithm(limit)),
  },
  {
    name: 'keyed fixed window',
    guarantee: 'own-window',
    make: oneKeyOf((limit) => new FixedWindowAlgorithm(limit)),
  },
];

for (const subject of SUBJECTS) limiterContract(subject);
