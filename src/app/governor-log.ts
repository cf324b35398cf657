import type { AuditTrail } from '../telemetry/audit.ts';
import type { LineLog } from '../telemetry/decision-log.ts';
import type { GovernorAction } from '../telemetry/events.ts';
import type { GovernorCounts } from '../telemetry/metrics-source.ts';

/** Something the governor did, or found out about the machine. */
export interface GovernorEvent {
  readonly kind: GovernorAction | 'backpressure';
  /** one sentence for people */
  readonly detail: string;
  /** the same for programs, and for the log */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Where the governor says what it does: audit trail (and thereby events), log and counters. */
export class GovernorLog {
  readonly #changes: Partial<Record<GovernorAction, number>> = {};
  readonly #adjustments = { up: 0, down: 0 };
  readonly #audit: AuditTrail;
  readonly #log: LineLog;

  constructor(audit: AuditTrail, log: LineLog) {
    this.#audit = audit;
    this.#log = log;
  }

  get counts(): GovernorCounts {
    return { changes: this.#changes, adjustments: this.#adjustments };
  }

  write({ kind, detail, facts }: GovernorEvent): void {
    if (kind === 'backpressure') {
      // The end of what an operator ordered stands beside the order, and not among what the machine brought about.
      this.#log.info({ event: kind, ...facts }, detail);
      this.#audit.act({ action: kind, by: 'server', target: null, result: 'ok', detail });
      return;
    }
    this.#changes[kind] = (this.#changes[kind] ?? 0) + 1;
    if (kind === 'adaptive') this.#adjustments[facts['direction'] === 'up' ? 'up' : 'down']++;
    const line = { event: kind, ...facts };
    const isBlind = kind === 'sampler' && typeof facts['cause'] === 'string';
    if (isBlind || kind === 'shed' || facts['state'] === 'closed') this.#log.warn(line, detail);
    else this.#log.info(line, detail);
    const result = isBlind ? 'failed' : 'ok';
    this.#audit.act({ action: kind, by: 'governor', target: null, result, detail });
  }
}
