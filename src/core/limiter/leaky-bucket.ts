/**
 * Leaky bucket: a cost pours its units into a bucket of size `burst`, which
 * leaks at `count` per `periodMs`; what would overflow is denied.
 *
 * The water in it is exactly the tokens missing from a token bucket, so as a
 * *meter* it is the same algorithm seen from the other side, and shares its
 * code: a second copy could only differ by a mistake. What the picture adds is
 * the *queue*: the bucket's content is a backlog that flows out at a constant
 * rate, and `drainMs` says when the last unit poured in will have left.
 */
import type { RateLimit } from './limiter.ts';
import { RateLimiter } from './rate-limiter.ts';
import { TokenBucketAlgorithm } from './token-bucket.ts';

/** One leaky bucket on one thing. */
export class LeakyBucket extends RateLimiter {
  constructor(limit: RateLimit) {
    super(limit, (rate) => new TokenBucketAlgorithm(rate));
  }

  /**
   * How long the bucket takes to run dry, ms: for a caller that queues what it
   * took, when the latest of it is due to leave. 0 when empty.
   */
  drainMs(now: number): number {
    return this.burst === Number.POSITIVE_INFINITY ? 0 : this.peek(this.burst, now);
  }
}
