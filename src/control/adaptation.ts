import {
  ADAPTIVE_SIGNALS,
  AdaptiveFactor,
  type AdaptiveReadings,
  type AdaptiveSettings,
  type AdaptiveSignal,
  type Adjustment,
} from '../core/adaptive/adaptive-factor.ts';
import { STALE_AFTER_MS } from '../core/pressure/gauge.ts';
import { SampleWindow } from '../core/pressure/sample-window.ts';
import type { AdaptiveConfig } from './governor-ports.ts';

/**
 * The factor on the server's budgets, and the signals of the machine that it
 * follows. These are averaged by themselves, and not taken from the gate's
 * gauges: the gate may not be looking at them.
 */

/** As long as the gate averages CPU where the config does not say otherwise, ms. */
const WINDOW_MS = 5000;

const MACHINE_SIGNALS = ['cpu', 'event_loop'] as const;

type MachineSignal = (typeof MACHINE_SIGNALS)[number];

export class Adaptation {
  #config: AdaptiveConfig;
  #factor: AdaptiveFactor;
  readonly #windows: Readonly<Record<MachineSignal, SampleWindow>> = {
    cpu: new SampleWindow(WINDOW_MS),
    event_loop: new SampleWindow(WINDOW_MS),
  };
  #signal: AdaptiveSignal | null = null;
  #changedAt: number | null = null;

  constructor(config: AdaptiveConfig) {
    this.#config = config;
    this.#factor = new AdaptiveFactor(settingsOf(config));
  }

  configure(config: AdaptiveConfig): void {
    if (config.enabled && !this.#config.enabled) this.#factor = new AdaptiveFactor(settingsOf(config));
    else this.#factor.configure(settingsOf(config));
    this.#config = config;
  }

  get enabled(): boolean {
    return this.#config.enabled;
  }

  /** What global bandwidth and connection rate are multiplied by. */
  get factor(): number {
    return this.enabled ? this.#factor.value : 1;
  }

  /** True while they are lowered by what the signals say. */
  get lowered(): boolean {
    return this.enabled && this.#factor.value < this.#config.max;
  }

  /** The signal that made it fall last. */
  get signal(): AdaptiveSignal | null {
    return this.#signal;
  }

  /** Of the last change, monotonic ms. */
  get changedAt(): number | null {
    return this.#changedAt;
  }

  sampled(figures: Readonly<Record<string, number>>, now: number): void {
    for (const signal of MACHINE_SIGNALS) {
      const value = figures[signal];
      if (value === undefined || !(value >= 0)) continue;
      const window = this.#windows[signal];
      if (now - window.lastAt > STALE_AFTER_MS) window.clear();
      window.push(value, now);
    }
  }

  /** One look. `others`: the signals that are not samples of the machine. */
  step(others: AdaptiveReadings, now: number): Adjustment | null {
    if (!this.enabled) return null;
    const readings: Partial<Record<AdaptiveSignal, number>> = { ...others };
    for (const signal of MACHINE_SIGNALS) {
      const window = this.#windows[signal];
      if (window.settled && now - window.lastAt <= STALE_AFTER_MS) readings[signal] = window.value;
    }
    const change = this.#factor.step(readings, now);
    if (change !== null) this.#changedAt = now;
    if (change?.direction === 'down') this.#signal = change.signal;
    return change;
  }
}

function settingsOf({ signals, ...rest }: AdaptiveConfig): AdaptiveSettings {
  const targets: Partial<Record<AdaptiveSignal, number>> = {};
  for (const signal of ADAPTIVE_SIGNALS) {
    const target = signals[signal];
    if (target !== null) targets[signal] = target;
  }
  return { ...rest, targets };
}
