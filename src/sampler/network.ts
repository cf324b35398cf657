import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Figures, Source } from './sampler.ts';

/**
 * What the machine's network takes in, gives out and drops (proc(5),
 * /proc/net/dev), and how many descriptors this process holds. Read here and
 * not with systeminformation, whose networkStats starts a process each time.
 */

const MS_PER_SECOND = 1000;
const BITS_PER_BYTE = 8;

interface Counters {
  readonly received: number;
  readonly sent: number;
  readonly dropped: number;
}

export class NetworkSource implements Source {
  readonly name = 'network';
  #before: Counters | null = null;
  #at = Number.NaN;

  /** bits/s: `network_in`, `network_out`; packets/s: `network_dropped`. Every interface but loopback. */
  async read(now: number): Promise<Figures> {
    const after = countersOf(await readFile('/proc/net/dev', 'utf8'));
    const before = this.#before ?? after;
    const seconds = (now - this.#at) / MS_PER_SECOND;
    this.#before = after;
    this.#at = now;
    const rate = (name: keyof Counters) =>
      seconds > 0 ? Math.max(0, (after[name] - before[name]) / seconds) : 0;
    return {
      network_in: rate('received') * BITS_PER_BYTE,
      network_out: rate('sent') * BITS_PER_BYTE,
      network_dropped: rate('dropped'),
    };
  }
}

/** Columns of /proc/net/dev behind the name: received bytes first, its drops fourth, sent bytes ninth, its drops twelfth. */
export function countersOf(text: string): Counters {
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

/** Open descriptors against the limit of this process. */
export class DescriptorSource implements Source {
  readonly name = 'descriptors';

  /** `descriptors` is a fraction 0..1; `descriptors_open` and `descriptors_limit` are counts. */
  read(): Figures {
    const open = readdirSync('/proc/self/fd').length;
    const limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
    return { descriptors: open / limit, descriptors_open: open, descriptors_limit: limit };
  }
}
