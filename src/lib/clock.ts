/**
 * The only place that reads a clock. Everything below the loops takes `now`
 * as an argument, so that tests and simulations can pass their own time.
 */

/** Monotonic milliseconds since the process started, with a fraction. */
export function monotonicMs(): number {
  return performance.now();
}

/** Wall time, for display only: it may jump. Unix milliseconds. */
export function wallMs(): number {
  return Date.now();
}
