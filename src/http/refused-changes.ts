/**
 * Changes that were refused for want of a right, written into the audit trail:
 * who tried what, from where. Whoever is refused could fill the trail by
 * trying on, so each caller has a few entries a minute and all together have a
 * few more; the rest is counted, and told in the next entry.
 */
import type { FastifyRequest } from 'fastify';
import { Gcra } from '../core/limiter/gcra.ts';
import { KeyedGcra } from '../core/limiter/keyed.ts';
import type { AuditPort } from './ports.ts';
import { PROBLEM_STATUS, type Problem } from './problem.ts';

const MINUTE_MS = 60_000;

/** Entries of one caller, and of all together: a person reads these. */
const PER_CALLER = { count: 6, periodMs: MINUTE_MS, burst: 6, capacity: 1_024 };
const OF_ALL = { count: 60, periodMs: MINUTE_MS, burst: 60 };

export class RefusedChanges {
  readonly #audit: Pick<AuditPort, 'act'>;
  readonly #perCaller = new KeyedGcra(PER_CALLER);
  readonly #ofAll = new Gcra(OF_ALL);
  #untold = 0;

  constructor(audit: Pick<AuditPort, 'act'>) {
    this.#audit = audit;
  }

  /** `now` is monotonic ms. */
  write(request: FastifyRequest, problem: Problem, now: number): void {
    const { by } = request.caller;
    if (this.#perCaller.peek(by, 1, now) !== 0 || this.#ofAll.peek(1, now) !== 0) {
      this.#untold++;
      return;
    }
    this.#perCaller.take(by, 1, now);
    this.#ofAll.take(1, now);
    const more =
      this.#untold === 0 ? '' : `; ${this.#untold} more refused changes before it are not written down`;
    this.#untold = 0;
    const answer = `${PROBLEM_STATUS[problem.code]} ${problem.code}`;
    this.#audit.act({
      action: 'refused',
      by,
      target: request.url.split('?', 1)[0]!,
      result: 'failed',
      detail: `${request.method} was answered ${answer}: ${problem.message}${more}`,
    });
  }
}
