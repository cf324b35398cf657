import { describe, expect, it } from 'vitest';
import { DescriptorSource } from '../../../src/sampler/descriptors.ts';
import { EventLoopSource } from '../../../src/sampler/event-loop.ts';
import { type MemoryReadings, MemorySource } from '../../../src/sampler/memory.ts';
import { NetworkSource } from '../../../src/sampler/network.ts';
import { machineSources } from '../../../src/sampler/sources.ts';
import { pause, until } from '../../support/server.ts';
import { FakeSystem } from './fake-system.ts';

const MIB = 2 ** 20;

describe('memory', () => {
  function readings(limit: number, rss: number): MemoryReadings & { asked: number } {
    return {
      asked: 0,
      heap: () => ({ used: 30 * MIB, limit: 120 * MIB, committed: 40 * MIB }),
      usage: () => ({ rss, external: 10 * MIB, arrayBuffers: 8 * MIB }),
      limit() {
        this.asked++;
        return limit;
      },
    };
  }

  it('is what is resident, of the limit; the heap has its own', () => {
    expect(new MemorySource(() => 20 * MIB, readings(1000 * MIB, 500 * MIB)).read(0)).toEqual({
      heap: 0.25,
      memory: 0.5,
      heap_used: 30 * MIB,
      heap_limit: 120 * MIB,
      rss: 500 * MIB,
      memory_limit: 1000 * MIB,
      external: 10 * MIB,
      array_buffers: 8 * MIB,
      native: 20 * MIB,
    });
  });

  it('is what was asked for when that is more: it was swapped out, or is yet to be touched', () => {
    const source = new MemorySource(() => 850 * MIB, readings(1000 * MIB, 100 * MIB));
    expect(source.read(0)['memory']).toBe(0.9);
  });

  it('looks the limit up again now and then', () => {
    const system = readings(1000 * MIB, 1);
    const source = new MemorySource(() => 0, system);
    for (let now = 0; now <= 20_000; now += 500) source.read(now);
    expect(system.asked).toBe(3);
  });

  it('of this process grows by what it allocates, off the heap and on it', () => {
    const source = new MemorySource(() => 0);
    const before = source.read(0);
    // Far more than what a collection of garbage may give back meanwhile.
    const buffer = Buffer.alloc(64 * MIB, 1);
    const objects = Array.from({ length: 2_000_000 }, (_, i) => ({ i }));
    const after = source.read(0);
    const grown = (name: string) => after[name]! - before[name]!;
    expect(grown('array_buffers')).toBeGreaterThan(buffer.length / 2);
    expect(grown('rss')).toBeGreaterThan(buffer.length / 2);
    expect(grown('heap_used')).toBeGreaterThan(objects.length * 8);
    expect(grown('memory')).toBeGreaterThan(0);
    expect(grown('heap')).toBeGreaterThan(0);
    expect(after['memory']).toBeLessThan(1);
  });
});

describe('the event loop', () => {
  /** Keeps the loop from turning for so long. */
  function hold(ms: number): void {
    const end = performance.now() + ms;
    while (performance.now() < end);
  }

  it('is late by a turn that took long', async () => {
    const source = new EventLoopSource();
    expect(source.read()).toBeNull();
    await pause(100);
    source.read();
    await pause(100);
    hold(300);
    await pause(50);
    const figures = source.read();
    expect(figures?.['event_loop']).toBeGreaterThan(150);
    expect(figures?.['event_loop_max']).toBeGreaterThan(150);
    expect(figures?.['event_loop_utilization']).toBeGreaterThan(0.5);
    source.close();
  });

  it('is late when one long turn follows another, though it is read between them', async () => {
    const source = new EventLoopSource();
    source.read();
    for (let turn = 0; turn < 4; turn++) {
      hold(200);
      expect(source.read()?.['event_loop']).toBeGreaterThan(turn === 0 ? 70 : 180);
      // The next turn begins right after the reading, timers that are due first.
      await pause(0);
    }
    source.close();
  });

  it.each([50, 70, 97, 121, 250])(
    'is late by almost all of its turns when each of them takes %i ms',
    async (turnMs) => {
      const source = new EventLoopSource();
      source.read();
      const end = performance.now() + 1000;
      while (performance.now() < end) {
        hold(turnMs);
        await new Promise((resolve) => setImmediate(resolve));
      }
      const { event_loop: late } = source.read() ?? {};
      expect(late).toBeGreaterThan(turnMs - 15);
      source.close();
    },
  );

  it('that has nothing to do is not late', async () => {
    const source = new EventLoopSource();
    source.read();
    // Others use this machine too: of some looks at it one is undisturbed.
    const calm = await until(async () => {
      await pause(200);
      const figures = source.read();
      return figures !== null && figures['event_loop']! < 10 ? figures : null;
    }, 'a calm moment');
    expect(calm['event_loop_utilization']).toBeLessThan(0.5);
    source.close();
  });
});

