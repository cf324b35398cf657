import { readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The CPU quota of the control groups this process runs in (cgroup v2,
 * Documentation/admin-guide/cgroup-v2.rst, "cpu.max" and "cpu.stat"). In a
 * container with half a core the whole machine may idle while this process is
 * being throttled. A group is held to its own quota and to those of all groups
 * around it: the one that is used up most counts.
 */

export interface QuotaUse {
  /** cores' worth of time that the tightest quota allows; Infinity = no quota */
  readonly cores: number;
  /** part of a quota that was used since the last reading, 0 or more; 0 without one */
  readonly used: number;
  /** part of the time that something in the group was kept waiting for it, 0..1 */
  readonly throttled: number;
}

interface Quota {
  readonly folder: string;
  readonly cores: number;
  usedMs: number;
  throttledMs: number;
}

const MICROSECONDS_PER_MS = 1000;

/** Quotas are looked for again after this time, ms: a container may be given more or less while it runs. */
const LOOK_AGAIN_MS = 10_000;

const NONE: QuotaUse = { cores: Number.POSITIVE_INFINITY, used: 0, throttled: 0 };

export class CgroupQuota {
  readonly #mount: string;
  readonly #membership: string;
  #quotas = new Map<string, Quota>();
  #lookedAt = Number.NEGATIVE_INFINITY;
  #readAt = Number.NaN;

  /** @param mount where the unified hierarchy is mounted */
  constructor(mount = '/sys/fs/cgroup', proc = '/proc') {
    this.#mount = mount;
    this.#membership = path.join(proc, 'self/cgroup');
  }

  /** The use since the last reading. Where there is no cgroup v2 there is no quota. Throws when a quota can no longer be read. */
  read(now: number): QuotaUse {
    if (now - this.#lookedAt >= LOOK_AGAIN_MS) this.#look(now);
    const tookMs = now - this.#readAt;
    this.#readAt = now;
    let use = NONE;
    for (const quota of this.#quotas.values()) {
      const { usedMs, throttledMs } = timesOf(quota.folder);
      if (tookMs > 0) {
        const used = Math.max(0, usedMs - quota.usedMs) / (tookMs * quota.cores);
        const throttled = Math.min(1, Math.max(0, throttledMs - quota.throttledMs) / tookMs);
        use = {
          cores: Math.min(use.cores, quota.cores),
          used: Math.max(use.used, used),
          throttled: Math.max(use.throttled, throttled),
        };
      } else use = { ...use, cores: Math.min(use.cores, quota.cores) };
      Object.assign(quota, { usedMs, throttledMs });
    }
    return use;
  }

  #look(now: number): void {
    this.#lookedAt = now;
    const quotas = new Map<string, Quota>();
    for (const folder of this.#folders()) {
      const cores = coresOf(folder);
      if (cores === Number.POSITIVE_INFINITY) continue;
      const { usedMs, throttledMs } = this.#quotas.get(folder) ?? timesOf(folder);
      quotas.set(folder, { folder, cores, usedMs, throttledMs });
    }
    this.#quotas = quotas;
  }

  /** The own group and those around it, innermost first. */
  #folders(): string[] {
    let own: string | undefined;
    try {
      own = /^0::(\/.*)$/m.exec(readFileSync(this.#membership, 'utf8'))?.[1];
    } catch {
      return [];
    }
    if (own === undefined) return [];
    // A group outside of what is mounted here is written with "..": what is mounted is what can be known.
    const steps = own.split('/').filter((step) => step !== '');
    if (steps.includes('..')) return [this.#mount];
    return steps
      .map((_, i) => path.join(this.#mount, ...steps.slice(0, steps.length - i)))
      .concat(this.#mount);
  }
}

function coresOf(folder: string): number {
  try {
    const [quota = 'max', period] = readFileSync(path.join(folder, 'cpu.max'), 'utf8').trim().split(' ');
    const cores = Number(quota) / Number(period);
    return cores > 0 ? cores : Number.POSITIVE_INFINITY;
  } catch {
    // The root has none, nor has a group without a CPU controller.
    return Number.POSITIVE_INFINITY;
  }
}

function timesOf(folder: string): { usedMs: number; throttledMs: number } {
  const stat = readFileSync(path.join(folder, 'cpu.stat'), 'utf8');
  return { usedMs: fieldOf(stat, 'usage_usec'), throttledMs: fieldOf(stat, 'throttled_usec') };
}

/** What is not told is not zero. */
function fieldOf(stat: string, name: string): number {
  const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1];
  if (value === undefined) throw new Error(`cpu.stat does not tell ${name}`);
  return Number(value) / MICROSECONDS_PER_MS;
}
