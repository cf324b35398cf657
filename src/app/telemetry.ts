import type { Config } from '../config/schema.ts';
import { wallMs } from '../lib/clock.ts';
import { AuditTrail } from '../telemetry/audit.ts';
import { AuditLog } from '../telemetry/audit-log/audit-log.ts';
import type { RotationSettings } from '../telemetry/audit-log/rotating-file.ts';
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
  /** the trail in a file */
  readonly auditLog: AuditLog;
  readonly lines: DecisionLog;
  readonly durations = new DurationHistogram(DECISION_BUCKETS_S);
  readonly decisions: Decisions;

  constructor(config: Config, log: ServerLog) {
    const { logger } = log;
    this.log = log;
    this.logger = logger;
    const auditLog = new AuditLog({ nodeId: config.node.id, wallMs, logger });
    this.auditLog = auditLog;
    this.audit = new AuditTrail({
      receipts: config.audit.receipts,
      wallMs,
      onShared: (receipt) => auditLog.write({ kind: 'receipt', receipt }),
    });
    // The first subscriber: there is room for it.
    this.audit.subscribe((event) => auditLog.write(event));
    auditLog.configure(rotationOf(config.audit));
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
    this.auditLog.configure(rotationOf(next.audit));
  }

  /** What has to be written from time to time; `now` is monotonic ms. */
  tick(now: number): void {
    this.lines.tick(now);
    this.audit.settle(now);
    this.auditLog.tick(now);
  }

  /** Writes what is still to be written. Idempotent. */
  async close(): Promise<void> {
    this.tick(Number.POSITIVE_INFINITY);
    await this.auditLog.close(CLOSE_DEADLINE_MS);
  }
}

/** How long a stop waits for the disk of the audit log, ms. */
const CLOSE_DEADLINE_MS = 1_000;

function rotationOf({ file, max_size, rotate_every, keep }: Config['audit']): RotationSettings | null {
  return file === null ? null : { path: file, maxBytes: max_size, rotateEveryMs: rotate_every, keep };
}
