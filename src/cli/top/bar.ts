/** A bar of how much of a limit is in use, to an eighth of a cell where the terminal has the characters. */
import type { Style } from './text.ts';

/** U+2588 to U+258F: a full block, and its left seven eighths down to one. */
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;
const FULL = '█';
const REST = '░';

/** The bar of a fraction, `cells` wide; more than the limit is a full bar. */
export function bar(fraction: number, cells: number, unicode: boolean): string {
  const share = Math.min(1, Math.max(0, fraction));
  if (!unicode) {
    const full = Math.round(share * cells);
    return '#'.repeat(full) + '-'.repeat(cells - full);
  }
  const eighths = Math.round(share * cells * 8);
  const drawn = FULL.repeat(eighths >> 3) + EIGHTHS[eighths & 7]!;
  return drawn + REST.repeat(cells - Math.ceil(eighths / 8));
}

/** Fraction of a limit from which its use is worth a glance. */
const NEAR = 0.85;

export function styleOfUse(fraction: number): Style {
  if (fraction > 1) return 'bad';
  return fraction >= NEAR ? 'warn' : 'good';
}
