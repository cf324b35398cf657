import { availableParallelism } from 'node:os';
import type { Config } from '../config/schema.ts';
import { Governor, type GovernorSettings } from '../control/governor.ts';
import type { GovernorSnapshot } from '../core/pressure/governor-snapshot.ts';
import type { BackpressureOrder } from '../http/ports.ts';
import type { LiveStream } from '../ingest/live-stream.ts';
import type { CutRequest } from '../ingest/publish-desk.ts';
import { monotonicMs, wallMs } from '../lib/clock.ts';
import type { NativeEngine } from '../native/binding.ts';
import { Sampler } from '../sampler/sampler.ts';
import { machineSources } from '../sampler/sources.ts';
import { GivingBack } from './giving-back.ts';
import { GovernorLog } from './governor-log.ts';
import { guarded } from './guarded.ts';
import { Signals } from './signals.ts';
import type { Telemetry } from './telemetry.ts';

/**
 * The governor among the parts of the server: what it is told by the samplers
 * and the control loop, and what becomes of what it decides.
 */

/** What the governor looks at and acts on. */
export interface Governed {
  readonly registry: { all(): Iterable<LiveStream> };
  readonly budgets: {
    setGlobal(bps: number, now: number): void;
    relieveGlobal(now: number): void;
    relieveClient(id: string, now: number): void;
  };
  readonly admission: { setConnectionRateFactor(factor: number, now: number): void };
  readonly desk: { cut(stream: LiveStream, request: CutRequest, now: number): unknown };
  readonly engine: { readonly engine: Pick<NativeEngine, 'stats' | 'giveBack'> };
}

export class Governance {
  readonly governor: Governor<LiveStream>;
  readonly log: GovernorLog;
  readonly #governed: Governed;
  readonly #sampler: Sampler;
  readonly #givingBack: GivingBack;
  #extras = true;

  /** Nothing of `governed` is touched before the first step. */
  constructor(config: Config, telemetry: Telemetry, governed: Governed) {
    const log = new GovernorLog(telemetry.audit, telemetry.logger);
    const signals = new Signals(() => telemetry.decisions.tallied());
    this.log = log;
    this.#governed = governed;
    this.governor = new Governor(
      settingsOf(config),
      {
        streams: () => governed.registry.all(),
        setGlobalBps: (bps, now) => governed.budgets.setGlobal(bps, now),
        setConnectionRateFactor: (factor, now) => governed.admission.setConnectionRateFactor(factor, now),
        cut: (stream, detail, retryAfterMs, now) => {
          governed.desk.cut(stream, { reason: 'shed', detail, cooldownMs: 0, retryAfterMs }, now);
        },
        signals: (now) => signals.read(now),
        said: (event) => log.write(event),
        extras: (on) => {
          this.#extras = on;
        },
      },
      monotonicMs(),
      wallMs,
    );
    this.#givingBack = new GivingBack(() => governed.engine.engine.giveBack());
    this.#sampler = new Sampler(guarded(machineSources(() => this.#nativeBytes())), this.governor);
  }

  /** False while what can be done without is not done. */
  get extras(): boolean {
    return this.#extras;
  }

  start(): void {
    this.#sampler.start();
  }

  stop(): void {
    this.#sampler.stop();
  }

  /** One round of the control loop. A budget is forgiven what it is owed only where shares hold the sum instead. */
  step(now: number): void {
    const { registry, budgets } = this.#governed;
    this.governor.step(now);
    this.#givingBack.step(this.#nativeBytes(), now);
    const { sharesFit } = this.governor;
    for (const { ceiling, client } of registry.all()) {
      if (ceiling?.by === 'global' && sharesFit) budgets.relieveGlobal(now);
      else if (ceiling?.by === 'client') budgets.relieveClient(client, now);
    }
  }

  #nativeBytes(): number {
    const { gopBytes, pendingBytes } = this.#governed.engine.engine.stats();
    return gopBytes + pendingBytes;
  }

  apply(next: Config, now: number): void {
    this.governor.configure(settingsOf(next), now);
  }

  snapshot(now: number): GovernorSnapshot {
    return this.governor.snapshot(now);
  }

  /** Puts an operator's order in force at once. */
  order(order: BackpressureOrder, now: number): void {
    this.governor.order(order, now);
  }
}

function settingsOf({ resources, adaptive, backpressure, limits }: Config): GovernorSettings {
  const cores = availableParallelism();
  return { resources, adaptive, backpressure, globalBps: limits.global.max_bandwidth, cores };
}
