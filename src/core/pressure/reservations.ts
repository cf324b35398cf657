import { type Reason, scopeOf } from '../reasons.ts';
import type { Protocol } from '../stream.ts';
import type { Denial } from '../verdict.ts';
import { type ClassCost, COST_CLASSES, type CostModel } from './cost-model.ts';
import type { PressureGate } from './gate.ts';
import { type Reservation, ReservationLedger } from './reservation-ledger.ts';
import { REASON_OF, RESOURCES, type Resource } from './resources.ts';
import { type WatermarkConfig, type Watermarks, watermarksOf } from './watermarks.ts';

/**
 * May this stream be let in, given what those let in before it have yet to
 * cost?
 *
 * Held against a ceiling is not the load that is seen but the load to come:
 * seen + reserved + what the newcomer costs. That takes the delay out of the
 * loop from admission to load, which otherwise overshoots and oscillates.
 *
 * The ceiling rises with priority, in straight lines through `relax` for 0,
 * `degrade` for 50 and `reopen` for 100. So streams of common priority fill the
 * machine up to `degrade` and no further; under elevated pressure those above
 * it still come, the fewer the harder it is pressed; and what lies beyond
 * `reopen` belongs to those that are already running, whoever comes.
 *
 * While others are on their way a newcomer is counted at what its class will
 * hardly exceed. When nobody is, it is tried at what it costs at least: that
 * way a class which looks too dear is found out about.
 */

/** Priority of common streams; their ceiling is `degrade` itself. The scale ends at 100. */
const COMMON_PRIORITY = 50;

/** Told where room must come from load that falls, which no clock knows: a hint, ms. */
const LOAD_RETRY_HINT_MS = 5000;

/** Told at least, also when a reservation is about to end: a retry costs a connection, ms. */
const RETRY_MIN_MS = 1000;

export interface StreamRequest {
  readonly protocol: Protocol;
  /** what it sent before, or its limit, bits/s; null or Infinity = unknown */
  readonly expectedBps: number | null;
  /** 0..100 */
  readonly priority: number;
  /** on the `allow` list: never refused, still reserved for */
  readonly exempt: boolean;
}

export interface Capacity {
  /** what a memory fraction of 1 is, bytes; Infinity = not reserved against */
  readonly memoryBytes: number;
  /** marks of bandwidth, bits/s; null = not reserved against */
  readonly bandwidth: WatermarkConfig | null;
}

export interface ReservationSnapshot {
  /** streams that have not shown their load in full */
  readonly pending: number;
  readonly reserved: { readonly cpu: number; readonly memoryBytes: number; readonly bandwidthBps: number };
  /** what is known of each class that has live streams */
  readonly classes: readonly (ClassCost & { readonly streams: number })[];
}

export class Reservations {
  readonly #gate: PressureGate;
  readonly #model: CostModel;
  readonly #ledger: ReservationLedger;
  #memoryBytes = Number.POSITIVE_INFINITY;
  #bandwidth: Watermarks | null = null;
  #observedBps = 0;

  constructor(gate: PressureGate, model: CostModel, capacity: Capacity) {
    this.#gate = gate;
    this.#model = model;
    this.#ledger = new ReservationLedger(model);
    this.configure(capacity);
  }

  configure({ memoryBytes, bandwidth }: Capacity): void {
    this.#memoryBytes = memoryBytes;
    this.#bandwidth = bandwidth === null ? null : watermarksOf(bandwidth);
  }

  /** Bandwidth of all streams as it is seen now, bits/s. */
  sampleBandwidth(observedBps: number): void {
    this.#observedBps = observedBps;
  }

  /** Learns what streams cost from one sample of the machine's CPU, as it came from the sampler, unsmoothed. */
  learnCpu(fraction: number, now: number): void {
    this.#ledger.expire(now);
    if (fraction >= 0 && fraction < Number.POSITIVE_INFINITY) {
      this.#model.learnCpu(fraction, this.#ledger.activity(), this.#ledger.moving, now);
    }
  }

