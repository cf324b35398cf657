import { type Adjustment, shownFactor } from '../core/adaptive/adaptive-factor.ts';
import type { GateCheck } from '../core/admission/questions.ts';
import { CostModel } from '../core/pressure/cost-model.ts';
import type { GovernorSnapshot } from '../core/pressure/governor-snapshot.ts';
import type { Reservation } from '../core/pressure/reservation-ledger.ts';
import { Reservations } from '../core/pressure/reservations.ts';
import { type Reason, scopeOf } from '../core/reasons.ts';
import { orderDetail } from '../core/shedding/causes.ts';
import type { ShedStep } from '../core/shedding/shed-ladder.ts';
import type { Denial } from '../core/verdict.ts';
import { Adaptation } from './adaptation.ts';
import { FairShares, FILL } from './fair-shares.ts';
import type {
  BackpressureOrder,
  GovernedStream,
  GovernorPorts,
  GovernorSettings,
  Newcomer,
} from './governor-ports.ts';
import { snapshotOf } from './governor-view.ts';
import { Machine } from './machine.ts';
import { RoundTimes } from './round-times.ts';
import { Shedder } from './shedder.ts';
import { type Watched, WatchList } from './watched.ts';

export type {
  BackpressureOrder,
  GovernedStream,
  GovernorEvent,
  GovernorPorts,
  GovernorSettings,
  Newcomer,
} from './governor-ports.ts';

/** Streams cut in one round: each costs a farewell and a receipt, and the event loop is short of time already. */
const CUTS_PER_ROUND = 50;

/** Told where room must come from streams that leave, which no clock knows: a hint, ms. */
const ROOM_RETRY_HINT_MS = 5000;

/** The wall clock is set now and then; what differs by less is only reading it, ms. */
const WALL_JITTER_MS = 50;

/**
 * Looks after the machine: it learns from the samplers how it fares, keeps the
 * gate, and a few times a second decides what streams may send. Samples become
 * pressure; pressure moves the factor on the server's budgets; budgets are
 * shared out; and while the machine stays in trouble, streams are lowered and
 * cut from the lowest priority up. Knows no timer and no clock.
 */
export class Governor<S extends GovernedStream = GovernedStream> {
  readonly #machine: Machine;
  readonly reservations: Reservations;
  /** closed to everybody while a resource is critical */
  readonly gate: GateCheck;
  readonly #ports: GovernorPorts<S>;
  readonly #wall: () => number;
  readonly #adaptation: Adaptation;
  readonly #shares = new FairShares();
  readonly #shedder: Shedder;
  readonly #list = new WatchList<S>();
  readonly #times = new RoundTimes();
  #settings: GovernorSettings;
  #budgetBps = Number.NaN;
  #rateFactor = 1;
  #extras = true;
  /** streams let in since the last round, which has not seen them */
  #unseen = 0;
  /** unix ms at instant 0 */
  #wallAtZero: number;

