import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Ends by itself when whoever started it is gone: an orphan that burns would spoil every test after it. */
const BURN =
  'const parent = process.ppid; for (;;) { const end = Date.now() + 500; while (Date.now() < end); if (process.ppid !== parent) process.exit(); }';

/** Processes that compute for as long as they live, one for each processor. */
export class Burners {
  readonly #children: ChildProcess[] = [];

  constructor(count = availableParallelism()) {
    for (let i = 0; i < count; i++)
      this.#children.push(spawn(process.execPath, ['-e', BURN], { stdio: 'ignore' }));
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
