import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BITRATE,
  type Dimension,
  DURATION,
  FPS,
  formatQuantity,
  PERCENT,
  parseQuantity,
  RATE,
  SIZE,
} from '../../src/core/units.ts';

const DIMENSIONS = { BITRATE, DURATION, FPS, PERCENT, RATE, SIZE };

/** Up to nine digits with up to six behind the point, and any unit of the dimension. */
function quantityOf(dimension: Dimension): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.integer({ min: 0, max: 999_999_999 }),
      fc.integer({ min: 0, max: 6 }),
      fc.constantFrom(...dimension.units.map((unit) => unit.unit)),
    )
    .map(([mantissa, decimals, unit]) => {
      const digits = String(mantissa).padStart(decimals + 1, '0');
      const cut = digits.length - decimals;
      return `${digits.slice(0, cut)}${decimals > 0 ? `.${digits.slice(cut)}` : ''}${unit}`;
    });
}

describe('parsing and formatting are inverses', () => {
  for (const [name, dimension] of Object.entries(DIMENSIONS)) {
    it(`for every quantity of ${name}`, () => {
      fc.assert(
        fc.property(quantityOf(dimension), (text) => {
          const parsed = parseQuantity(text, dimension);
          if (!parsed.ok) {
            expect(parsed.problem).toContain('is too large');
            return;
          }
          const formatted = formatQuantity(parsed.value, dimension);
          expect(parseQuantity(formatted, dimension)).toEqual(parsed);
        }),
        { numRuns: 500 },
      );
    });
  }

  it('never throws, and never gives a number that is negative or not finite', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.double(), fc.stringMatching(/^[0-9.,+-]{0,8}[a-zA-Z/%]{0,5}$/)),
        (text) => {
          for (const dimension of Object.values(DIMENSIONS)) {
            const parsed = parseQuantity(text, dimension);
            if (parsed.ok) expect(parsed.value >= 0 && Number.isFinite(parsed.value)).toBe(true);
            else expect(parsed.problem).not.toContain('\n');
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
