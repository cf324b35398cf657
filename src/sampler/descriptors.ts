import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Figures, Source } from './sampler.ts';

/** Nothing is decided by it, and counting 10,000 takes some ms on older systems. */
const PERIOD_MS = 5000;

/** Open descriptors against the limit of this process (proc_pid_fd(5), proc_pid_limits(5)). */
export class DescriptorSource implements Source {
  readonly name = 'descriptors';
  readonly #open: string;
  readonly #limits: string;
  #at = Number.NEGATIVE_INFINITY;

  constructor(proc = '/proc') {
    this.#open = path.join(proc, 'self/fd');
    this.#limits = path.join(proc, 'self/limits');
  }

  /** `descriptors` is a fraction 0..1; `descriptors_open` and `descriptors_limit` are counts, the latter Infinity when unlimited. */
  read(now: number): Figures | null {
    if (now - this.#at < PERIOD_MS) return null;
    const limit = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync(this.#limits, 'utf8'))?.[1];
    if (limit === undefined) throw new Error(`${this.#limits} does not tell the limit of open files`);
    const most = limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
    // Since Linux 6.2 the folder's size is their number; before, it is 0.
    const open = statSync(this.#open).size || readdirSync(this.#open).length;
    this.#at = now;
    return { descriptors: open / most, descriptors_open: open, descriptors_limit: most };
  }
}
