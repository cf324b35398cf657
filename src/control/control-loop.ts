import { monotonicMs } from '../lib/clock.ts';

/**
 * The control plane's heartbeat: a few times a second it lets every stream
 * take its control step and every task do its round. It never holds the event
 * loop for long: streams are stepped in batches with turns of the loop between.
 */

/** Period, ms: finer than any window an operator can set, coarse enough to cost nothing. */
const PERIOD_MS = 250;

/** Streams stepped before the event loop gets a turn: under 2 ms of work. */
const BATCH = 500;

export interface ControlWork<T> {
  /** everything to step, in batches of at most `size`; may change meanwhile */
  batches(size: number): Iterable<readonly T[]>;
  step(item: T, now: number): void;
  /** once a round, before the streams: deadlines, eviction of what is idle */
  round(now: number): void;
  /** a step threw: a fault of ours, to be told and survived */
  failed(error: unknown): void;
  /** a round is over that kept the event loop busy for `tookMs` in all */
  finished(tookMs: number, now: number): void;
}

export class ControlLoop<T> {
  readonly #work: ControlWork<T>;
  #timer: NodeJS.Timeout | null = null;
  #running = false;
  #stopped = false;

  constructor(work: ControlWork<T>) {
    this.#work = work;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#round(), PERIOD_MS);
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #round(): Promise<void> {
    // A round that is still going on when the next is due takes its place.
    if (this.#running) return;
    this.#running = true;
    let began = monotonicMs();
    let tookMs = 0;
    this.#guard(() => this.#work.round(began));
    for (const batch of this.#work.batches(BATCH)) {
      const now = monotonicMs();
      for (const item of batch) this.#guard(() => this.#work.step(item, now));
      if (batch.length < BATCH) continue;
      tookMs += monotonicMs() - began;
      await new Promise((resolve) => setImmediate(resolve));
      began = monotonicMs();
      if (this.#stopped) break;
    }
    const ended = monotonicMs();
    this.#work.finished(tookMs + ended - began, ended);
    this.#running = false;
  }

  /** One stream's fault must not stop the others' control. */
  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#work.failed(error);
    }
  }
}
