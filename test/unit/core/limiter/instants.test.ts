import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { delayUntil, nextAbove, nextBelow } from '../../../../src/core/limiter/instants.ts';

describe('instants', () => {
  it.each([
    [0, Number.MIN_VALUE],
    [1, 1 + Number.EPSILON],
    [2 ** 21 - 2 ** -32, 2 ** 21],
    [-1, -1 + Number.EPSILON / 2],
    [-Number.MIN_VALUE, 0],
    [Number.MAX_SAFE_INTEGER, 2 ** 53],
  ])('the double above %d is %d', (x, above) => {
    expect(nextAbove(x) === above).toBe(true);
    expect(nextBelow(above) === x).toBe(true);
  });

  it('property: nothing lies between a double and its neighbour', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e300, max: 1e300, noNaN: true }), (x) => {
        const above = nextAbove(x);
        expect(above).toBeGreaterThan(x);
        const middle = x / 2 + above / 2;
        expect(middle === x || middle === above).toBe(true);
        expect(nextBelow(above) - x).toBe(0);
      }),
    );
  });

  it('property: a delay leads to its instant, or to the first one after it that a delay can name', () => {
    const instant = fc.double({ min: 0, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(instant, instant, (a, b) => {
        fc.pre(a !== b);
        const now = Math.min(a, b);
        const later = Math.max(a, b);
        const delayMs = delayUntil(later, now);
        expect(now + delayMs).toBeGreaterThanOrEqual(later);
        expect(now + delayMs).toBeLessThanOrEqual(nextAbove(later));
        if (now + delayMs > later) expect(now + nextBelow(delayMs)).toBeLessThan(later);
      }),
      { numRuns: 1000 },
    );
  });

  it('does not promise an instant too early where no delay names it exactly', () => {
    const instant = 5 + 3 * 2 ** -50;
    const now = 0.5 + 2 ** -51;
    expect(now + delayUntil(instant, now)).toBeGreaterThan(instant);
  });
});
