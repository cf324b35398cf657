import type { Reason, Scope } from '../core/reasons.ts';
import type { Receipt } from '../core/verdict.ts';
import type { Decision, DecisionRecorder, DecisionSubject } from '../ingest/ports.ts';
import type { AuditTrail } from '../telemetry/audit.ts';
import type { DecisionLog } from '../telemetry/decision-log.ts';
import type { DurationHistogram } from '../telemetry/duration-histogram.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { DecisionResult } from '../telemetry/metrics-source.ts';
import type { DecisionCounts } from './signals.ts';

const RESULT_OF: Record<Receipt['action'], DecisionResult> = {
  refuse: 'reject',
  cut: 'reject',
  throttle: 'throttle',
  drop: 'drop',
  observe: 'allow',
};

/** Every decision ends here: receipt, counters, log line, and thereby metrics and events. */
export class Decisions implements DecisionRecorder {
  readonly denied: Partial<Record<Reason, number>> = {};
  readonly disconnects: Partial<Record<Reason, number>> = {};
  readonly counts: Partial<Record<Scope, Partial<Record<DecisionResult, number>>>> = {};
  readonly #audit: AuditTrail;
  readonly #lines: DecisionLog;
  readonly #durations: DurationHistogram;
  readonly #logger: Logger;

  constructor(parts: {
    audit: AuditTrail;
    lines: DecisionLog;
    durations: DurationHistogram;
    logger: Logger;
  }) {
    this.#audit = parts.audit;
    this.#lines = parts.lines;
    this.#durations = parts.durations;
    this.#logger = parts.logger;
  }

  record(
    action: Receipt['action'],
    decision: Decision,
    subject: DecisionSubject,
    detail: string,
    now: number,
  ): Receipt {
    this.#count(decision.scope, RESULT_OF[action]);
    if (action === 'refuse') this.#deny(decision.reason);
    if (action === 'cut') this.disconnects[decision.reason] = (this.disconnects[decision.reason] ?? 0) + 1;
    const receipt = this.#audit.record({ ...decision, ...subject, action, detail }, now);
    this.#lines.write(receipt, now);
    return receipt;
  }

  refusedAtDoor(
    decision: Decision,
    subject: DecisionSubject,
    detail: string,
    times: number,
    now: number,
  ): void {
    this.#count(decision.scope, 'reject', times);
    this.#deny(decision.reason, times);
    const receipt = this.#audit.record({ ...decision, ...subject, action: 'refuse', detail, times }, now);
    this.#lines.write(receipt, now);
  }

  admitted(scope: 'ip' | 'client', tookMs: number): void {
    this.#count(scope, 'allow');
    this.#durations.observe(tookMs / 1000);
  }

  note(
    event: 'stream_started' | 'stream_ended',
    subject: DecisionSubject,
    facts: Record<string, unknown>,
  ): void {
    this.#logger.info(
      { ...subject, ...facts },
      event === 'stream_started' ? 'stream started' : 'stream ended',
    );
  }

  /** For the governor: what was denied, and how long it took to let in those that were admitted. */
  tallied(): DecisionCounts {
    const allowed = (this.counts.ip?.allow ?? 0) + (this.counts.client?.allow ?? 0);
    return { denied: this.denied, admitted: { count: allowed, seconds: this.#durations.sum } };
  }

  #deny(reason: Reason, times = 1): void {
    this.denied[reason] = (this.denied[reason] ?? 0) + times;
  }

  #count(scope: Scope, result: DecisionResult, times = 1): void {
    const counts = this.counts[scope] ?? {};
    this.counts[scope] = counts;
    counts[result] = (counts[result] ?? 0) + times;
  }
}
