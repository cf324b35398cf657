import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CgroupQuota } from './cgroup.ts';
import { type CoreLoadReader, type CoreLoads, ProcStatLoads, SystemInformationLoads } from './core-loads.ts';
import type { Figures, Source } from './sampler.ts';

/**
 * CPU, as far as this process may use it: the cores it is allowed to run on,
 * and the quotas of its control groups. `cpu` is the worse of the two.
 */

const MICROSECONDS_PER_MS = 1000;

/** The allowed cores are looked up again after this time, ms: they seldom change while a process runs. */
const LOOK_AGAIN_MS = 10_000;

export interface CpuSourceOptions {
  readonly proc?: string;
  /** where the unified hierarchy of control groups is mounted */
  readonly cgroup?: string;
  readonly loads?: CoreLoadReader;
}

export class CpuSource implements Source {
  readonly name = 'cpu';
  readonly #loads: CoreLoadReader;
  readonly #quota: CgroupQuota;
  readonly #status: string;
  #allowed: ReadonlySet<number> | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #usage = process.cpuUsage();
  #at = Number.NaN;

  constructor({ proc = '/proc', cgroup, loads }: CpuSourceOptions = {}) {
    const own = process.platform === 'linux' ? new ProcStatLoads(proc) : new SystemInformationLoads();
    this.#loads = loads ?? own;
    this.#quota = new CgroupQuota(cgroup, proc);
    this.#status = path.join(proc, 'self/status');
  }

  /**
   * Fractions 0..1: `cpu`, `cpu_machine` (all cores), `cpu_allowed` (those this
   * process may run on), `cpu_quota` (of the tightest quota, may pass 1 for a
   * moment, 0 without one), `cpu_throttled` (of the time, kept waiting for it).
   * In cores: `cpu_process` (used by this process), `cpu_cores` (to be had).
   */
  async read(now: number): Promise<Figures | null> {
    const loads = await this.#loads.read();
    const quota = this.#quota.read(now);
    const ownCores = this.#process(now);
    if (now - this.#lookedAt >= LOOK_AGAIN_MS) {
      this.#lookedAt = now;
      this.#allowed = allowedCpus(this.#status);
    }
    if (loads === null) return null;
    const allowed = allowedOf(loads, this.#allowed);
    const cpuAllowed = mean(allowed);
    return {
      cpu: Math.min(1, Math.max(cpuAllowed, quota.used)),
      cpu_machine: mean([...loads.values()]),
      cpu_allowed: cpuAllowed,
      cpu_quota: quota.used,
      cpu_throttled: quota.throttled,
      cpu_process: ownCores,
      cpu_cores: Math.min(allowed.length, quota.cores),
    };
  }

  /** Cores' worth of time that this process used since the last reading. */
  #process(now: number): number {
    const usage = process.cpuUsage();
    const usedMs = (usage.user + usage.system - this.#usage.user - this.#usage.system) / MICROSECONDS_PER_MS;
    const tookMs = now - this.#at;
    this.#usage = usage;
    this.#at = now;
    return tookMs > 0 ? usedMs / tookMs : 0;
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The loads of the cores this process may run on. Inside a container whose
 * /proc/stat counts its cores from 0 their numbers do not fit; then it is all of them.
 */
function allowedOf(loads: CoreLoads, allowed: ReadonlySet<number> | null): number[] {
  const found = [...loads].filter(([core]) => allowed?.has(core) === true).map(([, load]) => load);
  return allowed === null || found.length < allowed.size ? [...loads.values()] : found;
}

/** Numbers of the cores this process may run on (proc_pid_status(5), Cpus_allowed_list); null where it cannot be known. */
function allowedCpus(status: string): ReadonlySet<number> | null {
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
