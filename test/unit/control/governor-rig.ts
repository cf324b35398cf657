import {
  type GovernedStream,
  Governor,
  type GovernorEvent,
  type GovernorSettings,
} from '../../../src/control/governor.ts';
import type { Reservation } from '../../../src/core/pressure/reservation-ledger.ts';
import type { Ceiling } from '../../../src/core/stream.ts';
import { GOVERNOR_SETTINGS } from '../../support/governor-settings.ts';

const WALL_AT_ZERO = Date.parse('2026-11-20T21:30:00.000Z');

export class FakeStream implements GovernedStream {
  readonly path: string;
  client: string;
  tier: string | null = null;
  priority = 50;
  exempt = false;
  governed = true;
  startedAt = -60_000;
  reservation: Reservation | null = null;
  limit = 6e6;
  observed = 3e6;
  isPressing = false;
  clientBudget = Number.POSITIVE_INFINITY;
  ceiling: Ceiling | null = null;
  /** how often a ceiling was written */
  writes = 0;

  constructor(path: string, change: Partial<FakeStream> = {}) {
    this.path = path;
    this.client = path;
    Object.assign(this, change);
  }

  limitBps(): number {
    return this.limit;
  }

  observedBps(): number {
    return this.observed;
  }

  clientBps(): number {
    return this.clientBudget;
  }

  keptBytes(): number {
    return 1e6;
  }

  pressing(): boolean {
    return this.isPressing;
  }

  setCeiling(ceiling: Ceiling | null): void {
    this.ceiling = ceiling;
    this.writes++;
  }
}

/** A governor with streams that do what the test says, and a record of all it does. */
export class Rig {
  readonly governor: Governor<FakeStream>;
  readonly events: GovernorEvent[] = [];
  readonly globals: number[] = [];
  readonly factors: number[] = [];
  readonly extras: boolean[] = [];
  readonly cuts: { path: string; detail: string; retryAfterMs: number }[] = [];
  streams: FakeStream[] = [];
  now = 0;
  figures = { cpu: 0.3, heap: 0.3, memory: 0.3, event_loop: 5 };
  signals: Record<string, number> = { error_rate: 0, decision_latency: 0.1 };

  constructor(settings: Partial<GovernorSettings> = {}) {
    this.governor = new Governor<FakeStream>(
      { ...GOVERNOR_SETTINGS, ...settings },
      {
        streams: () => this.streams,
        setGlobalBps: (bps) => void this.globals.push(bps),
        setConnectionRateFactor: (factor) => void this.factors.push(factor),
        cut: (stream, detail, retryAfterMs) => {
          this.cuts.push({ path: stream.path, detail, retryAfterMs });
          this.streams = this.streams.filter((each) => each !== stream);
        },
        signals: () => this.signals,
        said: (event) => void this.events.push(event),
        extras: (on) => void this.extras.push(on),
      },
      this.now,
      () => WALL_AT_ZERO + this.now,
    );
  }

  add(path: string, change: Partial<FakeStream> = {}): FakeStream {
    const stream = new FakeStream(path, { startedAt: this.now - 60_000, ...change });
    this.streams.push(stream);
    return stream;
  }

  /** Lives on: samples every half second, a round every quarter. */
  run(forMs: number): this {
    for (const end = this.now + forMs; this.now < end; ) {
      this.now += 250;
      if (this.now % 500 === 0) this.sample();
      this.governor.step(this.now);
    }
    return this;
  }

  sample(): void {
    const { cpu, heap, memory, event_loop } = this.figures;
    this.governor.sampled('cpu', { cpu, cpu_cores: 2 }, this.now);
    this.governor.sampled('memory', { heap, memory, memory_limit: 4e9, rss: 1e9 }, this.now);
    this.governor.sampled('event_loop', { event_loop }, this.now);
  }

  said(kind: GovernorEvent['kind']): GovernorEvent[] {
    return this.events.filter((event) => event.kind === kind);
  }

  asks(path: string, priority = 50, exempt = false): ReturnType<Governor['refusal']> {
    const newcomer = { path, priority, exempt, protocol: 'rtmp', expectedBps: 3e6 } as const;
    return this.governor.refusal(newcomer, this.now);
  }
}

export function adaptive(change: Partial<GovernorSettings['adaptive']>): Pick<GovernorSettings, 'adaptive'> {
  return { adaptive: { ...GOVERNOR_SETTINGS.adaptive, ...change } };
}

export function backpressure(
  change: Partial<GovernorSettings['backpressure']>,
): Pick<GovernorSettings, 'backpressure'> {
  return { backpressure: { ...GOVERNOR_SETTINGS.backpressure, ...change } };
}
