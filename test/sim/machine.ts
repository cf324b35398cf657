import { CostModel } from '../../src/core/pressure/cost-model.ts';
import { PressureGate } from '../../src/core/pressure/gate.ts';
import type { Reservation } from '../../src/core/pressure/reservation-ledger.ts';
import { Reservations } from '../../src/core/pressure/reservations.ts';
import { RESOURCES, type ResourcesConfig } from '../../src/core/pressure/resources.ts';
import { Draws } from '../support/draws.ts';

/**
 * A machine on a virtual clock, with publishers that want in: what each costs
 * arrives over seconds after its admission, other processes come and go, and
 * the sampler sees the mean of the time since its last sample, through noise.
 */

export const RESOURCES_CONFIG = {
  cpu: { degrade: 0.8, close: 0.9, window: 5000 },
  heap: { degrade: 0.75, close: 0.85 },
  memory: { degrade: 0.8, close: 0.9 },
  event_loop: { degrade: 50, close: 200 },
  reopen_after: 5000,
} satisfies ResourcesConfig;

const STEP_MS = 50;
const SAMPLE_MS = 250;
/** What OBS does once it is reconnecting: 2 s, then half as long again each time. */
const FIRST_RETRY_MS = 2000;
const RETRY_GROWTH = 1.5;
const RETRIES_MAX = 25;

export interface MachineOptions {
  readonly seed: number;
  /** CPU of one stream, fraction of the machine; each is up to `costSpread` dearer or cheaper */
  readonly cost?: number;
  readonly costSpread?: number;
  /** what the server believes at first: this many times the true cost */
  readonly guess?: number;
  /** ms until a stream costs its whole cost, evenly */
  readonly rampMs?: number;
  /** ms until a stream sends its whole bitrate */
  readonly sendRampMs?: number;
  /** standard deviation of the sampler */
  readonly noise?: number;
  /** mean and standard deviation of other processes; the latter wander over seconds */
  readonly others?: number;
  readonly othersSpread?: number;
  /** mean life of a stream, ms */
  readonly lifeMs?: number;
  /** refused publishers come again, as OBS does */
  readonly retries?: boolean;
  readonly priority?: number;
  /** false: everybody is let in while the gate is open, as if nothing were reserved */
  readonly reserving?: boolean;
}

interface Stream {
  readonly reservation: Reservation;
  readonly cost: number;
  readonly bps: number;
  readonly since: number;
  readonly endsAt: number;
}

interface Attempt {
  readonly afterMs: number;
  readonly tries: number;
  readonly priority: number;
}

/** What a stretch of time came to. */
export interface Stretch {
  /** highest and mean true load, fraction of the machine; above 1 is more than it has */
  readonly peak: number;
  readonly mean: number;
  readonly lowest: number;
  readonly admitted: number;
  readonly refused: number;
  readonly levelChanges: number;
}

export class Machine {
  readonly gate: PressureGate;
  readonly model: CostModel;
  readonly reservations: Reservations;
  readonly draws: Draws;
  now = 0;
  streams: Stream[] = [];
  /** another process that takes this much, fraction of the machine */
  burst = 0;
  readonly #options: Required<MachineOptions>;
  /** who comes in which step */
  readonly #queue = new Map<number, Attempt[]>();
  #wander = 0;
  #seen = { sum: 0, steps: 0 };
  #admitted = 0;
  #refused = 0;
  readonly admittedBy = new Map<number, number>();

  constructor(options: MachineOptions) {
    const complete: Required<MachineOptions> = {
      cost: 0.01,
      costSpread: 0.3,
      guess: 1,
      rampMs: 5000,
      sendRampMs: 1000,
      noise: 0.02,
      others: 0.03,
      othersSpread: 0.01,
      lifeMs: Number.POSITIVE_INFINITY,
      retries: true,
      priority: 50,
      reserving: true,
      ...options,
    };
    this.#options = complete;
    this.draws = new Draws(options.seed);
    this.gate = new PressureGate(RESOURCES_CONFIG, 0);
    this.model = new CostModel({ cores: 1, cpuGuess: () => complete.cost * complete.guess });
    this.reservations = new Reservations(this.gate, this.model, {
      memoryBytes: 8 * 2 ** 30,
      bandwidth: null,
    });
  }

