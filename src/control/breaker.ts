import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleAll,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import { monotonicMs } from '../lib/clock.ts';

/**
 * A circuit breaker around work that something else than this process has to
 * do: the operating system, and what may come to be called over a network.
 *
 * After some failures in a row the circuit opens, and calls fail at once
 * without anybody being troubled. After a pause one call, and one only, is let
 * through as a probe: it closes the circuit, or a pause twice as long begins.
 * Whoever calls while the probe is on its way is refused at once, too.
 *
 * The states are the library's. The pause is not: it measures by the wall
 * clock, and one that is set back an hour would keep the circuit open for that.
 */

export const BREAKER_STATES = ['closed', 'half_open', 'open'] as const;

/** `closed`: calls go through; `half_open`: a probe is on its way; `open`: nothing is let through. */
export type BreakerState = (typeof BREAKER_STATES)[number];

export interface BreakerSettings {
  /** failures in a row that open the circuit, 1 or more */
  readonly failures: number;
  /** a call that takes longer has failed, ms */
  readonly answerMs: number;
  /** before the first probe, ms; each probe that fails doubles it, up to the most */
  readonly pause: { readonly minMs: number; readonly maxMs: number };
}

/** The pause as the library knows it: over whatever its clock says. */
const PAST_ALREADY = Number.NEGATIVE_INFINITY;

const STATE_OF: Readonly<Record<CircuitState, BreakerState>> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.HalfOpen]: 'half_open',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
};

export class Breaker {
  readonly name: string;
  readonly #settings: BreakerSettings;
  readonly #circuit: CircuitBreakerPolicy;
  readonly #guarded: ReturnType<typeof guardedBy>;
  readonly #clock: () => number;
  #pauseMs = 0;
  /** the instant from which a probe may be made, on that clock */
  #probeAt = Number.NEGATIVE_INFINITY;
  /** calls that went through and have not come back, those given up included */
  #unanswered = 0;
  #opened = 0;
  #lastFailure = '';

  /** `clock`: monotonic ms */
  constructor(name: string, settings: BreakerSettings, clock: () => number = monotonicMs) {
    this.name = name;
    this.#settings = settings;
    this.#clock = clock;
    this.#circuit = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(settings.failures),
      halfOpenAfter: PAST_ALREADY,
    });
    this.#circuit.onBreak(() => this.#pause());
    this.#circuit.onReset(() => {
      this.#pauseMs = 0;
    });
    this.#guarded = guardedBy(this.#circuit, settings.answerMs);
  }

  get state(): BreakerState {
    return STATE_OF[this.#circuit.state];
  }

  /** How often the circuit has opened, failed probes included. */
  get opened(): number {
    return this.#opened;
  }

  /** Does the work, if the circuit lets it. Rejects with what went wrong, in words for people. */
  async run<T>(work: () => T | Promise<T>): Promise<T> {
    const { state } = this.#circuit;
    // While a probe is out the library would have others wait for its outcome; whoever asks often would pile up.
    const refused =
      state === CircuitState.HalfOpen || (state === CircuitState.Open && this.#clock() < this.#probeAt);
    if (refused) throw this.#refusal();
    try {
      return await this.#guarded.execute(() => this.#call(work));
    } catch (error) {
      this.#lastFailure = error instanceof Error ? error.message : String(error);
      throw error;
    }
  }

  /** The circuit has opened: the first time for a while, and each time that a probe fails for twice as long. */
  #pause(): void {
    const { minMs, maxMs } = this.#settings.pause;
    this.#opened++;
    this.#pauseMs = Math.min(maxMs, Math.max(minMs, this.#pauseMs * 2));
    this.#probeAt = this.#clock() + this.#pauseMs;
  }

  /** Work that is never answered must not add up: while as many calls hang as open the circuit, no more are made. */
  async #call<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#unanswered >= this.#settings.failures) {
      throw new Error(`${this.#unanswered} calls have not been answered`);
    }
    this.#unanswered++;
    try {
      return await work();
    } finally {
      this.#unanswered--;
    }
  }

  #refusal(): Error {
    return new Error(`${this.name} is left alone for a while: ${this.#lastFailure}`);
  }
}

function guardedBy(circuit: CircuitBreakerPolicy, answerMs: number) {
  const inTime = timeout(answerMs, { strategy: TimeoutStrategy.Aggressive, abortOnReturn: false });
  // A call that hangs must not keep the process from ending.
  return wrap(circuit, inTime.dangerouslyUnref());
}
