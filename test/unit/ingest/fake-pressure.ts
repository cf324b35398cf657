import { CostModel } from '../../../src/core/pressure/cost-model.ts';
import { type Reservation, ReservationLedger } from '../../../src/core/pressure/reservation-ledger.ts';
import type { Denial } from '../../../src/core/verdict.ts';
import type { Newcomer, PressureDesk } from '../../../src/ingest/ports.ts';

/** A machine that bears what the test says; its reservations are real. */
export class FakePressure implements PressureDesk {
  readonly ledger: ReservationLedger;
  readonly asked: Newcomer[] = [];
  closed: Denial | null = null;
  broken = false;
  answer: (newcomer: Newcomer) => Denial | null = () => null;
  readonly #model = new CostModel({ cores: 2 });

  constructor() {
    this.ledger = new ReservationLedger(this.#model);
  }

  readonly gate = (_now: number, exempt: boolean): Denial | null => (exempt ? null : this.closed);

  refusal(newcomer: Newcomer, now: number): Denial | null {
    this.asked.push(newcomer);
    return this.gate(now, newcomer.exempt) ?? this.answer(newcomer);
  }

  reserve({ protocol, expectedBps }: Newcomer, now: number): Reservation {
    if (this.broken) throw new Error('out of order');
    return this.ledger.open(this.#model.classOf(protocol, expectedBps), now);
  }

  /** Streams that hold a reservation. */
  get held(): number {
    return this.ledger.live.reduce((sum, streams) => sum + streams, 0);
  }
}
