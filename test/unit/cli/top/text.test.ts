import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bar, styleOfUse } from '../../../../src/cli/top/bar.ts';
import { clip, joinFitting, pad, paint, printable, span, widthOf } from '../../../../src/cli/top/text.ts';

/** Control, formatting and unassigned characters, and halves of pairs. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u;

describe('text for a terminal', () => {
  it.each([
    ['cam1', 'cam1'],
    ['a\x1b[2Jb', 'a\\u{1b}[2Jb'],
    ['\u202egnp.exe', '\\u{202e}gnp.exe'],
    ['zero\u200bwidth', 'zero\\u{200b}width'],
    ['half \ud800 pair', 'half \\u{d800} pair'],
    ['\x9b31m', '\\u{9b}31m'],
    ['e\u0301', '\u00e9'],
    ['カメラ', 'カメラ'],
  ])('%j is shown as %j', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('keeps marks from piling up over other lines', () => {
    expect(printable(`x${'\u0336'.repeat(100)}`)).toBe(`x${'\u0336'.repeat(4)}`);
  });

  it.each([
    ['cam1', 4],
    ['カメラ', 6],
    ['ｶﾒﾗ', 3],
    ['舞台', 4],
    ['한국', 4],
    ['🎥', 2],
    ['é', 1],
    ['a\u0336', 1],
    ['Ｆ', 2],
  ])('%s takes %d cells', (text, cells) => {
    expect(widthOf(text)).toBe(cells);
  });

  it('clips by cells, never half a wide character, and says that it did', () => {
    expect(clip('カメラ', 6)).toBe('カメラ');
    expect(clip('カメラ', 5)).toBe('カメ~');
    expect(clip('カメラ', 4)).toBe('カ~');
    expect(pad('カメラ', 4)).toBe('カ~ ');
    expect(pad('7', 3, 'right')).toBe('  7');
    expect(clip('cam1', 0)).toBe('');
  });

  it('leaves out the parts that do not fit, and never the first', () => {
    const parts = [[span('first')], [span('much too long to fit')], [span('last')]];
    expect(joinFitting(parts, 11).map(({ text }) => text)).toEqual(['first', '  ', 'last']);
    expect(joinFitting(parts, 2)[0]?.text).toBe('first');
  });

  it('paints plain text without colour, and reverses a whole line with it', () => {
    const line = { spans: [span('ok', 'good'), span(' rest')], reverse: true };
    expect(paint(line, 10, false)).toBe('ok rest');
    expect(paint(line, 10, true)).toBe('\x1b[32;7mok\x1b[0m\x1b[7m rest\x1b[0m\x1b[7m   \x1b[0m');
  });

  it('property: whatever a name holds, nothing hidden is painted and no cell too many', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.integer({ min: 0, max: 40 }),
        (name, columns) => {
          const painted = paint({ spans: [span(name), span(name, 'bad')] }, columns, false);
          expect(painted).not.toMatch(HIDDEN);
          expect(widthOf(painted)).toBeLessThanOrEqual(columns);
          expect(widthOf(pad(name, columns))).toBe(columns);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('bar', () => {
  it.each([
    [0, '░░░░'],
    [0.03125, '▏░░░'],
    [0.435, '█▊░░'],
    [0.5, '██░░'],
    [0.999, '████'],
    [1, '████'],
    [7, '████'],
    [-1, '░░░░'],
  ])('%d of four cells is %s', (fraction, drawn) => {
    expect(bar(fraction, 4, true)).toBe(drawn);
  });

  it('draws in ASCII where nothing else is safe', () => {
    expect([0, 0.4, 1, 2].map((fraction) => bar(fraction, 5, false))).toEqual([
      '-----',
      '##---',
      '#####',
      '#####',
    ]);
  });

  it('property: is always as wide as asked', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 2, noNaN: true }),
        fc.nat(40),
        fc.boolean(),
        (fraction, cells, unicode) => {
          expect(widthOf(bar(fraction, cells, unicode))).toBe(cells);
        },
      ),
    );
  });

  it('turns from good to near to over', () => {
    expect([0.5, 0.85, 1, 1.01].map(styleOfUse)).toEqual(['good', 'warn', 'warn', 'bad']);
  });
});
