import type { PressureLevel } from '../core/pressure/levels.ts';
import type { OrderToShed } from '../core/shedding/causes.ts';
import {
  COHORTS,
  type Cohort,
  type CohortCount,
  cohortOf,
  ShedLadder,
  type ShedStep,
} from '../core/shedding/shed-ladder.ts';
import type { BackpressureConfig, BackpressureOrder } from './governor-ports.ts';
import type { Watched } from './watched.ts';

/**
 * Who is lowered, cut and kept out while the machine stays in trouble: what
 * the ladder of cohorts says, and an operator's order before and beside it.
 */

/** Told where only an operator's next order ends the wait, ms: it is a hint. */
const ORDER_RETRY_HINT_MS = 60_000;

/** The ladder moves with the rounds, which come every 250 ms and may be late: so much later a promise is kept for certain, ms. */
const ROUND_SLACK_MS = 500;

/** An order in force. */
export interface StandingOrder {
  readonly mode: 'off' | 'shed';
  readonly belowPriority: number | null;
  /** monotonic ms; Infinity = until the next */
  readonly untilMs: number;
  readonly by: string | null;
}

export class Shedder {
  #settings: BackpressureConfig;
  #ladder: ShedLadder;
  #order: StandingOrder | null = null;
  /** an order ran out, and nobody was told yet */
  #ranOut = false;
  /** true while some stream has a base to be lowered from */
  #touched = false;

  constructor(settings: BackpressureConfig) {
    this.#settings = settings;
    this.#ladder = new ShedLadder(settings);
  }

  configure(settings: BackpressureConfig): void {
    this.#settings = settings;
    this.#ladder.configure(settings);
  }

  order({ mode, belowPriority, forMs, by = null }: BackpressureOrder, now: number): void {
    const untilMs = forMs === null ? Number.POSITIVE_INFINITY : now + forMs;
    this.#order = mode === 'auto' ? null : { mode, belowPriority, untilMs, by };
    if (!this.#automatic) this.#ladder = new ShedLadder(this.#settings);
  }

  /** The order in force, null = none. */
  standing(now: number): StandingOrder | null {
    if (this.#order !== null && now >= this.#order.untilMs) {
      this.#order = null;
      this.#ranOut = true;
    }
    return this.#order;
  }

  /** True once after an order has run out. */
  takeRanOut(now: number): boolean {
    this.standing(now);
    const ranOut = this.#ranOut;
    this.#ranOut = false;
    return ranOut;
  }

  get enabled(): boolean {
    return this.#settings.enabled;
  }

  /** The cohorts that are lowered or cut, lowest first. */
  rungs(): ReturnType<ShedLadder['rungs']> {
    return this.#ladder.rungs();
  }

  get backoffMs(): number {
    return this.#ladder.backoffMs;
  }

  /** One round: takes a notch if it is time, and tells every stream what is left to it. `sure`: the level is of all resources. */
  step(level: PressureLevel, sure: boolean, watched: readonly Watched[], now: number): ShedStep | null {
    this.standing(now);
    let notch: ShedStep | null = null;
    if (this.#automatic) {
      const wanted = level === 'critical' || this.#ladder.active;
      notch = this.#ladder.step(level, wanted ? censusOf(watched) : [], now, sure);
    } else if (this.#ladder.active) {
      this.#ladder = new ShedLadder(this.#settings);
    }
    if (this.#ladder.active || this.#touched) this.#lower(watched);
    return notch;
  }

  /** What a stream or publisher may send as a part of what it sent: 0 = it is to go, or to stay out. */
  part(subject: Cohort, now: number): number {
    return this.isOrdered(subject.priority, now) ? 0 : this.#ladder.ceilingOf(subject);
  }

  /** Whether anybody is to be cut at all. */
  cuts(now: number): boolean {
    return this.standing(now)?.mode === 'shed' || this.#ladder.rungs().some(({ ceiling }) => ceiling === 0);
  }

  /** Whether an order of an operator keeps this priority out. */
  isOrdered(priority: number, now: number): boolean {
    return this.orderAgainst(priority, now) !== null;
  }

  /** The order that keeps this priority out, null = none does. */
  orderAgainst(priority: number, now: number): OrderToShed | null {
    const order = this.standing(now);
    if (order?.mode !== 'shed') return null;
    const belowPriority = order.belowPriority ?? 0;
    return priority < belowPriority ? { by: order.by, belowPriority } : null;
  }

  /**
   * ms until a publisher that is kept out may come, 0 = now. `calmInMs`: until
   * the machine is at ease if it gets no worse from now on.
   */
  waitMs({ path, priority }: { path: string; priority: number }, calmInMs: number, now: number): number {
    let waitMs = 0;
    if (this.isOrdered(priority, now)) {
      const leftMs = (this.#order?.untilMs ?? now) - now;
      waitMs = Number.isFinite(leftMs) ? leftMs : ORDER_RETRY_HINT_MS;
    }
    const subject = { priority, cohort: cohortOf(path) };
    if (this.#ladder.ceilingOf(subject) > 0) return waitMs;
    return Math.max(waitMs, calmInMs + this.#ladder.waitMs(subject, now) + ROUND_SLACK_MS);
  }

  get #automatic(): boolean {
    return this.#settings.enabled && this.#order?.mode !== 'off';
  }

  /** A part of what each sent when its cohort was first touched. One that just came has sent nothing to go by. */
  #lower(watched: readonly Watched[]): void {
    this.#touched = false;
    for (const each of watched) {
      const part = each.stream.exempt ? 1 : this.#ladder.ceilingOf(each);
      each.shedBps = null;
      if (part === 1) each.shedBaseBps = Number.NaN;
      else if (Number.isNaN(each.shedBaseBps) && !each.newcomer) each.shedBaseBps = each.observedBps;
      if (Number.isNaN(each.shedBaseBps)) continue;
      this.#touched = true;
      each.shedBps = Math.max(this.#settings.floor, part * each.shedBaseBps);
    }
  }
}

/** How many streams each cohort has that may be shed, in order. */
function censusOf(watched: readonly Watched[]): CohortCount[] {
  const streams = new Map<number, number>();
  for (const { priority, cohort, stream } of watched) {
    if (stream.exempt) continue;
    const key = priority * COHORTS + cohort;
    streams.set(key, (streams.get(key) ?? 0) + 1);
  }
  return [...streams]
    .sort(([a], [b]) => a - b)
    .map(([key, count]) => {
      const priority = Math.floor(key / COHORTS);
      return { priority, cohort: key - priority * COHORTS, streams: count };
    });
}
