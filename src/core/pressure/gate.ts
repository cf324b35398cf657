import type { GateCheck } from '../admission/questions.ts';
import { delayUntil } from '../limiter/instants.ts';
import { scopeOf } from '../reasons.ts';
import type { Denial } from '../verdict.ts';
import { Gauge } from './gauge.ts';
import { harder, type PressureLevel } from './levels.ts';
import { REASON_OF, RESOURCES, type Resource, type ResourcesConfig } from './resources.ts';

/**
 * One gate over all resources: the one that is worst off decides. While any is
 * critical nobody is let in, and everybody is told when that ends: the instant
 * at which the last of them has been calm for `reopen_after`, if it is calm
 * from now on.
 *
 * A resource that is off has no gauge: it is nominal, and what is said of it is
 * not listened to.
 *
 * Samples come in from outside; levels also change by the clock, so every
 * question takes `now`.
 */

/** One resource as the API, `top` and the metrics show it. Values in base units. */
export interface ResourceSnapshot {
  readonly resource: Resource;
  /** the value that is judged; null while the sampler says nothing, and when the resource is off */
  readonly value: number | null;
  /** the watermarks; null = off */
  readonly degrade: number | null;
  readonly close: number | null;
  readonly state: PressureLevel;
  /** 0 at `degrade`, 1 at `close` */
  readonly pressure: number;
  /** when the state was entered, or the resource turned off, monotonic ms */
  readonly since: number;
  /** why nothing is known, null while the sampler works */
  readonly cause: string | null;
}

export interface GateSnapshot {
  readonly state: PressureLevel;
  readonly pressure: number;
  /** false while nobody is let in */
  readonly open: boolean;
  /** ms until it opens, 0 when it is open */
  readonly reopensInMs: number;
  /** changes of level of any resource since the start */
  readonly changes: number;
  readonly resources: readonly ResourceSnapshot[];
}

export class PressureGate {
  readonly #gauges = new Map<Resource, Gauge>();
  readonly #offSince = new Map<Resource, number>();
  /** changes of gauges that are gone */
  #changesBefore = 0;

  /** Throws RangeError for watermarks out of order: config is validated before. */
  constructor(config: ResourcesConfig, now: number) {
    for (const resource of RESOURCES) this.#offSince.set(resource, now);
    this.configure(config, now);
  }

  /** Puts new marks in force. A resource that is turned on begins as one of which nothing is known. */
  configure(config: ResourcesConfig, now: number): void {
    for (const resource of RESOURCES) {
      const marks = config[resource];
      const gauge = this.#gauges.get(resource);
      if (marks === null) this.#turnOff(resource, now);
      else if (gauge === undefined) this.#gauges.set(resource, new Gauge(marks, config.reopen_after, now));
      else gauge.configure(marks, config.reopen_after);
    }
  }

  /** A sample of the time since the last one of this resource, in its base unit. */
  sample(resource: Resource, value: number, now: number): void {
    this.#gauges.get(resource)?.sample(value, now);
  }

  /** The sampler of a resource failed: `cause` is shown to people. */
  fail(resource: Resource, cause: string, now: number): void {
    this.#gauges.get(resource)?.fail(cause, now);
  }

  /** null = that resource is off */
  gauge(resource: Resource): Gauge | null {
    return this.#gauges.get(resource) ?? null;
  }

  /** The hardest level of any resource. */
  level(now: number): PressureLevel {
    let level: PressureLevel = 'nominal';
    for (const gauge of this.#gauges.values()) level = harder(level, gauge.level(now));
    return level;
  }

  /**
   * The level for those who would take something from running streams, and
   * give it back. While a resource is only held critical, and back below its
   * `close` mark, what was done is enough, and doing more would be too much.
   * What is not known takes nothing from anybody.
   */
  urgency(now: number): PressureLevel {
    let felt: PressureLevel = 'nominal';
    for (const gauge of this.#gauges.values()) {
      if (gauge.isHot(now)) return 'critical';
      if (gauge.felt(now) !== 'nominal') felt = 'elevated';
    }
    return felt;
  }

  /** True while of some resource nothing is known. */
  isBlind(now: number): boolean {
    for (const gauge of this.#gauges.values()) if (gauge.fault(now) !== null) return true;
    return false;
  }

  /** ms until all that is known is nominal, if it is calm from now on. */
  calmInMs(now: number): number {
    let calmAtMs = now;
    for (const gauge of this.#gauges.values()) calmAtMs = Math.max(calmAtMs, gauge.calmAtMs);
    return calmAtMs - now;
  }

  /** The highest pressure of any resource, 0..1. */
  pressure(now: number): number {
    let strain = 0;
    for (const gauge of this.#gauges.values()) strain = Math.max(strain, gauge.strain(now));
    return Math.min(1, strain);
  }

  /**
   * For `Admission`: the denial while any resource is critical. It names the
   * one under the most strain; its delay is the longest of all that are, so
   * that a retry then passes if nothing else happened. Addresses on the `allow`
   * list are never limited.
   */
  readonly check: GateCheck = (now, exempt) => {
    if (exempt) return null;
    let worst: { resource: Resource; gauge: Gauge } | null = null;
    let untilMs = now;
    for (const [resource, gauge] of this.#gauges) {
      if (gauge.closedUntilMs <= now) continue;
      untilMs = Math.max(untilMs, gauge.closedUntilMs);
      if (worst === null || gauge.strain(now) > worst.gauge.strain(now)) worst = { resource, gauge };
    }
    return worst === null ? null : refusal(worst.resource, worst.gauge, untilMs, now);
  };

  snapshot(now: number): GateSnapshot {
    const resources = RESOURCES.map((resource) => this.#shown(resource, now));
    const denial = this.check(now, false);
    let changes = this.#changesBefore;
    for (const gauge of this.#gauges.values()) changes += gauge.changes;
    return {
      state: this.level(now),
      pressure: this.pressure(now),
      open: denial === null,
      reopensInMs: denial?.retryAfterMs ?? 0,
      changes,
      resources,
    };
  }

  #turnOff(resource: Resource, now: number): void {
    const gauge = this.#gauges.get(resource);
    if (gauge === undefined) return;
    this.#changesBefore += gauge.changes;
    this.#gauges.delete(resource);
    this.#offSince.set(resource, now);
  }

  #shown(resource: Resource, now: number): ResourceSnapshot {
    const gauge = this.#gauges.get(resource);
    if (gauge === undefined) {
      const since = this.#offSince.get(resource) ?? now;
      return { resource, ...OFF, since };
    }
    return {
      resource,
      value: gauge.value(now),
      degrade: gauge.marks.degrade,
      close: gauge.marks.close,
      state: gauge.level(now),
      pressure: Math.min(1, Math.max(0, gauge.strain(now))),
      since: gauge.since(now),
      cause: gauge.fault(now),
    };
  }
}

const OFF = { value: null, degrade: null, close: null, state: 'nominal', pressure: 0, cause: null } as const;

function refusal(resource: Resource, gauge: Gauge, untilMs: number, now: number): Denial {
  const reason = REASON_OF[resource];
  return {
    allowed: false,
    reason,
    scope: scopeOf(reason),
    key: resource,
    limit: gauge.marks.close,
    observed: gauge.value(now),
    windowMs: gauge.windowMs,
    retryAfterMs: delayUntil(untilMs, now),
  };
}
