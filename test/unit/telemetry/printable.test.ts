import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeUnsafe, printable } from '../../../src/telemetry/printable.ts';

test.each([
  ['/live/cam1', '/live/cam1'],
  ['Jürgen ☕ 🎥', 'Jürgen ☕ 🎥'],
  ['\u001b[31m', '\\u001b[31m'],
  ['\u009b31m', '\\u009b31m'],
  ['a\nb', 'a\\u000ab'],
  ['\u202egnp.exe', '\\u202egnp.exe'],
  ['\ud800', '\\ud800'],
  ['a\u200bb\ufeff', 'a\\u200bb\\ufeff'],
  ['\u{e0001}', '\\udb40\\udc01'],
])('%j is shown as %j', (text, shown) => {
  expect(escapeUnsafe(text)).toBe(shown);
});

test('long texts are cut', () => {
  expect(printable('x'.repeat(300))).toHaveLength(257);
  expect(printable('abcdef', 3)).toBe('abc…');
});

test('nothing unsafe is left of any text, and escaped JSON means the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(escapeUnsafe(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      expect(JSON.parse(escapeUnsafe(JSON.stringify(text)))).toBe(text);
    }),
  );
});
