import {
  type GovernedStream,
  Governor,
  type GovernorEvent,
  type GovernorSettings,
} from '../../src/control/governor.ts';
import type { Reservation } from '../../src/core/pressure/reservation-ledger.ts';
import type { Ceiling, Protocol } from '../../src/core/stream.ts';
import type { Denial } from '../../src/core/verdict.ts';
import { Draws } from '../support/draws.ts';
import { GOVERNOR_SETTINGS } from '../support/governor-settings.ts';

/**
 * A node with its governor on a virtual clock. Publishers send what they would
 * like to as far as they are let: over TCP they fill what they are given at
 * once and climb by steps, as an encoder does that adapts. What they send costs
 * CPU, other processes take theirs, and samples come every half second through
 * noise. Publishers that are refused or cut come again when they were told to.
 */

const TICK_MS = 50;
const SAMPLE_MS = 500;
const ROUND_MS = 250;
const WARM_UP_MS = 2000;
/** What is seen of a stream is its mean over so many ticks. */
const SEEN_TICKS = 40;
/** An encoder that is given more takes this part of what it wants each second. */
const CLIMB_PER_S = 0.5;
/** Until a stream costs what it costs, evenly. */
const RAMP_MS = 5000;

export interface Wish {
  readonly path: string;
  readonly client?: string;
  readonly tier?: string | null;
  readonly priority?: number;
  readonly protocol?: Protocol;
  readonly exempt?: boolean;
  readonly governed?: boolean;
  readonly limitBps?: number;
  readonly clientBps?: number;
  /** what it would send if nobody held it */
  readonly bps: number;
  /** comes again when it is told to */
  readonly persistent?: boolean;
}

export interface NodeOptions {
  readonly seed: number;
  readonly settings?: Partial<GovernorSettings>;
  /** CPU of one Mbit/s, fraction of the machine */
  readonly cpuPerMbps?: number;
  /** standard deviation of the CPU sampler */
  readonly noise?: number;
}

export class SimStream implements GovernedStream {
  readonly wish: Wish;
  readonly path: string;
  readonly client: string;
  readonly tier: string | null;
  readonly priority: number;
  readonly exempt: boolean;
  readonly governed: boolean;
  readonly startedAt: number;
  readonly reservation: Reservation | null;
  ceiling: Ceiling | null = null;
  /** sent in this tick, bits/s */
  bps = 0;
  bits = 0;
  /** ticks in which it was held below what it would send */
  held = 0;
  readonly #seen: number[] = [];
  #seenSum = 0;

  constructor(wish: Wish, reservation: Reservation | null, now: number) {
    this.wish = wish;
    this.path = wish.path;
    this.client = wish.client ?? wish.path;
    this.tier = wish.tier ?? null;
    this.priority = wish.priority ?? 50;
    this.exempt = wish.exempt ?? false;
    this.governed = wish.governed ?? true;
    this.reservation = reservation;
    this.startedAt = now;
  }

  limitBps(): number {
    return this.wish.limitBps ?? 6e6;
  }

  clientBps(): number {
    return this.wish.clientBps ?? Number.POSITIVE_INFINITY;
  }

  observedBps(): number {
    return this.#seenSum / SEEN_TICKS;
  }

  keptBytes(): number {
    return this.bps / 2;
  }

  pressing(): boolean {
    return this.ceiling !== null && this.bps < this.wish.bps * 0.99;
  }

  setCeiling(ceiling: Ceiling | null): void {
    this.ceiling = ceiling;
  }

  /** What it would send in the next tick under its own limits. */
  offer(): number {
    const wanted = this.wish.bps;
    const free = this.exempt || !this.governed;
    const lid = free ? wanted : Math.min(wanted, this.limitBps(), this.ceiling?.bps ?? wanted);
    const climbed = this.bps + (wanted * CLIMB_PER_S * TICK_MS) / 1000;
    return Math.min(lid, Math.max(climbed, wanted * 0.25));
  }

  send(bps: number): void {
    this.bps = bps;
    this.bits += (bps * TICK_MS) / 1000;
    if (bps < this.wish.bps * 0.99 && this.bits > this.wish.bps * 3) this.held++;
    this.#seen.push(bps);
    this.#seenSum += bps;
    if (this.#seen.length > SEEN_TICKS) this.#seenSum -= this.#seen.shift()!;
  }
}

export class GovernedNode {
  readonly governor: Governor<SimStream>;
  readonly draws: Draws;
  readonly events: (GovernorEvent & { at: number })[] = [];
  readonly cuts: { path: string; priority: number; at: number; retryAfterMs: number }[] = [];
  readonly refusals: { path: string; at: number; denial: Denial }[] = [];
  now = 0;
  streams: SimStream[] = [];
  /** CPU that other processes take, fraction of the machine; more than there is starves everybody */
  burner = 0;
  heap = 0.3;
  readonly #options: Required<Omit<NodeOptions, 'settings'>>;
  readonly #queue: { at: number; wish: Wish }[] = [];
  #budgetBps = Number.POSITIVE_INFINITY;
  rateFactor = 1;
  extras = true;
  #seen = { sum: 0, ticks: 0 };