  /** True load now, fraction of the machine. */
  get load(): number {
    const { rampMs } = this.#options;
    let load = Math.max(0, this.#options.others + this.#wander) + this.burst;
    for (const stream of this.streams) load += stream.cost * Math.min(1, (this.now - stream.since) / rampMs);
    return load;
  }

  /** So many publishers come, evenly spread over the time with a jitter. */
  storm(publishers: number, overMs: number, priority = this.#options.priority): void {
    for (let i = 0; i < publishers; i++) {
      this.#come({ afterMs: (overMs * (i + this.draws.unit())) / publishers, tries: 0, priority });
    }
  }

  /** Everybody leaves and nobody waits. */
  clear(): void {
    for (const { reservation } of this.streams) reservation.release();
    this.streams = [];
    this.#queue.clear();
  }

  run(forMs: number): Stretch {
    const end = this.now + forMs;
    const before = {
      changes: this.gate.snapshot(this.now).changes,
      admitted: this.#admitted,
      refused: this.#refused,
    };
    let peak = 0;
    let lowest = Number.POSITIVE_INFINITY;
    let sum = 0;
    let steps = 0;
    while (this.now < end) {
      this.#step();
      const { load } = this;
      peak = Math.max(peak, load);
      lowest = Math.min(lowest, load);
      sum += load;
      steps++;
    }
    return {
      peak,
      lowest,
      mean: sum / steps,
      admitted: this.#admitted - before.admitted,
      refused: this.#refused - before.refused,
      levelChanges: this.gate.snapshot(this.now).changes - before.changes,
    };
  }

  #step(): void {
    this.now += STEP_MS;
    this.#wanderOn();
    this.#leave();
    const { load } = this;
    this.#seen.sum += Math.min(1, load);
    this.#seen.steps++;
    if (this.now % SAMPLE_MS === 0) this.#sample();
    this.#arrive();
  }

  /** Other processes: noise that is forgotten over five seconds (Ornstein-Uhlenbeck). */
  #wanderOn(): void {
    const keep = Math.exp(-STEP_MS / 5000);
    this.#wander =
      keep * this.#wander + Math.sqrt(1 - keep ** 2) * this.#options.othersSpread * this.normal();
  }

  #leave(): void {
    const staying = this.streams.filter((stream) => {
      if (stream.endsAt > this.now) return true;
      stream.reservation.release();
      return false;
    });
    this.streams = staying;
  }

  #sample(): void {
    const mean = this.#seen.sum / this.#seen.steps;
    this.#seen = { sum: 0, steps: 0 };
    const cpu = Math.min(1, Math.max(0, mean + this.#options.noise * this.normal()));
    for (const resource of RESOURCES) {
      this.gate.sample(resource, resource === 'cpu' ? cpu : 0.1, this.now);
    }
    for (const { reservation, bps, since } of this.streams) {
      const ownBps = bps * Math.min(1, (this.now - since) / this.#options.sendRampMs);
      reservation.observe(ownBps, 2_000_000, this.now);
    }
    this.reservations.learnCpu(cpu, this.now);
  }

  #come(attempt: Attempt): void {
    const step = Math.ceil((this.now + attempt.afterMs) / STEP_MS);
    const others = this.#queue.get(step);
    if (others === undefined) this.#queue.set(step, [attempt]);
    else others.push(attempt);
  }

  #arrive(): void {
    const step = this.now / STEP_MS;
    for (const attempt of this.#queue.get(step) ?? []) this.#attempt(attempt);
    this.#queue.delete(step);
  }

  #attempt({ tries, priority }: Attempt): void {
    const { reserving, retries, cost, costSpread, lifeMs } = this.#options;
    const request = { protocol: 'rtmp', expectedBps: 3_000_000, priority, exempt: false } as const;
    const denial = reserving ? this.reservations.peek(request, this.now) : this.gate.check(this.now, false);
    if (denial !== null) {
      this.#refused++;
      if (!retries || tries >= RETRIES_MAX) return;
      const afterMs =
        STEP_MS + FIRST_RETRY_MS * RETRY_GROWTH ** Math.min(tries, 6) * this.draws.between(0.9, 1.1);
      this.#come({ afterMs, tries: tries + 1, priority });
      return;
    }
    this.#admitted++;
    this.admittedBy.set(priority, (this.admittedBy.get(priority) ?? 0) + 1);
    this.streams.push({
      reservation: this.reservations.reserve(request, this.now),
      cost: cost * this.draws.between(1 - costSpread, 1 + costSpread),
      bps: 3_000_000 * this.draws.between(0.7, 1.3),
      since: this.now,
      endsAt: Number.isFinite(lifeMs) ? this.now - lifeMs * Math.log(1 - this.draws.unit()) : lifeMs,
    });
  }

  /** Standard normal (Box and Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.draws.unit())) * Math.cos(2 * Math.PI * this.draws.unit());
  }
}
