import type { Lease } from '../verdict.ts';
import { COST_CLASSES, type CostModel } from './cost-model.ts';

/**
 * What admitted streams have not yet shown of their expected cost.
 *
 * A stream's cost arrives seconds after its admission, so for as long as it has
 * not arrived it is held against the budget. Each stream has, for each of CPU,
 * memory and bandwidth, a share that has arrived: from 0 at its admission to 1.
 * Kept are the sums of these shares by class; what is reserved is what is
 * missing in them, at the price the class has *now*. So when the first streams
 * of a storm turn out three times as dear as thought, those that are on their
 * way are dearer at once.
 *
 * Shares are counted in whole units: sums of whole numbers come back to zero.
 */

/** Units of a whole share. */
const WHOLE = 1024;

/** A stream that uses this part of what is typical of its class has arrived: half of all use less than the mean. */
const ARRIVED_AT = 0.8;

/**
 * The CPU time of a stream follows its bytes by up to this much (players come, buffers fill, codecs are probed), ms.
 * Five seconds are usual; rather late than early, since early means letting in more than can be borne.
 */
const RAMP_MS = 6000;

/** What arrived is seen in two samples of 250 ms, the last of which may just have begun, ms. */
const SEEN_AFTER_MS = 750;

/** A reservation ends here whatever was seen: a stream that is still quiet is a quiet one, ms. */
const HELD_MAX_MS = 15_000;

/**
 * So much later it ends although nobody looked at the stream, ms: four rounds
 * in which a look may come, from which the class learns what the quiet ones cost.
 */
const LOOKED_AT_WITHIN_MS = 1_000;

/** What of one kind of cost has arrived, by class, in units. */
type Arrived = Float64Array;

export class ReservationLedger {
  readonly #model: CostModel;
  /** live streams of each class */
  readonly live = new Float64Array(COST_CLASSES);
  readonly cpu: Arrived = new Float64Array(COST_CLASSES);
  readonly memory: Arrived = new Float64Array(COST_CLASSES);
  readonly bandwidth: Arrived = new Float64Array(COST_CLASSES);
  /** streams of each class whose CPU has not arrived in full */
  readonly moving = new Float64Array(COST_CLASSES);
  /** scratch of `activity` */
  readonly #activity = new Float64Array(COST_CLASSES);
  /** those that have not arrived in full, oldest first */
  readonly #pending = new Set<Reservation>();

  constructor(model: CostModel) {
    this.#model = model;
  }

  get model(): CostModel {
    return this.#model;
  }

  /** Streams that have not arrived in full. */
  get pending(): number {
    return this.#pending.size;
  }

  /** CPU reserved, fraction of the machine. */
  reservedCpu(): number {
    let sum = 0;
    for (let i = 0; i < COST_CLASSES; i++) {
      if (this.live[i]! > 0) sum += this.#missing(this.cpu, i) * this.#model.cpu(i);
    }
    return sum;
  }

  /** Memory reserved, bytes. */
  reservedBytes(): number {
    let sum = 0;
    for (let i = 0; i < COST_CLASSES; i++) {
      if (this.live[i]! > 0) sum += this.#missing(this.memory, i) * this.#model.memoryBytes(i);
    }
    return sum;
  }

  /** Bandwidth reserved, bits/s. */
  reservedBps(): number {
    let sum = 0;
    for (let i = 0; i < COST_CLASSES; i++) {
      if (this.live[i]! > 0) sum += this.#missing(this.bandwidth, i) * this.#model.bandwidthBps(i);
    }
    return sum;
  }

  /** How many streams' worth of each class show in the CPU. The array is overwritten by the next call. */
  activity(): Float64Array {
    for (let i = 0; i < COST_CLASSES; i++) this.#activity[i] = this.cpu[i]! / WHOLE;
    return this.#activity;
  }

  open(index: number, now: number): Reservation {
    const reservation = new Reservation(this, index, now);
    this.live[index]! += 1;
    this.moving[index]! += 1;
    this.#pending.add(reservation);
    return reservation;
  }

