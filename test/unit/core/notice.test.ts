import { expect, test } from 'vitest';
import { describeNotice } from '../../../src/core/notice.ts';

test('a cut is told in one line that people and programs read', () => {
  expect(
    describeNotice({
      reason: 'stream_bitrate',
      limit: 6e6,
      observed: 8.2e6,
      windowMs: 2_000,
      retryAfterMs: 30_000,
      receipt: 'r-1f3c',
    }),
  ).toBe('headgate: stream_bitrate limit=6000kbps observed=8200kbps retry_after=30s receipt=r-1f3c');
});

test.each([
  ['global_bandwidth', 2e9, 'limit=2000000kbps'],
  ['stream_fps', 60, 'limit=60fps'],
  ['stream_packet_rate', 2000, 'limit=2000/s'],
  ['client_streams', 3, 'limit=3'],
  ['shed', 1.5e6, 'limit=1500kbps'],
  ['resource_cpu', 0.9, 'limit=90%'],
  ['resource_heap', 0.85, 'limit=85%'],
  ['resource_memory', 0.9004, 'limit=90%'],
  ['resource_event_loop', 200, 'limit=200ms'],
] as const)('%s has its own unit', (reason, limit, expected) => {
  expect(
    describeNotice({ reason, limit, observed: null, windowMs: null, retryAfterMs: 0, receipt: 'r-1' }),
  ).toContain(expected);
});

test('a promise in whole seconds never comes early, and never is said as such', () => {
  const told = (retryAfterMs: number | null) =>
    describeNotice({
      reason: 'cooldown',
      limit: null,
      observed: null,
      windowMs: null,
      retryAfterMs,
      receipt: 'r-1',
    });
  expect(told(1)).toContain('retry_after=1s');
  expect(told(29_001)).toContain('retry_after=30s');
  expect(told(Number.POSITIVE_INFINITY)).toContain('retry_after=never');
  expect(told(null)).toContain('retry_after=never');
});

test('a closed gate is told in the unit of what closed it', () => {
  const closed = { windowMs: 5_000, retryAfterMs: 5_000, receipt: 'r-1' } as const;
  expect(describeNotice({ reason: 'resource_cpu', limit: 0.9, observed: 0.9432, ...closed })).toBe(
    'headgate: resource_cpu limit=90% observed=94.3% retry_after=5s receipt=r-1',
  );
  expect(describeNotice({ reason: 'resource_event_loop', limit: 200, observed: 312.48, ...closed })).toBe(
    'headgate: resource_event_loop limit=200ms observed=312.5ms retry_after=5s receipt=r-1',
  );
});
