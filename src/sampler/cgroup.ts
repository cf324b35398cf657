import { readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The CPU quota of the control group this process runs in (cgroup v2,
 * Documentation/admin-guide/cgroup-v2.rst, "cpu.max" and "cpu.stat"). In a
 * container with half a core the whole machine may idle while this process
 * is being throttled.
 */

export interface CgroupCpu {
  /** cores' worth of time it may use; Infinity = no quota */
  readonly cores: number;
  /** CPU time used so far by everything in it, ms */
  readonly usedMs: number;
  /** time it has been kept waiting for its quota so far, ms */
  readonly throttledMs: number;
}

const MICROSECONDS_PER_MS = 1000;

/** Where the unified hierarchy is mounted. */
const MOUNT = '/sys/fs/cgroup';

/** Reads the quota of the own group; null where there is no cgroup v2, or none with a CPU controller. */
export function readCgroupCpu(mount = MOUNT, membership = '/proc/self/cgroup'): CgroupCpu | null {
  try {
    const own = /^0::(.*)$/m.exec(readFileSync(membership, 'utf8'))?.[1];
    if (own === undefined) return null;
    const folder = path.join(mount, own);
    const [quota = 'max', period = '100000'] = readFileSync(path.join(folder, 'cpu.max'), 'utf8')
      .trim()
      .split(' ');
    const stat = readFileSync(path.join(folder, 'cpu.stat'), 'utf8');
    return {
      cores: quota === 'max' ? Number.POSITIVE_INFINITY : Number(quota) / Number(period),
      usedMs: fieldOf(stat, 'usage_usec') / MICROSECONDS_PER_MS,
      throttledMs: fieldOf(stat, 'throttled_usec') / MICROSECONDS_PER_MS,
    };
  } catch {
    return null;
  }
}

function fieldOf(stat: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0);
}
