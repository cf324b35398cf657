import { createHistogram, type EventLoopUtilization, performance } from 'node:perf_hooks';
import { monotonicMs } from '../lib/clock.ts';
import type { Figures, Source } from './sampler.ts';

/**
 * How late the event loop is: a timer is set again and again, and what it is
 * late by is the delay that everybody else meets too.
 *
 * `monitorEventLoopDelay` of Node does the same and is not used, because each
 * reset makes it forget when its timer fired last. What held the loop up right
 * after a reading is then lost: with turns of a second each, that is all of it.
 * Here a timer that is overdue at a reading counts.
 */

/**
 * How long the timer is set for while the loop is at ease, ms, in turn. Each
 * firing wakes an idle process up, for some 200 us, so they are few. They are
 * two so that turns of the loop cannot keep in step with both, and look short.
 */
const CALM_MS = [97, 121] as const;

/**
 * The same after a firing that was late: a busy loop is awake anyway, and this
 * is what can be missing of a turn when one long turn follows another.
 */
const BUSY_MS = 10;

/** Later than this the loop is busy, ms: what a timer is late by otherwise is a few. */
const LATE_MS = 10;

const US_PER_MS = 1000;

export class EventLoopSource implements Source {
  readonly name = 'event_loop';
  /** us */
  readonly #delays = createHistogram();
  #timer: NodeJS.Timeout | null = null;
  #dueAt = 0;
  #armed = 0;
  #utilization: EventLoopUtilization | null = null;

  constructor() {
    this.#arm(monotonicMs(), 0);
  }

  /**
   * `event_loop`: p99 of the delay, ms; `event_loop_max`: the longest, ms;
   * `event_loop_utilization`: 0..1. In half a second the timer fires some 5 times,
   * so the p99 of one reading is its longest; whoever judges it takes the mean of some.
   */
  read(): Figures | null {
    const now = monotonicMs();
    // What is overdue counts now, and not again with the next reading.
    if (now > this.#dueAt) {
      const lateMs = this.#record(now);
      this.close();
      this.#arm(now, lateMs);
    }
    const before = this.#utilization;
    this.#utilization = performance.eventLoopUtilization();
    const delays = this.#delays;
    const [p99, max] = delays.count > 0 ? [delays.percentile(99), delays.max] : [0, 0];
    delays.reset();
    // Starting up takes long turns, which say nothing of how it will run.
    if (before === null) return null;
    const { utilization } = performance.eventLoopUtilization(this.#utilization, before);
    return {
      event_loop: p99 / US_PER_MS,
      event_loop_max: max / US_PER_MS,
      event_loop_utilization: utilization,
    };
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #arm(now: number, lateMs: number): void {
    const periodMs = lateMs > LATE_MS ? BUSY_MS : CALM_MS[this.#armed++ % CALM_MS.length]!;
    this.#dueAt = now + periodMs;
    this.#timer = setTimeout(() => {
      const firedAt = monotonicMs();
      this.#arm(firedAt, this.#record(firedAt));
    }, periodMs);
    this.#timer.unref();
  }

  /** Returns what the timer is late by, ms. A histogram takes whole numbers from 1 on. */
  #record(now: number): number {
    const lateMs = now - this.#dueAt;
    this.#delays.record(Math.max(1, Math.round(lateMs * US_PER_MS)));
    return lateMs;
  }
}
