import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
  noJitterGenerator,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';

/**
 * A circuit breaker around work that something else than this process has to
 * do: the operating system, and what may come to be called over a network.
 *
 * After some failures in a row the circuit opens, and calls fail at once
 * without anybody being troubled. After a pause one call, and one only, is let
 * through as a probe: it closes the circuit, or a pause twice as long begins.
 * Whoever calls while the probe is on its way is refused at once, too.
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
  /** calls that went through and have not come back, those given up included */
  #unanswered = 0;
  #opened = 0;
  #lastFailure = '';

  constructor(name: string, settings: BreakerSettings) {
    this.name = name;
    this.#settings = settings;
    const { failures, pause } = settings;
    this.#circuit = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(failures),
      halfOpenAfter: new ExponentialBackoff({
        initialDelay: pause.minMs,
        maxDelay: pause.maxMs,
        exponent: 2,
        generator: noJitterGenerator,
      }),
    });
    this.#circuit.onBreak(() => {
      this.#opened++;
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
    // The library would have these wait for the outcome of the probe; whoever asks often would pile up.
    if (this.#circuit.state === CircuitState.HalfOpen) throw this.#refusal();
    try {
      return await this.#guarded.execute(() => this.#call(work));
    } catch (error) {
      if (error instanceof BrokenCircuitError) throw this.#refusal();
      this.#lastFailure = error instanceof Error ? error.message : String(error);
      throw error;
    }
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
