/**
 * The last five minutes of the server as a whole. A row is made in one round
 * of the control loop: what streams send is added up as their steps come.
 *
 * It goes on when the server does without what it can do without: one row costs
 * next to nothing, and what happened while the machine was in trouble is what
 * will be asked for.
 */
import { REASONS, type Reason } from '../../core/reasons.ts';
import { HistoryRing } from './ring.ts';
import { columnsOf, type HistoryColumns, type Instant, rowNumber, spanOf } from './view.ts';

/** `denials` counts one interval; `cpu`, `heap`, `memory` are fractions 0..1 of what there is, `event_loop` is ms. */
export const NODE_COLUMNS = [
  'bitrate_bps',
  /** what streams may send together; null = unlimited */
  'budget_bps',
  'streams',
  'connections',
  'denials',
  'cpu',
  'heap',
  'memory',
  'event_loop',
  'adaptive_factor',
] as const;

export type NodeColumn = (typeof NODE_COLUMNS)[number];

/** The server's past as the API tells it. */
export interface NodeHistory extends HistoryColumns<NodeColumn> {
  /** refusals of each interval by reason, of those reasons that occurred */
  denied: Partial<Record<Reason, (number | null)[]>>;
}

/** The server as it stands, without what its streams add up to. NaN = not known or unlimited. */
export interface NodeReading {
  readonly budget_bps: number;
  readonly connections: number;
  readonly cpu: number;
  readonly heap: number;
  readonly memory: number;
  readonly event_loop: number;
  readonly adaptive_factor: number;
  /** refusals since the start */
  readonly denied: Readonly<Partial<Record<Reason, number>>>;
}

export class NodeHistoryRing {
  readonly #ring = new HistoryRing(NODE_COLUMNS.length);
  readonly #deniedRing = new HistoryRing(REASONS.length);
  readonly #row = new Float32Array(NODE_COLUMNS.length);
  readonly #deniedRow = new Float32Array(REASONS.length);
  readonly #deniedBefore = new Float64Array(REASONS.length);
  /** number of the row that is being added up, NaN between two rows */
  #number = Number.NaN;
  #bitrateBps = 0;
  #streams = 0;

  /** A round begins. */
  begin(now: number): void {
    const number = rowNumber(now, 0);
    this.#number = number < this.#ring.next ? Number.NaN : number;
    this.#bitrateBps = 0;
    this.#streams = 0;
  }

  /** True in a round that makes a row: then every stream is to be added. */
  get adding(): boolean {
    return !Number.isNaN(this.#number);
  }

  add(bitrateBps: number): void {
    this.#bitrateBps += bitrateBps;
    this.#streams++;
  }

  /** The round is over, every stream has been added. */
  finish(reading: NodeReading): void {
    const row = this.#row;
    row[0] = this.#bitrateBps;
    row[1] = reading.budget_bps;
    row[2] = this.#streams;
    row[3] = reading.connections;
    row[4] = this.#deny(reading.denied);
    row[5] = reading.cpu;
    row[6] = reading.heap;
    row[7] = reading.memory;
    row[8] = reading.event_loop;
    row[9] = reading.adaptive_factor;
    this.#ring.write(this.#number, row);
    this.#deniedRing.write(this.#number, this.#deniedRow);
    this.#number = Number.NaN;
  }

  view(at: Instant): NodeHistory {
    const span = spanOf(this.#ring, 0, false, at);
    const denied: NodeHistory['denied'] = {};
    REASONS.forEach((reason, column) => {
      const counts = this.#deniedRing.column(column, span.first, span.last);
      if (counts.some((count) => count !== null && count > 0)) denied[reason] = counts;
    });
    return { ...columnsOf(this.#ring, NODE_COLUMNS, span), denied };
  }

  /** Refusals since the last row, by reason and in all. */
  #deny(totals: NodeReading['denied']): number {
    let sum = 0;
    REASONS.forEach((reason, column) => {
      const total = totals[reason] ?? 0;
      const fresh = total - this.#deniedBefore[column]!;
      this.#deniedBefore[column] = total;
      this.#deniedRow[column] = fresh;
      sum += fresh;
    });
    return sum;
  }
}
