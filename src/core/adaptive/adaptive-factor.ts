/**
 * A factor that follows how the server fares: additive increase,
 * multiplicative decrease (Chiu and Jain, 1989), with a dead band between.
 *
 * Each signal is held against its target. When any is above its target and
 * the band, the factor is multiplied; when all are below and the band, it grows
 * by a step; between the two nothing happens, so that it comes to rest.
 * The factor scales the global bandwidth budget and the rate of new connections.
 */

export const ADAPTIVE_SIGNALS = ['error_rate', 'decision_latency', 'event_loop', 'cpu'] as const;

export type AdaptiveSignal = (typeof ADAPTIVE_SIGNALS)[number];

export interface AdaptiveSettings {
  /** the value of each signal that is still good, in the signal's own unit; a signal that is not named is not looked at */
  readonly targets: Readonly<Partial<Record<AdaptiveSignal, number>>>;
  /** the factor is multiplied by this, 0..1 exclusive */
  readonly decrease: number;
  /** the factor grows by this, > 0 */
  readonly increase: number;
  /** 0..max, and never below */
  readonly min: number;
  readonly max: number;
  /** between two changes, ms: longer than it takes for a change to show in the signals */
  readonly interval: number;
  /** part of a target that it may be missed by, either way, without a change */
  readonly hysteresis: number;
}

export interface Adjustment {
  readonly direction: 'up' | 'down';
  readonly from: number;
  readonly to: number;
  /** the signal that was furthest above its target, null on the way up */
  readonly signal: AdaptiveSignal | null;
  readonly value: number | null;
  readonly target: number | null;
}

/** A factor as people and programs are told it: its steps are hundredths, and what lies behind is only how doubles multiply. */
export function shownFactor(factor: number): number {
  return Math.round(factor * 10_000) / 10_000;
}

/** The value of each signal now; one that is not known is left out, and lets nothing grow. */
export type AdaptiveReadings = Readonly<Partial<Record<AdaptiveSignal, number>>>;

export class AdaptiveFactor {
  #settings: AdaptiveSettings;
  #factor: number;
  #changedAt = Number.NEGATIVE_INFINITY;

  constructor(settings: AdaptiveSettings) {
    this.#settings = settings;
    this.#factor = settings.max;
  }

  /** `min`..`max` */
  get value(): number {
    return this.#factor;
  }

  /** Takes new settings; the factor moves only as far as their bounds make it. */
  configure(settings: AdaptiveSettings): void {
    this.#settings = settings;
    this.#factor = Math.min(settings.max, Math.max(settings.min, this.#factor));
  }

  /** One look at the signals. Returns the change, or null when there is none. */
  step(readings: AdaptiveReadings, now: number): Adjustment | null {
    const { interval, hysteresis, decrease, increase, min, max } = this.#settings;
    if (now - this.#changedAt < interval) return null;
    const worst = this.#worst(readings);
    if (worst === null) return null;
    if (worst.ratio > 1 + hysteresis) {
      const { signal, value, target } = worst;
      return this.#move('down', Math.max(min, this.#factor * decrease), { signal, value, target }, now);
    }
    if (worst.ratio >= 1 - hysteresis || !this.#knowsAll(readings)) return null;
    const none = { signal: null, value: null, target: null };
    return this.#move('up', Math.min(max, this.#factor + increase), none, now);
  }

  #move(
    direction: 'up' | 'down',
    to: number,
    cause: Pick<Adjustment, 'signal' | 'value' | 'target'>,
    now: number,
  ): Adjustment | null {
    const from = this.#factor;
    if (to === from) return null;
    this.#factor = to;
    this.#changedAt = now;
    return { direction, from, to, ...cause };
  }

  /** The signal furthest above its target, weighed by the target; null when none is known. */
  #worst(
    readings: AdaptiveReadings,
  ): { signal: AdaptiveSignal; value: number; target: number; ratio: number } | null {
    let worst = null;
    for (const signal of ADAPTIVE_SIGNALS) {
      const target = this.#settings.targets[signal];
      const value = readings[signal];
      if (target === undefined || value === undefined || Number.isNaN(value)) continue;
      const ratio = target > 0 ? value / target : value > 0 ? Number.POSITIVE_INFINITY : 0;
      if (worst === null || ratio > worst.ratio) worst = { signal, value, target, ratio };
    }
    return worst;
  }

  #knowsAll(readings: AdaptiveReadings): boolean {
    return ADAPTIVE_SIGNALS.every((signal) => {
      const value = readings[signal];
      return this.#settings.targets[signal] === undefined || (value !== undefined && !Number.isNaN(value));
    });
  }
}
