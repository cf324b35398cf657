import type { GateCheck } from '../core/admission/questions.ts';
import { CostModel } from '../core/pressure/cost-model.ts';
import { PressureGate } from '../core/pressure/gate.ts';
import type { GovernorSnapshot } from '../core/pressure/governor-snapshot.ts';
import type { Reservation } from '../core/pressure/reservation-ledger.ts';
import { Reservations } from '../core/pressure/reservations.ts';
import type { Denial } from '../core/verdict.ts';
import type {
  BackpressureOrder,
  GovernedStream,
  GovernorPorts,
  GovernorSettings,
  Newcomer,
} from './governor-ports.ts';

export type {
  BackpressureOrder,
  GovernedStream,
  GovernorEvent,
  GovernorPorts,
  GovernorSettings,
  Newcomer,
} from './governor-ports.ts';

/** Looks after the machine. */
export class Governor<S extends GovernedStream = GovernedStream> {
  readonly #gate: PressureGate;
  readonly reservations: Reservations;
  readonly gate: GateCheck;

  constructor(settings: GovernorSettings, _ports: GovernorPorts<S>, now: number, _wall: () => number) {
    this.#gate = new PressureGate(settings.resources, now);
    this.gate = this.#gate.check;
    const model = new CostModel({ cores: settings.cores ?? 1 });
    this.reservations = new Reservations(this.#gate, model, {
      memoryBytes: Number.POSITIVE_INFINITY,
      bandwidth: null,
    });
  }

  configure(settings: GovernorSettings, now: number): void {
    this.#gate.configure(settings.resources, now);
  }

  /** What a source measured over the time since its last word. */
  sampled(_source: string, _figures: Readonly<Record<string, number>>, _now: number): void {}

  /** A source could not tell. */
  failed(_source: string, _cause: string, _now: number): void {}

  /** One round, every 250 ms. */
  step(_now: number): void {}

  /** How long a whole round of the control loop took. */
  took(_tookMs: number, _now: number): void {}

  /** Why a publisher may not come now, or null when it may. Takes nothing. */
  refusal(newcomer: Newcomer, now: number): Denial | null {
    return this.reservations.peek(newcomer, now);
  }

  /** Sets aside what a stream that is let in has yet to cost. Released with the stream. */
  reserve(newcomer: Newcomer, now: number): Reservation {
    return this.reservations.reserve(newcomer, now);
  }

  /** Puts an operator's order in force at once. */
  order(_order: BackpressureOrder, _now: number): void {}

  snapshot(_now: number): GovernorSnapshot {
    throw new Error('not yet');
  }
}
