import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Claims, fillWater } from '../../src/core/fairness/water-fill.ts';

interface Claim {
  readonly weight: number;
  readonly floor: number;
  readonly ceiling: number;
}

const amount = fc.oneof(
  fc.constant(0),
  fc.double({ min: 1e-3, max: 1e9, noNaN: true }),
  fc.integer({ min: 0, max: 100 }),
);

const claim: fc.Arbitrary<Claim> = fc.record({
  weight: fc.oneof(fc.integer({ min: 1, max: 101 }), fc.double({ min: 0.01, max: 1000, noNaN: true })),
  floor: fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, amount),
  ceiling: fc.oneof(amount, fc.constant(Number.POSITIVE_INFINITY)),
});

const capacities = fc.oneof(amount, fc.constant(Number.POSITIVE_INFINITY));

function columns(list: readonly Claim[]): Claims {
  return {
    weights: Float64Array.from(list, ({ weight }) => weight),
    floors: Float64Array.from(list, ({ floor }) => floor),
    ceilings: Float64Array.from(list, ({ ceiling }) => ceiling),
  };
}

function sharesOf(list: readonly Claim[], capacity: number): number[] {
  const out = new Float64Array(list.length);
  fillWater(columns(list), 0, list.length, capacity, out);
  return [...out];
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

/** Rounding of a sum of a few hundred doubles, as a part of it. */
const ROUNDING = 1e-9;

describe('water-filling', () => {
  it('uses the whole capacity, or gives everybody all it can take', () => {
    fc.assert(
      fc.property(fc.array(claim, { maxLength: 200 }), capacities, (list, capacity) => {
        const wanted = Math.min(capacity, sum(list.map(({ ceiling }) => ceiling)));
        const given = sum(sharesOf(list, capacity));
        if (wanted === Number.POSITIVE_INFINITY) expect(given).toBe(wanted);
        else expect(Math.abs(given - wanted)).toBeLessThanOrEqual(ROUNDING * Math.max(1, wanted));
      }),
    );
  });

  it('gives nobody more than its ceiling, and nobody less than its floor while the floors fit', () => {
    fc.assert(
      fc.property(fc.array(claim, { maxLength: 100 }), capacities, (list, capacity) => {
        const floors = list.map(({ floor, ceiling }) => Math.min(floor, ceiling));
        const fit = sum(floors) <= capacity;
        for (const [i, share] of sharesOf(list, capacity).entries()) {
          expect(share).toBeLessThanOrEqual(list[i]!.ceiling);
          expect(share).toBeGreaterThanOrEqual(0);
          if (fit) expect(share).toBeGreaterThanOrEqual(floors[i]!);
        }
      }),
    );
  });

  it('is max-min fair: who wants more has at least as much, weight for weight, as anybody above its floor', () => {
    fc.assert(
      fc.property(
        fc.array(claim, { minLength: 2, maxLength: 60 }),
        fc.double({ min: 1e-3, max: 1e9, noNaN: true }),
        (list, capacity) => {
          const shares = sharesOf(list, capacity);
          const floors = sum(list.map(({ floor, ceiling }) => Math.min(floor, ceiling)));
          if (floors >= capacity) return;
          const hungry = shares
            .map((share, i) => ({ share, ...list[i]! }))
            .filter(({ share, ceiling }) => share < ceiling * (1 - ROUNDING));
          const lowest = Math.min(...hungry.map(({ share, weight }) => share / weight));
          for (const [i, share] of shares.entries()) {
            const { weight, floor } = list[i]!;
            if (share > floor * (1 + ROUNDING))
              expect(share / weight).toBeLessThanOrEqual(lowest * (1 + ROUNDING));
          }
        },
      ),
    );
  });

  it('asking for more than one gets gains nothing but the floor that one was always promised', () => {
    fc.assert(
      fc.property(
        fc.array(claim, { minLength: 1, maxLength: 50 }),
        fc.double({ min: 1, max: 1e9, noNaN: true }),
        fc.nat(),
        (list, capacity, pick) => {
          const i = pick % list.length;
          // A ceiling below the floor cuts the floor short: to lift it is to claim the rest of what is promised.
          fc.pre(list[i]!.floor <= list[i]!.ceiling);
          const before = sharesOf(list, capacity)[i]!;
          if (before >= list[i]!.ceiling) return;
          const greedier = list.map((each, at) =>
            at === i ? { ...each, ceiling: Number.POSITIVE_INFINITY } : each,
          );
          const after = sharesOf(greedier, capacity)[i]!;
          expect(Math.abs(after - before)).toBeLessThanOrEqual(ROUNDING * Math.max(1, before));
        },
      ),
    );
  });

  it('a ceiling below the floor cuts it short, also where the floors do not fit', () => {
    const other = { weight: 1, floor: 30, ceiling: 100 };
    expect(sharesOf([{ weight: 1, floor: 30, ceiling: 10 }, other], 20)).toEqual([5, 15]);
    expect(sharesOf([{ weight: 1, floor: 30, ceiling: 100 }, other], 20)).toEqual([10, 10]);
  });

  it('floors that do not fit shrink together', () => {
    const list = [
      { weight: 1, floor: 30, ceiling: 100 },
      { weight: 9, floor: 10, ceiling: 100 },
    ];
    expect(sharesOf(list, 20)).toEqual([15, 5]);
  });

  it('four that want much and one that wants little', () => {
    const list = [2.66, 2.66, 2.66, 2.66, 0.6].map((ceiling) => ({ weight: 51, floor: 0, ceiling }));
    const shares = sharesOf(list, 5);
    expect(shares[4]).toBe(0.6);
    for (const share of shares.slice(0, 4)) expect(share).toBeCloseTo(1.1, 12);
  });

  it('weights share what is left by weight', () => {
    const list = [11, 51, 91].map((weight) => ({ weight, floor: 0, ceiling: 1000 }));
    const shares = sharesOf(list, 153);
    expect(shares.map(Math.round)).toEqual([11, 51, 91]);
  });
});
