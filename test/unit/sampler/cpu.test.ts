import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CgroupQuota } from '../../../src/sampler/cgroup.ts';
import { ProcStatLoads, SystemInformationLoads } from '../../../src/sampler/core-loads.ts';
import { CpuSource } from '../../../src/sampler/cpu.ts';
import { until } from '../../support/server.ts';
import { FakeSystem } from './fake-system.ts';

const IDLE = [0, 0, 0, 1000, 0, 0, 0, 0, 0, 0];

/** `IDLE` with so many ticks more of each kind. */
function later(more: {
  user?: number;
  idle?: number;
  wait?: number;
  steal?: number;
  guest?: number;
}): number[] {
  const { user = 0, idle = 0, wait = 0, steal = 0, guest = 0 } = more;
  return [user, 0, 0, 1000 + idle, wait, 0, 0, steal, guest, 0];
}

describe('the load of each core', () => {
  it('is what was not idle since the last reading', () => {
    const system = new FakeSystem().stat({ 0: IDLE, 1: IDLE });
    const loads = new ProcStatLoads(system.proc);
    expect(loads.read()).toBeNull();
    system.stat({ 0: later({ user: 25, idle: 75 }), 1: later({ idle: 100 }) });
    expect(loads.read()).toEqual(
      new Map([
        [0, 0.25],
        [1, 0],
      ]),
    );
  });

  it.each([
    ['waiting for a disk is idle', later({ wait: 50, idle: 50 }), 0],
    ['what the hypervisor took is busy', later({ steal: 80, idle: 20 }), 0.8],
    ['a guest is counted once, as user', later({ user: 50, guest: 50, idle: 50 }), 0.5],
    ['idle time that goes back is no more than full', later({ user: 10, idle: -1 }), 1],
  ])('%s', (_, columns, load) => {
    const system = new FakeSystem().stat({ 0: IDLE });
    const loads = new ProcStatLoads(system.proc);
    loads.read();
    system.stat({ 0: columns });
    expect(loads.read()?.get(0)).toBeCloseTo(load, 9);
  });

  it('waits for a tick to pass, and keeps what it compares with', () => {
    const system = new FakeSystem().stat({ 0: IDLE });
    const loads = new ProcStatLoads(system.proc);
    loads.read();
    expect(loads.read()).toBeNull();
    system.stat({ 0: later({ user: 1, idle: 1 }) });
    expect(loads.read()?.get(0)).toBe(0.5);
  });

  it('of a core that has just come is not known yet, and of one that went no longer', () => {
    const system = new FakeSystem().stat({ 0: IDLE, 1: IDLE });
    const loads = new ProcStatLoads(system.proc);
    loads.read();
    system.stat({ 0: later({ user: 10 }), 2: later({ user: 10 }) });
    expect([...(loads.read() ?? [])]).toEqual([[0, 1]]);
  });

  it('is an error where nothing is said of it, never zero', () => {
    const system = new FakeSystem();
    expect(() => new ProcStatLoads(system.proc).read()).toThrow(/ENOENT/);
    system.inProc('stat', 'cpu  1 2 3\nbtime 5\n');
    expect(() => new ProcStatLoads(system.proc).read()).toThrow(/names no core/);
  });

  it('comes from systeminformation where there is no /proc', async () => {
    const loads = new SystemInformationLoads();
    expect(await loads.read()).toBeNull();
    const cores = await loads.read();
    expect(cores?.size).toBeGreaterThan(0);
    for (const load of cores?.values() ?? []) {
      expect(load).toBeGreaterThanOrEqual(0);
      expect(load).toBeLessThanOrEqual(1);
    }
  });
});

describe('the quota of the control groups', () => {
  const read = (system: FakeSystem) => {
    const quota = new CgroupQuota(system.cgroup, system.proc);
    return (now: number) => quota.read(now);
  };

  it('is used up by what was used since the last reading', () => {
    const system = new FakeSystem().member('/app').group('app', '50000 100000', 1_000_000, 200_000);
    const at = read(system);
    expect(at(0)).toEqual({ cores: 0.5, used: 0, throttled: 0 });
    // A quarter of a second of CPU in a second, where half a second may be had.
    system.group('app', '50000 100000', 1_250_000, 300_000);
    expect(at(1000)).toEqual({ cores: 0.5, used: 0.5, throttled: 0.1 });
    system.group('app', '50000 100000', 1_750_000, 3_300_000);
    expect(at(2000)).toEqual({ cores: 0.5, used: 1, throttled: 1 });
  });

  it('is that of the group around it when that one is tighter', () => {
    const system = new FakeSystem().member('/slice/app').group('slice/app', '400000 100000');
    system.group('slice', '100000 100000').group('', null);
    const at = read(system);
    at(0);
    system.group('slice/app', '400000 100000', 400_000).group('slice', '100000 100000', 900_000);
    expect(at(1000)).toEqual({ cores: 1, used: 0.9, throttled: 0 });
  });

  it.each([
    ['no quota', () => new FakeSystem().member('/app').group('app', 'max 100000', 5)],
    ['no CPU controller', () => new FakeSystem().member('/app').group('app', null)],
    ['a group that is not mounted', () => new FakeSystem().member('/app')],
    ['no version 2', () => new FakeSystem().inProc('self/cgroup', '3:cpu:/app\n')],
    ['no /proc', () => new FakeSystem()],
  ])('is none with %s', (_, system) =>
    expect(read(system())(1000)).toEqual({ cores: Number.POSITIVE_INFINITY, used: 0, throttled: 0 }),
  );

  it('of a group outside of the mounted ones is that of the outermost that is mounted', () => {
    const system = new FakeSystem().member('/../../host').group('', '200000 100000');
    expect(read(system)(0).cores).toBe(2);
  });

  it('that is changed, set or lifted while running counts within ten seconds', () => {
    const system = new FakeSystem().member('/app').group('app', 'max 100000');
    const at = read(system);
    expect(at(0).cores).toBe(Number.POSITIVE_INFINITY);
    system.group('app', '25000 100000', 50_000);
    expect(at(10_000)).toEqual({ cores: 0.25, used: 0, throttled: 0 });
    system.group('app', '25000 100000', 175_000);
    expect(at(10_500).used).toBe(1);
    system.group('app', '100000 100000', 175_000);
    expect(at(20_000).cores).toBe(1);
  });

  it('that cannot be read any more is an error, never zero', () => {
    const system = new FakeSystem().member('/app').group('app', '50000 100000');
    const at = read(system);
    at(0);
    system.remove('app/cpu.stat');
    expect(() => at(500)).toThrow(/ENOENT/);
    system.write(path.join(system.cgroup, 'app/cpu.stat'), '');
    expect(() => at(1000)).toThrow(/usage_usec/);
  });
});

