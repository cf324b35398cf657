import { expect, it } from 'vitest';
import { bitrateLimit, limitWords } from '../../../../src/core/words/limits.ts';

it.each([
  [6_000_000, '6Mbps'],
  [6_144_000, '6144kbps'],
  [1_500, '1500bps'],
  [4_750_000, '4.75Mbps'],
  [5_000_000 * 0.8 * 0.8 * 0.8, '2.56Mbps'],
  [4_749_999.999_999_999, '4.75Mbps'],
  [1_364_797, '1365kbps'],
  [8e9, '8Gbps'],
  [null, 'unlimited'],
])('a limit of %s bits per second is %s', (bps, words) => {
  expect(bitrateLimit(bps)).toBe(words);
});

it('a receipt speaks of a share of a budget in the same words', () => {
  expect(limitWords('global_bandwidth', 4_749_999.999_999, null)).toBe('4.75Mbps');
});
