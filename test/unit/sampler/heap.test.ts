import { describe, expect, it } from 'vitest';
import { oldGenerationLimit, readHeap } from '../../../src/sampler/heap.ts';

const MIB = 1024 * 1024;

describe('the limit of the old generation', () => {
  it.each([
    ['is what was asked for', '--max-old-space-size=256', 256],
    ['in either spelling', '--max_old_space_size=256', 256],
    ['the last time', '--max-old-space-size=512 --enable-source-maps --max-old-space-size=256', 256],
    ['without the part of the young one where nothing was', '--max-semi-space-size=4', (448 * 64) / 67],
    ['the same where none was asked for in so many words', '--max-old-space-size=0', (448 * 64) / 67],
    ['never above that of the whole heap', '--max-old-space-size=9000', 448],
  ])('%s', (_name, args, mib) => {
    expect(oldGenerationLimit(448 * MIB, args) / MIB).toBeCloseTo(mib, 6);
  });
});

describe('the heap of this process', () => {
  it('counts what stays, and not the garbage of the moment', () => {
    const before = readHeap();
    const kept = Array.from({ length: 2 * MIB }, (_, i) => i + 0.5);
    const { used, limit, committed } = readHeap();
    expect(used - before.used).toBeGreaterThan(12 * MIB);
    expect(kept.length).toBe(2 * MIB);
    expect(used).toBeLessThan(committed);
    expect(limit).toBeGreaterThan(used);
  });
});