describe('the network', () => {
  const device = (name: string, received: number, drops: number, sent: number, lost: number) =>
    `${name}: ${received} 10 0 ${drops} 0 0 0 0 ${sent} 10 0 ${lost} 0 0 0 0\n`;
  const write = (system: FakeSystem, ...lines: string[]) =>
    system.inProc('net/dev', `Inter-|   Receive\n face |bytes packets\n${lines.join('')}`);

  it('is what all interfaces but loopback took in, gave out and dropped in a second', () => {
    const system = write(new FakeSystem(), device('    lo', 9, 9, 9, 9), device('  eth0', 1000, 0, 500, 1));
    const source = new NetworkSource(system.proc);
    expect(source.read(0)).toBeNull();
    const rows = [
      device('    lo', 99, 99, 99, 99),
      device('  eth0', 3000, 4, 1500, 3),
      device('eth1', 0, 0, 0, 0),
    ];
    write(system, ...rows);
    expect(source.read(2000)).toEqual({ network_in: 8000, network_out: 4000, network_dropped: 3 });
  });

  it('is read every two seconds', () => {
    const system = write(new FakeSystem(), device('eth0', 0, 0, 0, 0));
    const source = new NetworkSource(system.proc);
    const told = Array.from({ length: 9 }, (_, i) => source.read(i * 500) !== null);
    expect(told).toEqual([false, false, false, false, true, false, false, false, true]);
  });

  it('is never negative: an interface that goes away takes its counts along', () => {
    const system = write(new FakeSystem(), device('eth0', 5000, 5, 5000, 5));
    const source = new NetworkSource(system.proc);
    source.read(0);
    write(system, device('eth1', 0, 0, 0, 0));
    expect(source.read(2000)).toEqual({ network_in: 0, network_out: 0, network_dropped: 0 });
  });

  it('fails where it cannot be read', () => {
    expect(() => new NetworkSource(new FakeSystem().proc).read(0)).toThrow(/ENOENT/);
  });
});

describe('descriptors', () => {
  const limits = (most: string) =>
    `Limit                     Soft Limit\nMax open files            ${most}    4096    files\n`;

  it.each([
    ['1024', 1024],
    ['unlimited', Number.POSITIVE_INFINITY],
  ])('count against a limit of %s', (text, limit) => {
    const system = new FakeSystem().inProc('self/limits', limits(text)).inProc('self/fd/0', '');
    const figures = new DescriptorSource(system.proc).read(0);
    const open = figures!['descriptors_open']!;
    expect(figures).toEqual({ descriptors: open / limit, descriptors_open: open, descriptors_limit: limit });
    expect(open).toBeGreaterThan(0);
  });

  it('that are not told of are an error, never zero', () => {
    const system = new FakeSystem().inProc('self/limits', 'Max cpu time\n').inProc('self/fd/0', '');
    expect(() => new DescriptorSource(system.proc).read(0)).toThrow(/limit of open files/);
    expect(() => new DescriptorSource(new FakeSystem().proc).read(0)).toThrow(/ENOENT/);
  });

  it('of this process are some', () => {
    const figures = new DescriptorSource().read(0);
    expect(figures?.['descriptors_open']).toBeGreaterThan(3);
    expect(figures?.['descriptors']).toBeLessThan(1);
  });
});

it('all sources of this machine answer, and name their figures after themselves', async () => {
  for (const source of machineSources(() => 7)) {
    await source.read(0);
    await pause(30);
    const figures = await source.read(10_000);
    expect(figures, source.name).not.toBeNull();
    expect(
      Object.keys(figures ?? {}).every(
        (name) => /^(heap|rss|external|array_buffers|native$)/.test(name) || name.startsWith(source.name),
      ),
      source.name,
    ).toBe(true);
    for (const value of Object.values(figures ?? {})) expect(value).toBeGreaterThanOrEqual(0);
    source.close?.();
  }
});