  /** ms until the oldest that has not arrived will have had the time to; 0 when there is none. */
  oldestArrivesMs(now: number): number {
    for (const { since } of this.#pending) return Math.max(0, since + SEEN_AFTER_MS + RAMP_MS - now);
    return 0;
  }

  /** Ends reservations that are past their time, also of streams that nobody looks after. */
  expire(now: number): void {
    for (const reservation of this.#pending) {
      if (now - reservation.since < HELD_MAX_MS + LOOKED_AT_WITHIN_MS) return;
      reservation.arriveWhole();
    }
  }

  /** For `Reservation`: it has arrived in full. */
  settled(reservation: Reservation): void {
    this.#pending.delete(reservation);
  }

  /** For `Reservation`: its stream is gone, and what had arrived with it. */
  closed(reservation: Reservation): void {
    this.#pending.delete(reservation);
    this.live[reservation.index]! -= 1;
  }

  /** Streams' worth of a class that have not arrived. */
  #missing(arrived: Arrived, index: number): number {
    return this.live[index]! - arrived[index]! / WHOLE;
  }
}

/** What one admitted stream holds until its load shows. Released when the stream ends. */
export class Reservation implements Lease {
  readonly index: number;
  /** of its admission, monotonic ms */
  readonly since: number;
  readonly #ledger: ReservationLedger;
  #cpu = 0;
  #memory = 0;
  #bandwidth = 0;
  #held = true;

  constructor(ledger: ReservationLedger, index: number, now: number) {
    this.#ledger = ledger;
    this.index = index;
    this.since = now;
  }

  /** False once released. */
  get held(): boolean {
    return this.#held;
  }

  /** True once nothing more is to be learned of it: its load has arrived, or it is released. */
  get settled(): boolean {
    return !this.#held || this.#whole();
  }

  /** Bandwidth that is set aside for a stream of its class, bits/s. */
  get expectedBps(): number {
    return this.#ledger.model.bandwidthBps(this.index);
  }

  /** The share of its CPU that is still reserved, 0..1. */
  get outstanding(): number {
    return this.#held ? 1 - this.#cpu / WHOLE : 0;
  }

  /**
   * Takes in what the stream is seen to use now. The reservation shrinks by
   * what has arrived and never grows again; CPU, which cannot be seen of one
   * stream, arrives with its bytes and no sooner than it can have been seen.
   */
  observe(ownBps: number, ownBytes: number, now: number): void {
    if (!this.#held || this.#whole()) return;
    const { model } = this.#ledger;
    const ageMs = now - this.since;
    if (ageMs >= HELD_MAX_MS) {
      this.arriveWhole();
    } else {
      const sent = ownBps / (ARRIVED_AT * model.typicalBps(this.index));
      const kept = ownBytes / (ARRIVED_AT * model.typicalMemoryBytes(this.index));
      this.#arrive(Math.min(sent, (ageMs - SEEN_AFTER_MS) / RAMP_MS), kept, sent);
    }
    if (this.#whole()) {
      model.learnOwn(this.index, ownBps, ownBytes);
      this.#ledger.settled(this);
    }
  }

  /** Everything counts as arrived. For the ledger. */
  arriveWhole(): void {
    this.#arrive(1, 1, 1);
    this.#ledger.settled(this);
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    const ledger = this.#ledger;
    ledger.cpu[this.index]! -= this.#cpu;
    if (this.#cpu < WHOLE) ledger.moving[this.index]! -= 1;
    ledger.memory[this.index]! -= this.#memory;
    ledger.bandwidth[this.index]! -= this.#bandwidth;
    ledger.closed(this);
  }

  #whole(): boolean {
    return this.#cpu === WHOLE && this.#memory === WHOLE && this.#bandwidth === WHOLE;
  }

  #arrive(cpu: number, memory: number, bandwidth: number): void {
    const ledger = this.#ledger;
    const cpuUnits = Math.max(this.#cpu, unitsOf(cpu));
    const memoryUnits = Math.max(this.#memory, unitsOf(memory));
    const bandwidthUnits = Math.max(this.#bandwidth, unitsOf(bandwidth));
    ledger.cpu[this.index]! += cpuUnits - this.#cpu;
    if (cpuUnits === WHOLE && this.#cpu < WHOLE) ledger.moving[this.index]! -= 1;
    ledger.memory[this.index]! += memoryUnits - this.#memory;
    ledger.bandwidth[this.index]! += bandwidthUnits - this.#bandwidth;
    this.#cpu = cpuUnits;
    this.#memory = memoryUnits;
    this.#bandwidth = bandwidthUnits;
  }
}

function unitsOf(share: number): number {
  return Math.floor(WHOLE * Math.min(1, Math.max(0, share)));
}
