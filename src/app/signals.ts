import type { AdaptiveReadings } from '../core/adaptive/adaptive-factor.ts';
import type { Reason } from '../core/reasons.ts';

/**
 * Two of the signals that limits follow, taken from what has been decided
 * lately: how many attempts failed for want of something that this server is
 * short of, and how long it takes to decide. What strangers can bring about by
 * themselves (wrong keys, floods, half a handshake) is no failure: else anybody
 * could make the server lower everybody's limits. Nor is it one to be kept out by
 * shedding: that is an order, or a machine on its way back, and those who knock
 * again and again meanwhile must not bring down the limits of those who stay.
 */

/** Attempts of this stretch of time are looked at, ms: as long as the factor rests between two changes. */
const REACH_MS = 5_000;

/**
 * Fewer attempts than this within the reach say nothing of the server: one
 * publisher that is refused and knocks every second makes five by itself, all
 * of them failures, and must not move the limits of everybody.
 */
const ATTEMPTS_MIN = 10;

/** Counts of a stretch older than this are not wanted any more; between two of them passes at least so much, ms. */
const STRIDE_MS = 250;

const FAILURES: readonly Reason[] = [
  'resource_cpu',
  'resource_heap',
  'resource_memory',
  'resource_event_loop',
];

/** Counters since the start of the server. */
export interface DecisionCounts {
  readonly denied: Readonly<Partial<Record<Reason, number>>>;
  /** decisions that let somebody in, and how long they took in all, seconds */
  readonly admitted: { readonly count: number; readonly seconds: number };
}

interface Mark {
  readonly at: number;
  readonly failed: number;
  readonly admitted: number;
  readonly seconds: number;
}

export class Signals {
  readonly #counts: () => DecisionCounts;
  /** oldest first; as many as strides fit into the reach */
  readonly #marks: Mark[] = [];

  constructor(counts: () => DecisionCounts) {
    this.#counts = counts;
  }

  /** Of the last seconds: `error_rate` is a fraction, `decision_latency` a mean in ms; both 0 when nobody came, the rate also when too few did. */
  read(now: number): Required<Pick<AdaptiveReadings, 'error_rate' | 'decision_latency'>> {
    const latest = this.#mark(now);
    const last = this.#marks.at(-1);
    if (last === undefined || now - last.at >= STRIDE_MS) this.#marks.push(latest);
    while (this.#marks.length > 1 && now - this.#marks[0]!.at > REACH_MS) this.#marks.shift();
    const first = this.#marks[0]!;
    const failed = latest.failed - first.failed;
    const admitted = latest.admitted - first.admitted;
    const seconds = latest.seconds - first.seconds;
    return {
      error_rate: failed + admitted < ATTEMPTS_MIN ? 0 : failed / (failed + admitted),
      decision_latency: admitted === 0 ? 0 : (seconds * 1_000) / admitted,
    };
  }

  #mark(at: number): Mark {
    const { denied, admitted } = this.#counts();
    const failed = FAILURES.reduce((sum, reason) => sum + (denied[reason] ?? 0), 0);
    return { at, failed, admitted: admitted.count, seconds: admitted.seconds };
  }
}
