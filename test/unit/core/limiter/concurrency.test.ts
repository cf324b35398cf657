import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Concurrency } from '../../../../src/core/limiter/concurrency.ts';
import { AT_RELEASE, type Limiter, NEVER } from '../../../../src/core/limiter/limiter.ts';

describe('concurrency', () => {
  it('speaks the port: passes, not yet without a time, never', () => {
    const limiter: Limiter = new Concurrency(3);
    expect(limiter.take(2, 0)).toBe(0);
    expect(limiter.peek(2, 0)).toBe(AT_RELEASE);
    expect(limiter.peek(1, 0)).toBe(0);
    expect(limiter.take(4, 0)).toBe(NEVER);
    expect(limiter.remaining(0)).toBe(1);
  });

  it('holds until released, however much time passes', () => {
    const limiter = new Concurrency(1);
    limiter.take(1);
    expect(limiter.take(1)).toBe(AT_RELEASE);
    limiter.release(1);
    expect(limiter.take(1)).toBe(0);
  });

  it('a denied take holds nothing', () => {
    const limiter = new Concurrency(2);
    limiter.take(2);
    for (let i = 0; i < 10; i += 1) limiter.take(1);
    expect(limiter.held).toBe(2);
    limiter.release(2);
    expect(limiter.held).toBe(0);
  });

  it('a lease gives back once, however often it is released', () => {
    const limiter = new Concurrency(2);
    const lease = limiter.acquire(2);
    expect(limiter.acquire(1)).toBeNull();
    lease?.release(0);
    lease?.release(1);
    expect(limiter.held).toBe(0);
    expect(limiter.acquire(1)).not.toBeNull();
    lease?.release(2);
    expect(limiter.held).toBe(1);
  });

  it('a lower limit takes nothing away and bites as holders leave', () => {
    const limiter = new Concurrency(4);
    limiter.take(4);
    limiter.setLimit(2);
    expect(limiter.remaining()).toBe(0);
    limiter.release(2);
    expect(limiter.take(1)).toBe(AT_RELEASE);
    limiter.release(1);
    expect(limiter.take(1)).toBe(0);
  });

  it('admits nothing at 0 and everything at Infinity', () => {
    expect(new Concurrency(0).take(1)).toBe(NEVER);
    expect(new Concurrency(0).take(0)).toBe(0);
    const unlimited = new Concurrency(Number.POSITIVE_INFINITY);
    expect(unlimited.take(1e9)).toBe(0);
    expect(unlimited.remaining()).toBe(Number.POSITIVE_INFINITY);
  });

  it('treats fractions, negatives and a release too many as mistakes of the program', () => {
    const limiter = new Concurrency(2);
    expect(() => limiter.take(0.5)).toThrow(RangeError);
    expect(() => limiter.take(-1)).toThrow(RangeError);
    expect(() => limiter.release(1)).toThrow(RangeError);
    expect(() => new Concurrency(1.5)).toThrow(RangeError);
    expect(() => limiter.setLimit(Number.NaN)).toThrow(RangeError);
  });

  it('property: what is held equals what was taken and not released, and never exceeds the limit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20 }),
        fc.array(fc.integer({ min: 0, max: 8 })),
        (limit, costs) => {
          const limiter = new Concurrency(limit);
          const held: number[] = [];
          for (const [turn, cost] of costs.entries()) {
            if (turn % 3 === 2 && held.length > 0) limiter.release(held.pop()!);
            else if (limiter.take(cost) === 0) held.push(cost);
            const sum = held.reduce((units, each) => units + each, 0);
            expect(limiter.held).toBe(sum);
            expect(sum).toBeLessThanOrEqual(limit);
            expect(limiter.peek(limiter.remaining())).toBe(0);
          }
        },
      ),
    );
  });
});
