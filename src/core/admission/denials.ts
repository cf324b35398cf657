import type { EventRate } from '../limits.ts';
import { type Reason, scopeOf } from '../reasons.ts';
import type { Denial } from '../verdict.ts';

/**
 * What is promised where nobody can know: room under a cap comes back when
 * somebody leaves. A second keeps a retrying encoder responsive and costs the
 * server next to nothing. It is a hint, unlike the delays of rates and cooldowns.
 */
export const CAP_RETRY_HINT_MS = 1_000;

/** ms to wait for room under a cap: 0 when there is room, never when the cap is 0. */
export function capWaitMs(held: number, cap: number): number {
  if (held < cap) return 0;
  return cap <= 0 ? Number.POSITIVE_INFINITY : CAP_RETRY_HINT_MS;
}

/** A refusal without a number behind it: deny, draining, cooldown, duplicate. */
export function refusal(reason: Reason, key: string, retryAfterMs: number): Denial {
  return {
    allowed: false,
    reason,
    scope: scopeOf(reason),
    key,
    limit: null,
    observed: null,
    windowMs: null,
    retryAfterMs,
  };
}

/** A cap that is used up; `held` is how many there are without this one. */
export function capRefusal(
  reason: Reason,
  key: string,
  cap: number,
  held: number,
  retryAfterMs: number,
): Denial {
  return {
    allowed: false,
    reason,
    scope: scopeOf(reason),
    key,
    limit: cap,
    observed: held,
    windowMs: null,
    retryAfterMs,
  };
}

/**
 * A rate that is used up. `waitMs` is this rate's own delay: it says by how
 * many events the window would be passed, the refused one included.
 */
export function rateRefusal(
  reason: Reason,
  key: string,
  rate: EventRate,
  waitMs: number,
  retryAfterMs: number,
): Denial {
  const over = Number.isFinite(waitMs) ? Math.ceil((waitMs * rate.count) / rate.periodMs) : 1;
  return {
    allowed: false,
    reason,
    scope: scopeOf(reason),
    key,
    limit: rate.count,
    observed: rate.count + over,
    windowMs: rate.periodMs,
    retryAfterMs,
  };
}
