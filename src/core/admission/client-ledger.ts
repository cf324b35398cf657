import { delayUntil } from '../limiter/instants.ts';
import { NEVER } from '../limiter/limiter.ts';
import type { EventRate } from '../limits.ts';

/**
 * What is known of each client: the streams it holds, and how far its publishes
 * have run ahead of time.
 *
 * Policies may give one client different publish rates for different streams.
 * What the rates share is time: at `100/min` a publish uses up 600 ms of its
 * client's time, at `1/min` 60 s, and a client may be ahead of time by the
 * period of the rate it asks under. That is GCRA with the cost in ms: one
 * theoretical arrival time per client, whatever the rates.
 *
 * An entry lives while it holds a stream or is ahead of time. Of those that
 * hold nothing at most `capacity` are kept; past it one of the oldest is
 * forgotten and counted. Each cost an admitted publish, so a flood has to be
 * admitted 65,536 times over within a period to forget one.
 */
export interface ClientUse {
  readonly client: string;
  streams: number;
  /** theoretical arrival time of the next publish, monotonic ms */
  tat: number;
}

/** Entries looked at for each new one: more than one, so that a ledger past its rush hour shrinks. */
const SWEPT_PER_ENTRY = 2;

/** Allowance for sums of thirds of a second, ms; far below anything a clock shows. */
const ROUNDING_MS = 0.001;

export class ClientLedger {
  readonly #capacity: number;
  readonly #clients = new Map<string, ClientUse>();
  /** A Map's iterator stays valid while entries come and go, so the sweep resumes where it stopped. */
  #sweep: Iterator<ClientUse> | null = null;
  #holding = 0;
  #forgotten = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Clients that are known only for being ahead of time. */
  get remembered(): number {
    return this.#clients.size - this.#holding;
  }

  /** Entries given up for want of room. */
  get forgotten(): number {
    return this.#forgotten;
  }

  find(client: string): ClientUse | undefined {
    return this.#clients.get(client);
  }

  /** Clients that hold a stream. */
  *holding(): Generator<Readonly<ClientUse>> {
    for (const use of this.#clients.values()) if (use.streams > 0) yield use;
  }

  /** Every client that is known, those that are only ahead of time included. */
  all(): Iterable<Readonly<ClientUse>> {
    return this.#clients.values();
  }

  /** Counts a stream, and charges `rate` for it unless that is null. `known` is what `find` says of the client now. */
  add(known: ClientUse | undefined, client: string, rate: EventRate | null, now: number): ClientUse {
    const use = known ?? this.#enter(client, now);
    if (use.streams === 0) this.#holding++;
    use.streams++;
    if (rate !== null) use.tat = Math.max(use.tat, now) + intervalMs(rate);
    return use;
  }

  /** Gives a stream back. The entry goes with a later sweep. */
  remove(use: ClientUse): void {
    use.streams--;
    if (use.streams === 0) this.#holding--;
  }

  /** Drops entries that say nothing any more, looking at no more than `maxSteps`; later calls go on from there. */
  evictIdle(now: number, maxSteps: number): void {
    for (let step = 0; step < maxSteps && this.remembered > 0; step++) {
      const use = this.#next();
      if (use !== null && use.streams === 0 && use.tat <= now) this.#clients.delete(use.client);
    }
  }

  #enter(client: string, now: number): ClientUse {
    this.evictIdle(now, SWEPT_PER_ENTRY);
    if (this.remembered >= this.#capacity) this.#forgetOne();
    const use = { client, streams: 0, tat: 0 };
    this.#clients.set(client, use);
    return use;
  }

  /** Forgets the first that the sweep comes to; there is one. */
  #forgetOne(): void {
    for (;;) {
      const use = this.#next();
      if (use === null || use.streams > 0) continue;
      this.#clients.delete(use.client);
      this.#forgotten++;
      return;
    }
  }

  /** The next entry of the sweep, null at the end of a round. */
  #next(): ClientUse | null {
    this.#sweep ??= this.#clients.values();
    const next = this.#sweep.next();
    if (next.done !== true) return next.value;
    this.#sweep = null;
    return null;
  }
}

/** 0: a publish under `rate` passes now; otherwise ms until it does, or NEVER. */
export function publishWaitMs(use: ClientUse | undefined, rate: EventRate, now: number): number {
  if (rate.count <= 0) return NEVER;
  if (use === undefined) return 0;
  const aheadMs = Math.max(0, rate.periodMs - intervalMs(rate)) + ROUNDING_MS;
  const conformsAt = use.tat - aheadMs;
  return conformsAt <= now ? 0 : delayUntil(conformsAt, now);
}

/** How much of `rate` is used up now, 0 to 1: by how far its client is ahead of time. */
export function publishRateUsed(use: ClientUse | undefined, rate: EventRate, now: number): number {
  if (use === undefined || !Number.isFinite(rate.count)) return 0;
  return Math.min(1, Math.max(0, use.tat - now) / rate.periodMs);
}

/** What one publish uses up of its client's time, ms; 0 = unlimited. */
function intervalMs(rate: EventRate): number {
  return rate.periodMs / rate.count;
}
