import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, cpus } from 'node:os';

/** Ends by itself when whoever started it is gone: an orphan that burns would spoil every test after it. */
const BURN = `
  process.stdout.write('burning');
  const parent = process.ppid;
  for (;;) {
    const end = Date.now() + 500;
    while (Date.now() < end);
    if (process.ppid !== parent) process.exit();
  }`;

/** Processes that compute for as long as they live, one for each processor. */
export class Burners {
  readonly #children: ChildProcess[] = [];
  readonly #begun: Promise<unknown>[] = [];

  constructor(count = availableParallelism()) {
    for (let i = 0; i < count; i++) {
      const child = spawn(process.execPath, ['-e', BURN], { stdio: ['ignore', 'pipe', 'ignore'] });
      this.#children.push(child);
      this.#begun.push(once(child.stdout, 'data'));
    }
  }

  get pids(): (number | undefined)[] {
    return this.#children.map(({ pid }) => pid);
  }

  /** Resolves when all of them compute. */
  async burning(): Promise<void> {
    await Promise.all(this.#begun);
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#children.splice(0).map((child) => {
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        return gone;
      }),
    );
  }
}

/** How busy the processors of this machine were since the last question, 0..1. */
export class Thermometer {
  #before = times();

  read(): number {
    const now = times();
    const { busy, all } = this.#before;
    this.#before = now;
    return now.all > all ? (now.busy - busy) / (now.all - all) : 0;
  }
}

function times(): { busy: number; all: number } {
  let [idle, all] = [0, 0];
  for (const { times: core } of cpus()) {
    idle += core.idle;
    all += core.idle + core.user + core.nice + core.sys + core.irq;
  }
  return { busy: all - idle, all };
}