describe('the CPU source', () => {
  /** Cores 0..3 of which 2 and 3 burn for half a second. */
  function burning(system: FakeSystem): FakeSystem {
    const burns = later({ user: 50 });
    const idles = later({ idle: 50 });
    return system.stat({ 0: idles, 1: idles, 2: burns, 3: burns });
  }

  async function figuresOf(system: FakeSystem, group = () => system) {
    const source = new CpuSource({ proc: system.proc, cgroup: system.cgroup });
    system.stat({ 0: IDLE, 1: IDLE, 2: IDLE, 3: IDLE });
    expect(await source.read(1000)).toBeNull();
    burning(system);
    group();
    return source.read(1500);
  }

  it('looks at the whole machine when it may run anywhere', async () => {
    expect(await figuresOf(new FakeSystem().allowed('0-3'))).toMatchObject({
      cpu: 0.5,
      cpu_machine: 0.5,
      cpu_allowed: 0.5,
      cpu_quota: 0,
      cpu_throttled: 0,
      cpu_cores: 4,
    });
  });

  it.each([
    ['2-3', 1, 2],
    ['0,2', 0.5, 2],
    ['1', 0, 1],
    ['0-1,3', 1 / 3, 3],
  ])('looks at cores %s when it may run on those only', async (list, cpu, cores) => {
    const figures = await figuresOf(new FakeSystem().allowed(list));
    expect(figures).toMatchObject({ cpu_machine: 0.5, cpu_cores: cores });
    expect(figures?.['cpu']).toBeCloseTo(cpu, 9);
  });

  it.each([
    ['more cores are allowed than there are', '0-127'],
    ['their numbers are of another machine', '64-67'],
  ])('looks at all cores when %s', async (_, list) =>
    expect(await figuresOf(new FakeSystem().allowed(list))).toMatchObject({ cpu: 0.5, cpu_cores: 4 }),
  );

  it('looks at all cores when it is not known which are allowed', async () =>
    expect(await figuresOf(new FakeSystem())).toMatchObject({ cpu: 0.5, cpu_cores: 4 }));

  it('is full when its quota is, however idle the machine', async () => {
    const system = new FakeSystem().allowed('0-1').member('/app').group('app', '50000 100000');
    const figures = await figuresOf(system, () => system.group('app', '50000 100000', 260_000, 100_000));
    expect(figures).toMatchObject({ cpu: 1, cpu_allowed: 0, cpu_throttled: 0.2, cpu_cores: 0.5 });
    expect(figures?.['cpu_quota']).toBeCloseTo(1.04, 9);
  });

  it('tells what this process used, in cores', async () => {
    const system = new FakeSystem().stat({ 0: IDLE });
    const source = new CpuSource({ proc: system.proc, cgroup: system.cgroup });
    await source.read(0);
    const { user, system: kernel } = process.cpuUsage();
    await until(() => {
      const { user: u, system: s } = process.cpuUsage();
      return u + s - user - kernel > 20_000;
    }, 'some CPU to be used');
    system.stat({ 0: later({ user: 50 }) });
    expect((await source.read(100))?.['cpu_process']).toBeGreaterThan(0.2);
  });

  it('fails when /proc does', async () => {
    await expect(new CpuSource({ proc: new FakeSystem().proc }).read(0)).rejects.toThrow(/ENOENT/);
  });

  it('works on this machine', async () => {
    const source = new CpuSource();
    await source.read(0);
    const figures = await until(() => source.read(performance.now()), 'figures');
    expect(figures['cpu']).toBeGreaterThanOrEqual(0);
    expect(figures['cpu']).toBeLessThanOrEqual(1);
    expect(figures['cpu_cores']).toBeGreaterThan(0);
  });
});
