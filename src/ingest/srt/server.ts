import { monotonicMs } from '../../lib/clock.ts';
import { HeadgateError } from '../../lib/errors.ts';
import type { SrtAddon } from '../../native/srt.ts';
import { DoorTables } from './door.ts';
import type { DoorCause } from './explain.ts';
import { noCounts, type SrtCounts } from './figures.ts';
import { SrtListener } from './listener.ts';
import type { SrtServices } from './services.ts';

/**
 * The SRT listeners, and what they have in common: the tables of their doors.
 *
 * Who closes whom: the server owns the listeners, a listener its connections;
 * `close` stops the listeners, and they end what is left.
 */

/** A door is told of changes at most this often, ms: in a storm of connects each one is a change. */
const PUSH_INTERVAL_MS = 10;

/** Between two tellings passes so many times the time that one takes, so that they never cost more than 5 %. */
const PUSH_COST_SHARE = 20;

/** Those that wait to come back are looked after this often, ms. */
const RETURN_POLL_MS = 50;

export interface SrtStats {
  readonly connections: number;
  /** callers that the doors turned away */
  readonly refused: Readonly<Partial<Record<DoorCause, number>>>;
  readonly counts: SrtCounts;
  readonly lostEvents: number;
  readonly lostMediaBytes: number;
}

export class SrtServer {
  readonly #services: SrtServices;
  readonly #tables: DoorTables;
  readonly #listeners: SrtListener[] = [];
  #pushTimer: NodeJS.Timeout | null = null;
  #pushedAt = Number.NEGATIVE_INFINITY;
  #pushCostMs = 0;
  #returnTimer: NodeJS.Timeout | null = null;

  constructor(services: SrtServices) {
    this.#services = services;
    const { admission, registry, playback, limitsOf, door } = services;
    this.#tables = new DoorTables({ admission, registry, playback, limitsOf, mode: () => door().mode });
  }

  /** The SRT half of the addon: whether there is one. */
  addon(): SrtAddon {
    return this.#services.addon();
  }

  get connections(): number {
    return this.#listeners.reduce((sum, listener) => sum + listener.connections, 0);
  }

  /** Opens every listener of the config. Throws HG_SRT_MISSING or HG_LISTEN; what is open by then is for `close`. */
  async listen(): Promise<{ host: string; port: number }[]> {
    const { admission } = this.#services;
    const { available, reason } = this.addon();
    if (!available) {
      throw new HeadgateError(
        'HG_SRT_MISSING',
        `cannot listen for SRT: ${reason}; or turn it off with "srt: null" under listen`,
      );
    }
    for (const address of this.#services.listeners()) {
      this.#listeners.push(await SrtListener.open(this.#services, this.#tables, address));
    }
    admission.watch(() => this.#schedulePush());
    this.#push(monotonicMs());
    this.#returnTimer = setInterval(() => this.#retryReturns(), RETURN_POLL_MS).unref();
    return this.#listeners.map(({ address, port }) => ({ host: address.host, port }));
  }

  /** The config has changed. */
  configure(): void {
    for (const listener of this.#listeners) listener.setRules();
    this.#schedulePush();
  }

  /** A few times a second: what changed by the passing of time is told, and figures are read. */
  round(now: number): void {
    if (this.#listeners.length === 0) return;
    this.#schedulePush();
    for (const listener of this.#listeners) listener.round(now);
  }

  stats(): SrtStats {
    const refused: Partial<Record<DoorCause, number>> = {};
    const counts = noCounts();
    let lostEvents = 0;
    let lostMediaBytes = 0;
    for (const listener of this.#listeners) {
      const { tally } = listener;
      for (const [cause, times] of Object.entries(tally.refused) as [DoorCause, number][]) {
        refused[cause] = (refused[cause] ?? 0) + times;
      }
      const own = listener.counts();
      for (const count of Object.keys(counts) as (keyof SrtCounts)[]) counts[count] += own[count];
      lostEvents += tally.lostEvents;
      lostMediaBytes += tally.lostMediaBytes;
    }
    return { connections: this.connections, refused, counts, lostEvents, lostMediaBytes };
  }

  /** Closes every connection: nobody publishes any more. The ports stay open, and tell newcomers that it is over. */
  dismiss(): void {
    for (const listener of this.#listeners) listener.dismiss();
  }

  /** Resolves when every connection has closed, or after `withinMs`. */
  async settled(withinMs: number): Promise<void> {
    const end = monotonicMs() + withinMs;
    while (this.connections > 0 && monotonicMs() < end) {
      await new Promise((resolve) => setTimeout(resolve, RETURN_POLL_MS));
    }
  }

  /** Resolves when the ports are free and every connection has given back what it held. Idempotent. */
  async close(): Promise<void> {
    if (this.#pushTimer !== null) clearTimeout(this.#pushTimer);
    if (this.#returnTimer !== null) clearInterval(this.#returnTimer);
    const listeners = this.#listeners.splice(0);
    if (listeners.length > 0) this.#services.admission.watch(() => {});
    await Promise.all(listeners.map((listener) => listener.stop()));
  }

  #schedulePush(): void {
    if (this.#pushTimer !== null) return;
    const pauseMs = Math.max(PUSH_INTERVAL_MS, this.#pushCostMs * PUSH_COST_SHARE);
    const waitMs = Math.max(0, this.#pushedAt + pauseMs - monotonicMs());
    this.#pushTimer = setTimeout(() => {
      this.#pushTimer = null;
      this.#push(monotonicMs());
    }, waitMs).unref();
  }

  #push(now: number): void {
    if (this.#tables.rebuild(now)) {
      const entries = this.#tables.entries();
      for (const listener of this.#listeners) listener.setEntries(entries, this.#tables.version);
    }
    this.#pushedAt = monotonicMs();
    this.#pushCostMs = this.#pushedAt - now;
  }

  #retryReturns(): void {
    for (const listener of this.#listeners) if (listener.hasReturning) listener.retryReturns(monotonicMs());
  }
}
