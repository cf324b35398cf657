import fc from 'fast-check';
import { nextAbove, nextBelow } from '../../src/core/limiter/instants.ts';
import type { RateLimit } from '../../src/core/limiter/limiter.ts';

/** An instant at which doubles are coarse and have fractions: 11 days of uptime. */
export const UPTIME = 1e9 + 1 / 3;

/** One move of a script: how long to let pass, then what to ask for. */
interface Move {
  /** fraction of the period, or the instant last promised, or the double before it */
  readonly wait: number | 'promise' | 'before';
  /** fraction of the burst */
  readonly weight: number;
  /** round the cost up to a whole number */
  readonly whole: boolean;
}

interface Script {
  readonly limit: RateLimit;
  readonly start: number;
  readonly moves: readonly Move[];
}

const move: fc.Arbitrary<Move> = fc.record({
  wait: fc.oneof(
    fc.constant(0),
    fc.double({ min: 0, max: 0.2, noNaN: true }),
    fc.double({ min: 0, max: 2.5, noNaN: true }),
    fc.constant<'promise'>('promise'),
    fc.constant<'before'>('before'),
  ),
  weight: fc.oneof(fc.constant(1e-9), fc.double({ min: 1e-3, max: 1, noNaN: true })),
  whole: fc.boolean(),
});

export const limitOf: fc.Arbitrary<RateLimit> = fc.record({
  count: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 1_000_000 })),
  periodMs: fc.oneof(
    fc.constantFrom(1000, 60_000, 86_400_000, 250, 1 / 3),
    fc.double({ min: 0.5, max: 1e6, noNaN: true }),
  ),
});

/** Asking for units, at random moments and at exactly the promised ones. */
export const script: fc.Arbitrary<Script> = fc.record({
  limit: limitOf,
  start: fc.oneof(fc.constantFrom(0, UPTIME), fc.double({ min: 0, max: 1e10, noNaN: true })),
  moves: fc.array(move, { minLength: 1, maxLength: 60 }),
});

interface Asked {
  readonly now: number;
  readonly cost: number;
  readonly verdict: number;
}

/** Plays a script, handing each question to `ask`, and returns what was asked. */
export function play(
  { limit, start, moves }: Script,
  burst: number,
  ask: (cost: number, now: number) => number,
): Asked[] {
  let now = start;
  let promised = start;
  return moves.map(({ wait, weight, whole }) => {
    const target =
      wait === 'promise'
        ? promised
        : wait === 'before'
          ? nextBelow(promised)
          : now + (wait as number) * limit.periodMs;
    now = Math.max(now, target);
    const cost = Math.min(burst, whole ? Math.ceil(weight * burst) : weight * burst);
    const verdict = ask(cost, now);
    if (verdict > 0) promised = now + verdict;
    return { now, cost, verdict };
  });
}

/** The latest instant before the promised one that `now` and a delay can name. */
export function instantBefore(promised: number, now: number): number {
  const earlier = nextBelow(promised);
  const delay = earlier - now;
  const named = [nextBelow(delay), delay, nextAbove(delay)].some((delayMs) => now + delayMs === earlier);
  return named ? earlier : nextBelow(earlier);
}

function passed(asked: readonly Asked[]): Asked[] {
  return asked.filter(({ verdict }) => verdict === 0);
}

/** The most units that passed in any closed span of `spanMs`. */
export function mostIn(asked: readonly Asked[], spanMs: number): number {
  const admitted = passed(asked);
  let most = 0;
  for (let first = 0; first < admitted.length; first += 1) {
    let units = 0;
    for (let last = first; last < admitted.length; last += 1) {
      if (admitted[last]!.now - admitted[first]!.now > spanMs) break;
      units += admitted[last]!.cost;
    }
    most = Math.max(most, units);
  }
  return most;
}

/** How far the worst span went over burst + W * rate, in units. */
export function overRate(asked: readonly Asked[], { count, periodMs }: RateLimit, burst: number): number {
  const admitted = passed(asked);
  let worst = Number.NEGATIVE_INFINITY;
  for (let first = 0; first < admitted.length; first += 1) {
    let units = 0;
    for (let last = first; last < admitted.length; last += 1) {
      units += admitted[last]!.cost;
      const spanMs = admitted[last]!.now - admitted[first]!.now;
      worst = Math.max(worst, units - burst - (spanMs * count) / periodMs);
    }
  }
  return worst;
}

/** The most units in one window, when the first unit after a window's end opens the next. */
export function mostInOwnWindow(asked: readonly Asked[], periodMs: number): number {
  let openedAt = Number.NEGATIVE_INFINITY;
  let units = 0;
  let most = 0;
  for (const { now, cost } of passed(asked)) {
    if (now >= openedAt + periodMs) {
      openedAt = now;
      units = 0;
    }
    units += cost;
    most = Math.max(most, units);
  }
  return most;
}

/** Rounding that a sum of units may carry: the last bits of the sum, and of the clock in units. */
export function rounding(limit: RateLimit, start: number): number {
  const clockUnits = ((start + 200 * limit.periodMs) * 2 ** -52 * limit.count) / limit.periodMs;
  return limit.count * 1e-12 + 4 * clockUnits;
}
