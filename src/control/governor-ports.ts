import type { AdaptiveReadings, AdaptiveSignal } from '../core/adaptive/adaptive-factor.ts';
import type { Reservation } from '../core/pressure/reservation-ledger.ts';
import type { ResourcesConfig } from '../core/pressure/resources.ts';
import type { ShedSettings } from '../core/shedding/shed-ladder.ts';
import type { Ceiling, Protocol } from '../core/stream.ts';

/**
 * What the governor asks of the rest of the server: streams it may hold down,
 * two rates it may scale, a way to end a stream, and somebody who writes down
 * what it does. Nothing else writes these rates for the reasons it has.
 */

/** One live stream as the governor sees it. */
export interface GovernedStream {
  readonly path: string;
  readonly client: string;
  readonly tier: string | null;
  /** 0..100; higher suffers later */
  readonly priority: number;
  /** never limited, never cut; what it sends is still counted */
  readonly exempt: boolean;
  /** false where limits are only observed: it cannot be held down, only cut */
  readonly governed: boolean;
  /** of its beginning, monotonic ms */
  readonly startedAt: number;
  /** what was set aside for it when it was let in */
  readonly reservation: Reservation | null;
  /** its own limit, bits/s; Infinity = unlimited */
  limitBps(): number;
  /** what comes in now, admitted or not, bits/s */
  observedBps(): number;
  /** slowed or dropped just now because of a budget or a ceiling: it would send more */
  pressing(): boolean;
  /** of its client over all its streams, bits/s; Infinity = unlimited */
  clientBps(): number;
  /** media held for its players, bytes */
  keptBytes(): number;
  /** null = its own limit holds */
  setCeiling(ceiling: Ceiling | null, now: number): void;
}

/** `backpressure`: an order ended by itself. */
export type GovernorEventKind = 'gate' | 'adaptive' | 'shed' | 'recover' | 'sampler' | 'backpressure';

export interface GovernorEvent {
  readonly kind: GovernorEventKind;
  /** one sentence for people */
  readonly detail: string;
  /** the same for programs */
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface GovernorPorts<S extends GovernedStream = GovernedStream> {
  streams(): Iterable<S>;
  /** bits/s that all streams may send together; Infinity = unlimited */
  setGlobalBps(bps: number, now: number): void;
  /** the configured rate of new connections is multiplied by this, 0..1 */
  setConnectionRateFactor(factor: number, now: number): void;
  /** Ends a stream with reason `shed`. `retryAfterMs`: when it may come again at the earliest, if all goes well. */
  cut(stream: S, detail: string, retryAfterMs: number, now: number): void;
  /** the signals of the adaptive factor that are not samples of the machine */
  signals(now: number): AdaptiveReadings;
  said(event: GovernorEvent, now: number): void;
  /** false = stop what can be done without: recordings, statistics beyond the limits */
  extras(on: boolean): void;
}

/** The section `adaptive` of the config. */
export interface AdaptiveConfig {
  readonly enabled: boolean;
  /** targets; null = not looked at */
  readonly signals: Readonly<Record<AdaptiveSignal, number | null>>;
  readonly decrease: number;
  readonly increase: number;
  readonly min: number;
  readonly max: number;
  readonly interval: number;
  readonly hysteresis: number;
}

/** The section `backpressure` of the config, as far as it is the governor's. */
export interface BackpressureConfig extends ShedSettings {
  readonly enabled: boolean;
  /** what fair shares and shedding leave every stream, bits/s */
  readonly floor: number;
}

export interface GovernorSettings {
  readonly resources: ResourcesConfig;
  readonly adaptive: AdaptiveConfig;
  readonly backpressure: BackpressureConfig;
  /** `limits.global.max_bandwidth`, bits/s */
  readonly globalBps: number;
  /** processors this process may use: what streams cost is first guessed by them; 1 when left out */
  readonly cores?: number;
}

/** An operator's word on shedding. */
export interface BackpressureOrder {
  /** `auto`: none; `off`: nobody is shed; `shed`: beside whom the machine sheds, all below a priority */
  readonly mode: 'auto' | 'off' | 'shed';
  /** with `shed` */
  readonly belowPriority: number | null;
  /** ms it holds; null = until the next */
  readonly forMs: number | null;
  /** who ordered it, for those who suffer for it */
  readonly by?: string | null;
}

/** A publisher at the desk. */
export interface Newcomer {
  readonly path: string;
  readonly protocol: Protocol;
  readonly priority: number;
  readonly exempt: boolean;
  /** what it sent before, or its limit, bits/s; null = unknown */
  readonly expectedBps: number | null;
}
