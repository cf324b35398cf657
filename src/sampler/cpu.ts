import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { currentLoad } from 'systeminformation';
import { type CgroupCpu, readCgroupCpu } from './cgroup.ts';
import type { Figures, Source } from './sampler.ts';

/**
 * CPU, as far as this process may use it: the cores it is allowed to run on,
 * and the quota of its control group. `cpu` is the worse of the two.
 */

const MS_PER_SECOND = 1000;

export class CpuSource implements Source {
  readonly name = 'cpu';
  #cgroup: CgroupCpu | null = readCgroupCpu();
  #usage = process.cpuUsage();
  #at = Number.NaN;

  /**
   * Fractions 0..1: `cpu`, `cpu_machine` (all cores), `cpu_allowed` (those this
   * process may run on), `cpu_quota` (of the group's quota, 0 without one),
   * `cpu_throttled` (of the time, kept waiting for the quota); `cpu_process` in cores.
   */
  async read(now: number): Promise<Figures> {
    const load = await currentLoad();
    const allowed = allowedCpus();
    const loads = load.cpus
      .filter((_, index) => allowed === null || allowed.has(index))
      .map((cpu) => cpu.load / 100);
    const cpuAllowed =
      loads.length === 0 ? load.currentLoad / 100 : loads.reduce((a, b) => a + b, 0) / loads.length;
    const quota = this.#quota(now);
    const usage = process.cpuUsage(this.#usage);
    const tookMs = now - this.#at;
    const usedMs = (usage.user + usage.system) / MS_PER_SECOND;
    this.#usage = process.cpuUsage();
    this.#at = now;
    return {
      cpu: Math.min(1, Math.max(cpuAllowed, quota.used)),
      cpu_machine: load.currentLoad / 100,
      cpu_allowed: cpuAllowed,
      cpu_quota: quota.used,
      cpu_throttled: quota.throttled,
      cpu_process: tookMs > 0 ? usedMs / tookMs : 0,
      cpu_cores: allowed?.size ?? availableParallelism(),
    };
  }

  #quota(now: number): { used: number; throttled: number } {
    const before = this.#cgroup;
    const after = readCgroupCpu();
    this.#cgroup = after;
    const tookMs = now - this.#at;
    if (before === null || after === null || !(tookMs > 0)) return { used: 0, throttled: 0 };
    return {
      used: Math.max(0, (after.usedMs - before.usedMs) / (tookMs * after.cores)),
      throttled: Math.min(1, Math.max(0, (after.throttledMs - before.throttledMs) / tookMs)),
    };
  }
}

/** Numbers of the cores this process may run on (proc(5), Cpus_allowed_list); null where it cannot be known. */
export function allowedCpus(status = '/proc/self/status'): ReadonlySet<number> | null {
  let list: string | undefined;
  try {
    list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(status, 'utf8'))?.[1];
  } catch {
    return null;
  }
  if (list === undefined) return null;
  const cpus = new Set<number>();
  for (const range of list.split(',')) {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    for (let cpu = first; cpu <= last; cpu++) cpus.add(cpu);
  }
  return cpus;
}
