/**
 * One log line per decision, but not ten thousand a second: of each reason the
 * first few of a second are written, the rest are counted and told in one
 * summary line. The receipts and the metrics still hold every one.
 */
import type { Reason } from '../core/reasons.ts';
import type { Receipt } from '../core/verdict.ts';

/** Lines per reason and second: enough to see who, few enough that a flood stays readable. */
const LINES_PER_SECOND = 5;

const WINDOW_MS = 1_000;

/** What it writes to: pino has this shape. */
export interface LineLog {
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
}

interface Window {
  since: number;
  written: number;
  suppressed: number;
}

export class DecisionLog {
  readonly #log: LineLog;
  readonly #windows = new Map<Reason, Window>();

  constructor(log: LineLog) {
    this.#log = log;
  }

  /** Writes one decision, or counts it when its reason has had its lines this second. `now` is monotonic ms. */
  write(receipt: Receipt, now: number): void {
    let window = this.#windows.get(receipt.reason);
    if (window === undefined) {
      window = { since: now, written: 0, suppressed: 0 };
      this.#windows.set(receipt.reason, window);
    } else if (now - window.since >= WINDOW_MS || now < window.since) {
      this.#close(receipt.reason, window, now);
    }
    if (window.written >= LINES_PER_SECOND) {
      window.suppressed++;
      return;
    }
    window.written++;
    const { detail, at: _at, last_at: _lastAt, id, ...fields } = receipt;
    const line = { ...fields, receipt: id };
    if (receipt.action === 'cut') this.#log.warn(line, detail);
    else this.#log.info(line, detail);
  }

  /** Tells what was suppressed in windows that are over. Called about once a second, and before the log closes with `Infinity`. */
  tick(now: number): void {
    for (const [reason, window] of this.#windows) {
      if (now - window.since >= WINDOW_MS) this.#close(reason, window, now);
    }
  }

  #close(reason: Reason, window: Window, now: number): void {
    const { suppressed } = window;
    window.since = now;
    window.written = 0;
    window.suppressed = 0;
    if (suppressed > 0) {
      this.#log.warn(
        { reason, suppressed },
        `${suppressed} more ${reason} decisions are not logged one by one`,
      );
    }
  }
}