  /** Why the stream may not come now, or null when it may. Takes nothing. */
  peek(request: StreamRequest, now: number): Denial | null {
    if (request.exempt) return null;
    const closed = this.#gate.check(now, false);
    if (closed !== null) return closed;
    this.#ledger.expire(now);
    const index = this.#model.classOf(request.protocol, request.expectedBps);
    for (const resource of RESOURCES) {
      const denial = this.#resource(resource, index, request.priority, now);
      if (denial !== null) return denial;
    }
    return this.#bandwidthRefusal(index, request.priority, now);
  }

  /** Reserves for a stream that is let in. The lease belongs to the stream and is released with it. */
  reserve(request: StreamRequest, now: number): Reservation {
    return this.#ledger.open(this.#model.classOf(request.protocol, request.expectedBps), now);
  }

  snapshot(): ReservationSnapshot {
    const classes = [];
    for (let index = 0; index < COST_CLASSES; index++) {
      const streams = this.#ledger.live[index]!;
      if (streams > 0) classes.push({ ...this.#model.describe(index), streams });
    }
    return {
      pending: this.#ledger.pending,
      reserved: {
        cpu: this.#ledger.reservedCpu(),
        memoryBytes: this.#ledger.reservedBytes(),
        bandwidthBps: this.#ledger.reservedBps(),
      },
      classes,
    };
  }

  #resource(resource: Resource, index: number, priority: number, now: number): Denial | null {
    const gauge = this.#gate.gauge(resource);
    if (gauge === null) return null;
    const seen = gauge.value(now);
    // Of an unknown resource it is only known that it counts as elevated: whom that shuts out stays out.
    if (seen === null && priority < COMMON_PRIORITY) {
      return this.#refusal(REASON_OF[resource], resource, ceilingOf(gauge.marks, priority), null, 0, now);
    }
    const ceiling = ceilingOf(gauge.marks, priority);
    const [load, cost] = this.#claim(resource, index, seen);
    if (load + cost <= ceiling) return null;
    const slack = ceiling - (seen ?? 0) - cost;
    return this.#refusal(REASON_OF[resource], resource, ceiling, load + cost, slack, now);
  }

  /** The load to come of a resource without the newcomer, and what that one adds, in the resource's unit. */
  #claim(resource: Resource, index: number, seen: number | null): readonly [load: number, cost: number] {
    if (resource === 'cpu') {
      const reserved = this.#ledger.reservedCpu();
      // What all will cost by what is known of them: holds also when they take longer to come than is thought.
      const expected = this.#model.expectedCpu(this.#ledger.live);
      const cost = reserved > 0 ? this.#model.cpu(index) : this.#model.cpuAtLeast(index);
      return [seen === null ? expected : Math.max(seen + reserved, expected), cost];
    }
    if (resource === 'memory') {
      const whole = this.#memoryBytes;
      return [(seen ?? 0) + this.#ledger.reservedBytes() / whole, this.#model.memoryBytes(index) / whole];
    }
    return [seen ?? 0, 0];
  }

  #bandwidthRefusal(index: number, priority: number, now: number): Denial | null {
    if (this.#bandwidth === null) return null;
    const cost = this.#model.bandwidthBps(index);
    const load = this.#observedBps + this.#ledger.reservedBps() + cost;
    const ceiling = ceilingOf(this.#bandwidth, priority);
    if (load <= ceiling) return null;
    return this.#refusal(
      'global_bandwidth',
      'global',
      ceiling,
      load,
      ceiling - this.#observedBps - cost,
      now,
    );
  }

  /** `slack`: room there would be if nothing were reserved; above 0 the wait is for reservations to end. */
  #refusal(
    reason: Reason,
    key: string,
    limit: number,
    observed: number | null,
    slack: number,
    now: number,
  ): Denial {
    const retryAfterMs =
      slack > 0 ? Math.max(RETRY_MIN_MS, this.#ledger.oldestArrivesMs(now)) : LOAD_RETRY_HINT_MS;
    return {
      allowed: false,
      reason,
      scope: scopeOf(reason),
      key,
      limit,
      observed,
      windowMs: null,
      retryAfterMs,
    };
  }
}

/** How far a stream of this priority (0..100) may fill a resource. */
export function ceilingOf({ relax, degrade, reopen }: Watermarks, priority: number): number {
  const above = Math.min(1, Math.max(-1, (priority - COMMON_PRIORITY) / COMMON_PRIORITY));
  return degrade + above * (above < 0 ? degrade - relax : reopen - degrade);
}
