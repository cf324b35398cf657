import { describe, expect, it } from 'vitest';
import { Cooldowns } from '../../../../src/core/admission/cooldowns.ts';

describe('Cooldowns', () => {
  it('drops what is over as new ones start, whatever order they end in', () => {
    const cooldowns = new Cooldowns(1000);
    cooldowns.start('long', 1e9, 'kicked', 0);
    for (let i = 0; i < 10_000; i++) cooldowns.start(`k${i}`, i % 2 === 0 ? 5 : 50, 'kicked', i);
    expect(cooldowns.size).toBeLessThan(150);
    expect(cooldowns.forgotten).toBe(0);
    expect(cooldowns.remainingMs('long', 10_000)).toBe(1e9 - 10_000);
  });

  it('forgets the oldest when full of running ones, and counts it', () => {
    const cooldowns = new Cooldowns(3);
    for (const key of ['a', 'b', 'c']) cooldowns.start(key, 100, 'kicked', 0);
    cooldowns.start('a', 200, 'kicked', 0);
    cooldowns.start('d', 100, 'kicked', 0);
    expect([...cooldowns.running(0)].map(([key]) => key)).toEqual(['c', 'a', 'd']);
    expect(cooldowns.forgotten).toBe(1);
  });

  it('shows only those still running', () => {
    const cooldowns = new Cooldowns(10);
    cooldowns.start('a', 100, 'stream_bitrate', 0);
    cooldowns.start('b', 200, 'kicked', 0);
    expect([...cooldowns.running(100)]).toEqual([['b', { untilMs: 200, cause: 'kicked' }]]);
    cooldowns.evictIdle(200, 10);
    expect(cooldowns.size).toBe(0);
  });
});
