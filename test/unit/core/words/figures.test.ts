import { describe, expect, it } from 'vitest';
import {
  formatBitRate,
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
} from '../../../../src/core/words/figures.ts';

describe('format', () => {
  it.each([
    [0, '0 bps'],
    [999.4, '999 bps'],
    [999.6, '1.00 kbps'],
    [64_000, '64.0 kbps'],
    [99_960, '100 kbps'],
    [999_400, '999 kbps'],
    [999_500, '1.00 Mbps'],
    [2_610_000, '2.61 Mbps'],
    [9_996_000, '10.0 Mbps'],
    [20_000_000, '20.0 Mbps'],
    [2e9, '2.00 Gbps'],
    [5e15, '5000 Tbps'],
  ])('a bit rate of %d is %s', (bps, text) => {
    expect(formatBitRate(bps)).toBe(text);
  });

  it.each([
    [840, '840 B'],
    [19_900_000, '19.9 MB'],
    [1.21e9, '1.21 GB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [0, '0'],
    [9999, '9999'],
    [12_345, '12.3k'],
    [1_200_000, '1.20M'],
  ])('a count of %d is %s', (count, text) => {
    expect(formatCount(count)).toBe(text);
  });

  it.each([
    [0, '0ms'],
    [350.4, '350ms'],
    [1000, '1.0s'],
    [4290, '4.2s'],
    [42_900, '42s'],
    [61_000, '1m01s'],
    [7_500_000, '2h05m'],
    [273_600_000, '3d04h'],
  ])('%d ms are %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('shows the tenth of a rate where it tells something', () => {
    expect([60, 29.94, 59.96, 2000.4, 0].map(formatRate)).toEqual(['60', '29.9', '60', '2000', '0']);
    expect([0.435, 1.015, 0].map(formatPercent)).toEqual(['44%', '101%', '0%']);
  });
});
