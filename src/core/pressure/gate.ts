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
 * Samples come in from outside; levels also change by the clock, so every
 * question takes `now`.
 */

/** One resource as the API, `top` and the metrics show it. Values in base units. */
export interface ResourceSnapshot {
  readonly resource: Resource;
  /** the value that is judged; null while the sampler says nothing */
  readonly value: number | null;
  readonly degrade: number;
  readonly close: number;
  readonly state: PressureLevel;
  /** 0 at `degrade`, 1 at `close` */
  readonly pressure: number;
  /** when the state was entered, monotonic ms */
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
  readonly #gauges: Readonly<Record<Resource, Gauge>>;

  /** Throws RangeError for watermarks out of order: config is validated before. */
  constructor(config: ResourcesConfig, now: number) {
    const gaugeOf = (resource: Resource) => new Gauge(config[resource], config.reopen_after, now);
    this.#gauges = {
      cpu: gaugeOf('cpu'),
      heap: gaugeOf('heap'),
      memory: gaugeOf('memory'),
      event_loop: gaugeOf('event_loop'),
    };
  }

  configure(config: ResourcesConfig): void {
    for (const resource of RESOURCES) {
      this.#gauges[resource].configure(config[resource], config.reopen_after);
    }
  }

  /** A sample of the time since the last one of this resource, in its base unit. */
  sample(resource: Resource, value: number, now: number): void {
    this.#gauges[resource].sample(value, now);
  }

  /** The sampler of a resource failed: `cause` is shown to people. */
  fail(resource: Resource, cause: string, now: number): void {
    this.#gauges[resource].fail(cause, now);
  }

  gauge(resource: Resource): Gauge {
    return this.#gauges[resource];
  }

  /** The hardest level of any resource. */
  level(now: number): PressureLevel {
    return RESOURCES.reduce<PressureLevel>(
      (level, resource) => harder(level, this.#gauges[resource].level(now)),
      'nominal',
    );
  }

  /** The highest pressure of any resource, 0..1. */
  pressure(now: number): number {
    let strain = 0;
    for (const resource of RESOURCES) strain = Math.max(strain, this.#gauges[resource].strain(now));
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
    let worst: Resource | null = null;
    let untilMs = now;
    for (const resource of RESOURCES) {
      const gauge = this.#gauges[resource];
      if (gauge.closedUntilMs <= now) continue;
      untilMs = Math.max(untilMs, gauge.closedUntilMs);
      if (worst === null || gauge.strain(now) > this.#gauges[worst].strain(now)) worst = resource;
    }
    return worst === null ? null : this.#refusal(worst, untilMs, now);
  };

  snapshot(now: number): GateSnapshot {
    const resources = RESOURCES.map((resource) => this.#shown(resource, now));
    const denial = this.check(now, false);
    return {
      state: this.level(now),
      pressure: this.pressure(now),
      open: denial === null,
      reopensInMs: denial?.retryAfterMs ?? 0,
      changes: RESOURCES.reduce((changes, resource) => changes + this.#gauges[resource].changes, 0),
      resources,
    };
  }

  #shown(resource: Resource, now: number): ResourceSnapshot {
    const gauge = this.#gauges[resource];
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

  #refusal(resource: Resource, untilMs: number, now: number): Denial {
    const gauge = this.#gauges[resource];
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
}
