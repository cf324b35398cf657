import { expect, test } from 'vitest';
import { bindingUse, mostUsed, nearnessOf, usesOf } from '../../../web/streams/use.ts';
import { stream } from '../cli/top/samples.ts';

test.each<[number | null, number, string]>([
  [null, 0, 'none'],
  [6e6, 0, 'free'],
  [6e6, 0.799, 'free'],
  [6e6, 0.8, 'near'],
  [6e6, 0.969, 'near'],
  [6e6, 0.97, 'at'],
  [6e6, 1.03, 'at'],
  [6e6, 1.04, 'over'],
])('of a limit of %s, %s is %s', (limit, fraction, nearness) => {
  expect(nearnessOf(limit, fraction)).toBe(nearness);
});

test('the limit that binds is the one nearest to its end', () => {
  const one = stream('a', {
    limits: { max_bitrate_bps: 6e6, max_fps: 30, sources: { max_fps: 'policies[0] slow' } },
    usage: { fps: 29, wall_fps: 31 },
    utilization: { bitrate: 0.4, fps: 1.033, packets: 0.1 },
  });
  expect(bindingUse(one)).toMatchObject({
    kind: 'fps',
    seen: 31,
    limit: 30,
    nearness: 'over',
    source: 'policies[0] slow',
  });
  expect(mostUsed(one)).toBe(1.033);
});

test('a share below the limit takes its place, one above it does not', () => {
  const base = {
    limits: { max_bitrate_bps: 6e6 },
    usage: { bitrate_bps: 2e6 },
    utilization: { bitrate: 0.333 },
  };
  const squeezed = stream('a', { ...base, share: { ceiling_bps: 2e6, by: 'client' } });
  expect(usesOf(squeezed)[0]).toMatchObject({ limit: 2e6, fraction: 1, nearness: 'at', by: 'client' });
  const roomy = stream('a', { ...base, share: { ceiling_bps: 8e6, by: 'client' } });
  expect(usesOf(roomy)[0]).toMatchObject({ limit: 6e6, fraction: 0.333, by: null });
});

test('what is unlimited never binds', () => {
  const free = stream('a', {
    limits: { max_bitrate_bps: null, max_fps: null, max_packets_per_sec: null },
    utilization: { bitrate: 0, fps: 0, packets: 0 },
  });
  expect(bindingUse(free)).toBeNull();
  expect(usesOf(free).map(({ nearness }) => nearness)).toEqual(['none', 'none', 'none']);
});
