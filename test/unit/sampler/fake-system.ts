import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** /proc and /sys/fs/cgroup as folders of a test's own. */
export class FakeSystem {
  readonly #root = mkdtempSync(path.join(tmpdir(), 'headgate-proc-'));
  readonly proc = path.join(this.#root, 'proc');
  readonly cgroup = path.join(this.#root, 'cgroup');

  constructor() {
    onTestFinished(() => rmSync(this.#root, { recursive: true }));
  }

  write(file: string, text: string): this {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    return this;
  }

  inProc(file: string, text: string): this {
    return this.write(path.join(this.proc, file), text);
  }

  /** Ticks of each core by its number, in the columns of proc_stat(5). */
  stat(cores: Readonly<Record<number, readonly number[]>>): this {
    const lines = Object.entries(cores).map(([core, columns]) => `cpu${core} ${columns.join(' ')}`);
    return this.inProc('stat', ['cpu  1 2 3 4', ...lines, 'intr 99 0 1', 'ctxt 5', ''].join('\n'));
  }

  allowed(list: string): this {
    return this.inProc('self/status', `Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t${list}\n`);
  }

  /** The control group of the process, as /proc/self/cgroup writes it. */
  member(group: string): this {
    return this.inProc('self/cgroup', `3:memory:/old\n0::${group}\n`);
  }

  /** A control group; `max` as cpu.max writes it, null = a group without a CPU controller. */
  group(name: string, max: string | null, usedUs = 0, throttledUs = 0): this {
    const folder = path.join(this.cgroup, name);
    if (max !== null) this.write(path.join(folder, 'cpu.max'), `${max}\n`);
    const stat = `usage_usec ${usedUs}\nuser_usec 1\nnr_throttled 3\nthrottled_usec ${throttledUs}\n`;
    return this.write(path.join(folder, 'cpu.stat'), stat);
  }

  /** A file below the control groups that is no longer there. */
  remove(file: string): void {
    rmSync(path.join(this.cgroup, file));
  }
}
