import type { Config } from '../config/schema.ts';
import { wallMs } from '../lib/clock.ts';
import { AuditTrail } from '../telemetry/audit.ts';
import { DecisionLog } from '../telemetry/decision-log.ts';
import { DurationHistogram } from '../telemetry/duration-histogram.ts';
import type { Logger, ServerLog } from '../telemetry/logger.ts';
import { DECISION_BUCKETS_S } from '../telemetry/metrics.ts';
import { Decisions } from './decisions.ts';

/** Everything that writes down what happens. */
export class Telemetry {
  readonly log: ServerLog;
  readonly logger: Logger;
  readonly audit: AuditTrail;
  readonly lines: DecisionLog;
  readonly durations = new DurationHistogram(DECISION_BUCKETS_S);
  readonly decisions: Decisions;

  constructor(config: Config, log: ServerLog) {
    const { logger } = log;
    this.log = log;
    this.logger = logger;
    this.audit = new AuditTrail({ receipts: config.audit.receipts, wallMs });
    this.lines = new DecisionLog(logger);
    this.decisions = new Decisions({
      audit: this.audit,
      lines: this.lines,
      durations: this.durations,
      logger,
    });
  }

  /** Puts the parts of a validated config in force that concern what is written down. */
  apply(next: Config): void {
    if (this.log.levelIsFixed !== true) this.logger.level = next.logging.level;
    this.audit.resize(next.audit.receipts);
  }
}