  constructor({ settings, ...options }: NodeOptions) {
    this.#options = { cpuPerMbps: 0.001, noise: 0.01, ...options };
    this.draws = new Draws(options.seed);
    this.governor = new Governor<SimStream>(
      { ...GOVERNOR_SETTINGS, ...settings },
      {
        streams: () => this.streams,
        setGlobalBps: (bps) => {
          this.#budgetBps = bps;
        },
        setConnectionRateFactor: (factor) => {
          this.rateFactor = factor;
        },
        cut: (stream, _detail, retryAfterMs, now) => this.#cut(stream, retryAfterMs, now),
        signals: () => ({ error_rate: 0, decision_latency: 0.1 }),
        said: (event, at) => this.events.push({ ...event, at }),
        extras: (on) => {
          this.extras = on;
        },
      },
      0,
      () => 1e12 + this.now,
    );
    // Before the samplers have spoken twice nothing is known, and low priorities wait.
    this.run(WARM_UP_MS);
  }

  get budgetBps(): number {
    return this.#budgetBps;
  }

  /** True load now, fraction of the machine. */
  get load(): number {
    let mbps = 0;
    for (const { bps, startedAt } of this.streams) {
      mbps += (bps / 1e6) * Math.min(1, (this.now - startedAt) / RAMP_MS);
    }
    return this.burner + mbps * this.#options.cpuPerMbps;
  }

  /** bits/s of all streams now */
  get totalBps(): number {
    return this.streams.reduce((sum, { bps }) => sum + bps, 0);
  }

  stream(path: string): SimStream {
    const found = this.streams.find((stream) => stream.path === path);
    if (found === undefined) throw new RangeError(`${path} is not live`);
    return found;
  }

  isLive(path: string): boolean {
    return this.streams.some((stream) => stream.path === path);
  }

  /** A publisher comes at the door, after some time. */
  come(wish: Wish, afterMs = 0): void {
    this.#queue.push({ at: this.now + afterMs, wish });
  }

  leave(path: string): void {
    const stream = this.stream(path);
    stream.reservation?.release();
    this.streams = this.streams.filter((each) => each !== stream);
  }

  /** Lives through some time; `watch` looks on after every tick. */
  run(forMs: number, watch?: () => void): void {
    for (const end = this.now + forMs; this.now < end; ) {
      this.now += TICK_MS;
      this.#send();
      this.#seen.sum += Math.min(1, this.load);
      this.#seen.ticks++;
      if (this.now % SAMPLE_MS === 0) this.#sample();
      if (this.now % ROUND_MS === 0) this.governor.step(this.now);
      this.#arrive();
      watch?.();
    }
  }

  /**
   * Who is over the budget is slowed with all others, in proportion. While
   * shares are held to, what it is owed is forgiven, and they alone keep the sum.
   */
  #send(): void {
    const offers = this.streams.map((stream) => stream.offer());
    const total = offers.reduce((sum, bps) => sum + bps, 0);
    const shared = this.streams.some(({ ceiling }) => ceiling?.by === 'global');
    const part = shared ? 1 : Math.min(1, this.#budgetBps / Math.max(1, total));
    for (const [i, stream] of this.streams.entries()) {
      stream.send(offers[i]! * (stream.exempt ? 1 : part));
    }
  }

  #sample(): void {
    const noise = this.#options.noise * this.normal();
    const cpu = Math.min(1, Math.max(0, this.#seen.sum / this.#seen.ticks + noise));
    this.#seen = { sum: 0, ticks: 0 };
    this.governor.sampled('cpu', { cpu }, this.now);
    this.governor.sampled('memory', { heap: this.heap, memory: 0.3, memory_limit: 8 * 2 ** 30 }, this.now);
    this.governor.sampled('event_loop', { event_loop: 5 }, this.now);
  }

  #arrive(): void {
    const due = this.#queue.filter(({ at }) => at <= this.now);
    if (due.length === 0) return;
    const later = this.#queue.filter(({ at }) => at > this.now);
    this.#queue.splice(0, this.#queue.length, ...later);
    for (const { wish } of due) this.#ask(wish);
  }

  #ask(wish: Wish): void {
    const newcomer = {
      path: wish.path,
      protocol: wish.protocol ?? 'rtmp',
      priority: wish.priority ?? 50,
      exempt: wish.exempt ?? false,
      expectedBps: wish.limitBps ?? 6e6,
    } as const;
    const denial = this.governor.gate(this.now, newcomer.exempt) ?? this.governor.refusal(newcomer, this.now);
    if (denial !== null) {
      this.refusals.push({ path: wish.path, at: this.now, denial });
      if (wish.persistent === true) this.come(wish, denial.retryAfterMs);
      return;
    }
    this.streams.push(new SimStream(wish, this.governor.reserve(newcomer, this.now), this.now));
  }

  #cut(stream: SimStream, retryAfterMs: number, at: number): void {
    this.cuts.push({ path: stream.path, priority: stream.priority, at, retryAfterMs });
    this.leave(stream.path);
    if (stream.wish.persistent === true) this.come(stream.wish, retryAfterMs);
  }

  /** Standard normal (Box and Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.draws.unit())) * Math.cos(2 * Math.PI * this.draws.unit());
  }
}
