import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Figures, Source } from './sampler.ts';

/**
 * What the machine's network takes in, gives out and drops (proc_pid_net(5),
 * /proc/net/dev). Read here and not with systeminformation, whose networkStats
 * starts a process each time.
 */

/** People look at these, nothing is decided by them: no need to read more often, ms. */
const PERIOD_MS = 2000;

const MS_PER_SECOND = 1000;
const BITS_PER_BYTE = 8;

interface Counters {
  readonly received: number;
  readonly sent: number;
  readonly dropped: number;
}

export class NetworkSource implements Source {
  readonly name = 'network';
  readonly #file: string;
  #before: Counters | null = null;
  #at = Number.NEGATIVE_INFINITY;

  constructor(proc = '/proc') {
    this.#file = path.join(proc, 'net/dev');
  }

  /** bits/s: `network_in`, `network_out`; packets/s: `network_dropped`. Every interface but loopback. */
  read(now: number): Figures | null {
    if (now - this.#at < PERIOD_MS) return null;
    const after = countersOf(readFileSync(this.#file, 'utf8'));
    const before = this.#before;
    const seconds = (now - this.#at) / MS_PER_SECOND;
    this.#before = after;
    this.#at = now;
    if (before === null) return null;
    // An interface that went away takes its counts with it.
    const rate = (name: keyof Counters) => Math.max(0, (after[name] - before[name]) / seconds);
    return {
      network_in: rate('received') * BITS_PER_BYTE,
      network_out: rate('sent') * BITS_PER_BYTE,
      network_dropped: rate('dropped'),
    };
  }
}

/** Columns of /proc/net/dev behind the name: received bytes first, its drops fourth, sent bytes ninth, its drops twelfth. */
function countersOf(text: string): Counters {
  const sum = { received: 0, sent: 0, dropped: 0 };
  for (const line of text.split('\n')) {
    const [name, rest] = line.split(':');
    if (rest === undefined || name?.trim() === 'lo') continue;
    const columns = rest.trim().split(/\s+/).map(Number);
    sum.received += columns[0] ?? 0;
    sum.dropped += (columns[3] ?? 0) + (columns[11] ?? 0);
    sum.sent += columns[8] ?? 0;
  }
  return sum;
}