  constructor(settings: GovernorSettings, ports: GovernorPorts<S>, now: number, wall: () => number) {
    this.#settings = settings;
    this.#ports = ports;
    this.#wall = wall;
    this.#wallAtZero = wall() - now;
    this.#machine = new Machine(settings.resources, (event, at) => ports.said(event, at), now);
    this.gate = this.#machine.gate.check;
    this.#adaptation = new Adaptation(settings.adaptive);
    this.#shedder = new Shedder(settings.backpressure);
    const model = new CostModel({ cores: settings.cores ?? 1 });
    // Bandwidth is reserved and shown, but held against nobody: it can be shared out, as CPU and memory cannot.
    const capacity = { memoryBytes: Number.POSITIVE_INFINITY, bandwidth: null };
    this.reservations = new Reservations(this.#machine.gate, model, capacity);
  }

  configure(settings: GovernorSettings, now: number): void {
    this.#settings = settings;
    this.#machine.gate.configure(settings.resources, now);
    this.#adaptation.configure(settings.adaptive);
    this.#shedder.configure(settings.backpressure);
    this.#machine.watch(now);
    this.#writeRates(now);
  }

  /** What a source measured over the time since its last word. */
  sampled(source: string, figures: Readonly<Record<string, number>>, now: number): void {
    this.#machine.sampled(source, figures, now);
    this.#adaptation.sampled(figures, now);
    const { cpu, memory_limit: memoryBytes } = figures;
    if (cpu !== undefined) this.reservations.learnCpu(cpu, now);
    if (memoryBytes !== undefined && memoryBytes > 0) {
      this.reservations.configure({ memoryBytes, bandwidth: null });
    }
  }

  /** A source could not tell. */
  failed(source: string, cause: string, now: number): void {
    this.#machine.failed(source, cause, now);
  }

  /** One round, every 250 ms. */
  step(now: number): void {
    const { backpressure } = this.#settings;
    this.#machine.watch(now);
    this.#tellRanOut(now);
    this.#setExtras(!this.#machine.isPressed(now));
    const change = this.#adaptation.step(this.#ports.signals(now), now);
    if (change !== null) this.#tellAdjustment(change, now);
    this.#writeRates(now);
    this.#list.refresh(this.#ports.streams());
    this.#unseen = 0;
    const watched = this.#list.all;
    for (const each of watched) each.look(backpressure.floor, FILL, now);
    this.#shares.step(watched, this.#budgetBps, backpressure.floor);
    const { gate } = this.#machine;
    const notch = this.#shedder.step(gate.urgency(now), !gate.isBlind(now), watched, now);
    if (notch !== null) this.#tellNotch(notch, now);
    for (const each of watched) each.hold(now);
    this.#cutShed(now);
  }

  /** False while floors, or streams that cannot be held, pass the server's budget though it is shared out. */
  get sharesFit(): boolean {
    return this.#shares.fits;
  }

  /** How long a whole round of the control loop took. */
  took(tookMs: number, now: number): void {
    this.#times.took(tookMs, now);
  }

  /** Why a publisher may not come now, or null when it may. Takes nothing. */
  refusal(newcomer: Newcomer, now: number): Denial | null {
    if (newcomer.exempt) return null;
    const waitMs = this.#shedder.waitMs(newcomer, this.#machine.gate.calmInMs(now), now);
    if (waitMs > 0) {
      const denied = denial('shed', newcomer.path, null, null, waitMs);
      const order = this.#shedder.orderAgainst(newcomer.priority, now);
      return order === null ? denied : { ...denied, cause: orderDetail(order, newcomer.priority) };
    }
    return this.reservations.peek(newcomer, now) ?? this.#crowdRefusal();
  }

  /** Sets aside what a stream that is let in has yet to cost. Released with the stream. */
  reserve(newcomer: Newcomer, now: number): Reservation {
    this.#unseen++;
    return this.reservations.reserve(newcomer, now);
  }

  /** Puts an operator's order in force at once. */
  order(order: BackpressureOrder, now: number): void {
    this.#tellRanOut(now);
    this.#shedder.order(order, now);
  }

  snapshot(now: number): GovernorSnapshot {
    const parts = {
      machine: this.#machine,
      reservations: this.reservations,
      adaptation: this.#adaptation,
      shedder: this.#shedder,
      watched: this.#list.all,
      times: this.#times,
      extras: this.#extras,
      budgetBps: Number.isNaN(this.#budgetBps) ? this.#settings.globalBps : this.#budgetBps,
    };
    const wallAtZero = this.#wall() - now;
    if (Math.abs(wallAtZero - this.#wallAtZero) > WALL_JITTER_MS) this.#wallAtZero = wallAtZero;
    return snapshotOf(parts, (at) => this.#wallAtZero + at, now);
  }

  /** Where even the least that every stream is left would not fit, one more would only starve them all. */
  #crowdRefusal(): Denial | null {
    const leastBps = (this.#list.all.length + this.#unseen + 1) * this.#settings.backpressure.floor;
    if (!(leastBps > this.#budgetBps)) return null;
    return denial('global_bandwidth', 'global', this.#budgetBps, leastBps, ROOM_RETRY_HINT_MS);
  }

  #writeRates(now: number): void {
    const { factor } = this.#adaptation;
    const budgetBps = this.#settings.globalBps * factor;
    if (budgetBps !== this.#budgetBps) {
      this.#budgetBps = budgetBps;
      this.#ports.setGlobalBps(budgetBps, now);
    }
    if (factor !== this.#rateFactor) {
      this.#rateFactor = factor;
      this.#ports.setConnectionRateFactor(factor, now);
    }
  }

  #setExtras(on: boolean): void {
    if (on === this.#extras) return;
    this.#extras = on;
    this.#ports.extras(on);
  }

  /** Ends those that are left nothing, the lowest first, so many at a time; the rest is there the next time. */
  #cutShed(now: number): void {
    if (!this.#shedder.cuts(now)) return;
    const going: Watched<S>[] = [];
    for (const each of this.#list.all) {
      if (!each.stream.exempt && this.#shedder.part(each, now) === 0) going.push(each);
    }
    going.sort((a, b) => a.priority - b.priority || a.cohort - b.cohort);
    const calmInMs = this.#machine.gate.calmInMs(now);
    for (const { stream, priority } of going.slice(0, CUTS_PER_ROUND)) {
      const waitMs = this.#shedder.waitMs(stream, calmInMs, now);
      const order = this.#shedder.orderAgainst(priority, now);
      const cause =
        order === null
          ? `the machine is overloaded, and streams of its priority go first (${priority})`
          : orderDetail(order, priority);
      this.#ports.cut(stream, cause, waitMs, now);
    }
  }

  /** Nobody gives the word for the end of an order that has one: it would be missing among the acts. */
  #tellRanOut(now: number): void {
    if (!this.#shedder.takeRanOut(now)) return;
    this.#ports.said({ kind: 'backpressure', detail: 'the order ended: automatic again', facts: {} }, now);
  }

  #tellAdjustment({ direction, from, to, signal, value, target }: Adjustment, now: number): void {
    const why =
      signal === null ? 'all signals are good' : `${signal} is ${figure(value)}, good is ${figure(target)}`;
    const detail = `limits of the server go ${direction} from ${percent(from)} to ${percent(to)}: ${why}`;
    const moved = { direction, from: shownFactor(from), to: shownFactor(to) };
    this.#ports.said({ kind: 'adaptive', detail, facts: { ...moved, signal, value, target } }, now);
  }

  #tellNotch({ direction, priority, cohort, ceiling }: ShedStep, now: number): void {
    const streams = this.#list.all.filter(
      (each) => each.priority === priority && each.cohort === cohort,
    ).length;
    const what =
      ceiling === 0
        ? 'are cut'
        : ceiling === 1
          ? 'may send all again'
          : `may send ${percent(ceiling)} of what they sent`;
    const detail = `streams of priority ${priority}, group ${cohort}, ${what} (${streams} live)`;
    const facts = { direction, priority, cohort, ceiling, streams, backoff_ms: this.#shedder.backoffMs };
    this.#ports.said({ kind: direction, detail, facts }, now);
  }
}

function denial(
  reason: Reason,
  key: string,
  limit: number | null,
  observed: number | null,
  retryAfterMs: number,
): Denial {
  const scope = scopeOf(reason);
  return { allowed: false, reason, scope, key, limit, observed, windowMs: null, retryAfterMs };
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

function figure(value: number | null): string {
  return value === null ? 'unknown' : String(Math.round(value * 100) / 100);
}
