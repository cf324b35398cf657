/**
 * The limiters by themselves.
 *
 *     node examples/limiter.ts
 */
import {
  ALGORITHMS,
  Concurrency,
  FixedWindow,
  Gcra,
  KeyedLimiter,
  LeakyBucket,
  NEVER,
  now,
  rate,
  SlidingWindow,
  TokenBucket,
} from 'headgate/limiter';

// Every rate limiter answers alike: 0 = yes, n = in n ms, NEVER = more than it ever lets through.
const family = {
  Gcra: new Gcra({ ...rate('4/s'), burst: 2 }),
  TokenBucket: new TokenBucket({ ...rate('4/s'), burst: 2 }),
  LeakyBucket: new LeakyBucket({ ...rate('4/s'), burst: 2 }),
  SlidingWindow: new SlidingWindow(rate('2/s')),
  FixedWindow: new FixedWindow(rate('2/s')),
};
// Time is passed in. Here it stands still, so that every run prints the same.
for (const [name, limiter] of Object.entries(family)) {
  const answers = [1, 1, 1].map((cost) => Math.round(limiter.take(cost, 1_000)));
  console.log(
    `${name}: ${answers.join(' ')}, three at once: ${limiter.peek(3, 1_000) === NEVER ? 'never' : 'later'}`,
  );
}

// One limit on each of many keys, in bounded memory.
const perUser = new KeyedLimiter({ ...rate('2/min'), capacity: 1_000 }, ALGORITHMS.gcra);
const at = now();
const verdicts = ['ann', 'ann', 'ann', 'bob'].map((user) => `${user} ${perUser.take(user, 1, at) === 0}`);
console.log(verdicts.join(', '));

// At most two at once; room comes back when somebody leaves.
const workers = new Concurrency(2);
const leases = [workers.acquire(1), workers.acquire(1), workers.acquire(1)];
leases[0]?.release(now());
console.log(`held ${workers.held}, refused ${leases.filter((lease) => lease === null).length}`);
