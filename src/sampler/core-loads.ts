import { readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * How busy each core has been since the last reading.
 *
 * On Linux from /proc/stat (proc_stat(5)), which costs some 20 microseconds.
 * systeminformation reads the same there by starting a shell, which cost 8 ms
 * of CPU where it was measured and kept the event loop waiting for up to
 * 29 ms: most so on a machine that is short of CPU already. Elsewhere it starts
 * nothing, and is asked.
 */

/** Load of each core by its number, 0..1. */
export type CoreLoads = ReadonlyMap<number, number>;

export interface CoreLoadReader {
  /** null = there is nothing to compare with yet */
  read(): CoreLoads | null | Promise<CoreLoads | null>;
}

/** Columns of a cpu line: idle and waiting for disks; the first eight are all there is, guests are within them. */
const IDLE = 3;
const IO_WAIT = 4;
const COLUMNS = 8;

interface Ticks {
  readonly idle: number;
  readonly all: number;
}

export class ProcStatLoads implements CoreLoadReader {
  readonly #file: string;
  #before: ReadonlyMap<number, Ticks> | null = null;

  constructor(proc = '/proc') {
    this.#file = path.join(proc, 'stat');
  }

  read(): CoreLoads | null {
    const after = ticksOf(readFileSync(this.#file, 'utf8'));
    if (after.size === 0) throw new Error(`${this.#file} names no core`);
    const before = this.#before;
    if (before === null) {
      this.#before = after;
      return null;
    }
    const loads = new Map<number, number>();
    for (const [core, now] of after) {
      const then = before.get(core);
      const all = then === undefined ? 0 : now.all - then.all;
      // Idle time may go back by a tick when a core wakes up. What a hypervisor took counts as busy: it is not to be had.
      if (then !== undefined && all > 0) {
        loads.set(core, Math.min(1, Math.max(0, 1 - (now.idle - then.idle) / all)));
      }
    }
    // Ticks are 10 ms: asked again at once, none has passed, and the last reading stays the one to compare with.
    if (loads.size === 0) return null;
    this.#before = after;
    return loads;
  }
}

function ticksOf(text: string): ReadonlyMap<number, Ticks> {
  const ticks = new Map<number, Ticks>();
  for (const [, core, rest = ''] of text.matchAll(/^cpu(\d+) (.*)$/gm)) {
    const columns = rest.trim().split(' ', COLUMNS).map(Number);
    const all = columns.reduce((sum, column) => sum + column, 0);
    ticks.set(Number(core), { all, idle: (columns[IDLE] ?? 0) + (columns[IO_WAIT] ?? 0) });
  }
  return ticks;
}

/** Where there is no /proc. */
export class SystemInformationLoads implements CoreLoadReader {
  #begun = false;

  /** Loaded when it is first needed: it takes 60 ms, and most machines never need it. */
  async read(): Promise<CoreLoads | null> {
    const { currentLoad } = await import('systeminformation');
    const { cpus } = await currentLoad();
    const loads = new Map(cpus.map(({ load }, core) => [core, load / 100]));
    const begun = this.#begun;
    this.#begun = true;
    // The first figures are of all the time since the machine started.
    return begun ? loads : null;
  }
}
