import { FixedWindowAlgorithm } from './fixed-window.ts';
import { GcraAlgorithm } from './gcra.ts';
import type { AlgorithmOf } from './limiter.ts';
import { SlidingWindowAlgorithm } from './sliding-window.ts';
import { TokenBucketAlgorithm } from './token-bucket.ts';

/** The rate algorithms by name, for a choice that is made in words. */
export const ALGORITHM_NAMES = [
  'gcra',
  'token-bucket',
  'leaky-bucket',
  'sliding-window',
  'fixed-window',
] as const;

export type AlgorithmName = (typeof ALGORITHM_NAMES)[number];

/**
 * How each is built; what `KeyedLimiter` asks for. A leaky bucket as a meter is
 * a token bucket seen from the other side.
 */
export const ALGORITHMS: Readonly<Record<AlgorithmName, AlgorithmOf>> = {
  gcra: (limit) => new GcraAlgorithm(limit),
  'token-bucket': (limit) => new TokenBucketAlgorithm(limit),
  'leaky-bucket': (limit) => new TokenBucketAlgorithm(limit),
  'sliding-window': (limit) => new SlidingWindowAlgorithm(limit),
  'fixed-window': (limit) => new FixedWindowAlgorithm(limit),
};
