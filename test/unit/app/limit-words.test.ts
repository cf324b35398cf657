import { expect, test } from 'vitest';
import { limitChangeWords } from '../../../src/app/limit-change-words.ts';

test.each([
  [{ max_bitrate: 400_000 }, 600_000, 'max_bitrate=400kbps for 10m'],
  [{ max_bitrate: 4e6, on_exceed: 'drop' }, null, 'max_bitrate=4Mbps on_exceed=drop until the stream ends'],
  [
    { max_fps: Number.POSITIVE_INFINITY, grace: Number.POSITIVE_INFINITY },
    90_000,
    'max_fps=unlimited grace=never for 90s',
  ],
  [{ max_packets_per_sec: 100, max_fps: null }, 60_000, 'max_packets_per_sec=100/s max_fps=config for 1m'],
  [{ max_fps: null }, null, 'max_fps=config'],
  [{}, null, 'nothing was overridden'],
] as const)('%j for %s ms is %s', (change, forMs, words) => {
  expect(limitChangeWords(change, forMs)).toBe(words);
});
