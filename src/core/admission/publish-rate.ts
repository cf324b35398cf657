import { KeyedGcra } from '../limiter/keyed.ts';
import { NEVER } from '../limiter/limiter.ts';
import type { EventRate } from '../limits.ts';

/**
 * Publishes per client, where each publish may come under a rate of its own
 * (policies give one client different rates for different streams).
 *
 * What the rates share is time: at `100/min` a publish uses up 600 ms of its
 * client's time, at `1/min` 60 s, and a client may be ahead of time by the
 * period of the rate it asks under. So one GCRA per client counts milliseconds,
 * one for each ms that passes. How far ahead is too far differs from question
 * to question; asking for more than is then charged says it: the limiter's own
 * burst is the longest span anybody may be ahead, and a rate that allows less
 * asks for the difference on top.
 */
export class PublishRate {
  readonly #ahead: KeyedGcra;

  constructor(capacity: number) {
    this.#ahead = new KeyedGcra({ count: 1, periodMs: 1, burst: SPAN_MAX_MS, capacity });
  }

  /** Clients whose publishes are still remembered. */
  get size(): number {
    return this.#ahead.size;
  }

  /** Questions answered "not yet" because every row was owed on. */
  get refusedFull(): number {
    return this.#ahead.refusedFull;
  }

  /** 0: passes; otherwise ms until it does, or `NEVER`. Consumes nothing. */
  peek(client: string, rate: EventRate, now: number): number {
    if (rate.count === 0) return NEVER;
    const intervalMs = intervalOf(rate);
    if (intervalMs === 0) return 0;
    const allowedMs = Math.min(SPAN_MAX_MS, Math.max(rate.periodMs, intervalMs) + ROUNDING_MS);
    return this.#ahead.peek(client, intervalMs + SPAN_MAX_MS - allowedMs, now);
  }

  /** Charges a publish that `peek` let pass at the same `now`. */
  take(client: string, rate: EventRate, now: number): void {
    this.#ahead.take(client, intervalOf(rate), now);
  }

  evictIdle(now: number, maxSteps: number): void {
    this.#ahead.evictIdle(now, maxSteps);
  }
}

/** The longest period of a rate, ms (31 days). Short enough that sums keep a tenth of a microsecond. */
const SPAN_MAX_MS = 31 * 86_400_000;

/** Allowance for sums of thirds of a second at that span, ms; far below anything a clock shows. */
const ROUNDING_MS = 0.001;

/** What one publish uses up of its client's time, ms; 0 = unlimited. */
function intervalOf(rate: EventRate): number {
  return Math.min(SPAN_MAX_MS, rate.periodMs / rate.count);
}
