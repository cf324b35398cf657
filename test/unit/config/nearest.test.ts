import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from '../../../src/config/nearest.ts';

describe('the nearest known word', () => {
  it.each([
    ['', '', 0],
    ['abc', 'abc', 0],
    ['abc', 'acb', 1],
    ['abc', 'ab', 1],
    ['abc', 'xabc', 1],
    ['abc', 'axc', 1],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
  ])('%s and %s are %d edits apart', (a, b, expected) => {
    expect(editDistance(a, b)).toBe(expected);
    expect(editDistance(b, a)).toBe(expected);
  });

  it.each([
    ['max_bitrat', 'max_bitrate'],
    ['max-bitrate', 'max_bitrate'],
    ['MAX_FPS', 'max_fps'],
    ['maxfps', 'max_fps'],
    ['colour', undefined],
    ['x'.repeat(200), undefined],
  ])('%s means %s', (word, expected) => {
    expect(nearest(word, ['max_bitrate', 'max_fps', 'grace'])).toBe(expected);
  });
});
