import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Figures, Source } from './sampler.ts';

/** How often the loop's timer fires, ms: what it is late by is the delay. Finer costs more than it tells. */
const RESOLUTION_MS = 20;

const NS_PER_MS = 1e6;

/** How late the event loop is, and how busy. */
export class EventLoopSource implements Source {
  readonly name = 'event_loop';
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #utilization: EventLoopUtilization = performance.eventLoopUtilization();

  constructor() {
    this.#histogram.enable();
  }

  /** `event_loop`: p99 of the delay, ms; `event_loop_max`: the longest, ms; `event_loop_utilization`: 0..1. */
  read(): Figures {
    const p99 = this.#histogram.percentile(99) / NS_PER_MS;
    const max = this.#histogram.max / NS_PER_MS;
    const any = this.#histogram.count > 0;
    this.#histogram.reset();
    const { utilization } = performance.eventLoopUtilization(this.#utilization);
    this.#utilization = performance.eventLoopUtilization();
    // The histogram holds the time between two firings of its timer, the period included.
    return {
      event_loop: any ? Math.max(0, p99 - RESOLUTION_MS) : 0,
      event_loop_max: any ? Math.max(0, max - RESOLUTION_MS) : 0,
      event_loop_utilization: utilization,
    };
  }

  close(): void {
    this.#histogram.disable();
  }
}
