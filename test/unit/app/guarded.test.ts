import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { guarded } from '../../../src/app/guarded.ts';
import type { Source } from '../../../src/sampler/sampler.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A source of that name that fails while it is told to. */
function source(name: string) {
  const made = { name, fails: false, asked: 0, closed: 0 };
  const read = () => {
    made.asked++;
    if (made.fails) throw new Error('no such file');
    return { [name]: 1 };
  };
  return { made, source: { name, read, close: () => void made.closed++ } satisfies Source };
}

const statesOf = (sources: readonly Source[]) => sources.at(-1)?.read(0);

test('only what asks the system is guarded, and the breakers tell how they stand', async () => {
  const cpu = source('cpu');
  const memory = source('memory');
  const sources = guarded([cpu.source, memory.source]);
  expect(sources.map(({ name }) => name)).toEqual(['cpu', 'memory', 'breakers']);
  expect(sources[1]).toBe(memory.source);
  expect(await sources[0]?.read(0)).toEqual({ cpu: 1 });
  expect(statesOf(sources)).toEqual({ breaker_cpu: 0 });
});

test('a source that keeps failing is left alone, probed, and taken back', async () => {
  const cpu = source('cpu');
  const sources = guarded([cpu.source]);
  cpu.made.fails = true;
  for (let i = 0; i < 4; i++) await expect(sources[0]?.read(0)).rejects.toThrow('no such file');
  expect(statesOf(sources)).toEqual({ breaker_cpu: 2 });
  await expect(sources[0]?.read(0)).rejects.toThrow(
    'the sampler of cpu is left alone for a while: no such file',
  );
  expect(cpu.made.asked).toBe(4);
  cpu.made.fails = false;
  vi.advanceTimersByTime(2_000);
  const probe = sources[0]?.read(0);
  expect(statesOf(sources)).toEqual({ breaker_cpu: 1 });
  expect(await probe).toEqual({ cpu: 1 });
  expect(statesOf(sources)).toEqual({ breaker_cpu: 0 });
});

test('closing reaches the source', () => {
  const cpu = source('cpu');
  for (const each of guarded([cpu.source])) each.close?.();
  expect(cpu.made.closed).toBe(1);
});
