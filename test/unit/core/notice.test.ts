import { expect, test } from 'vitest';
import { describeNotice, type Notice } from '../../../src/core/notice.ts';

const PLAIN: Notice = {
  reason: 'denied',
  limit: null,
  observed: null,
  windowMs: null,
  retryAfterMs: null,
  receipt: 'r-1f3c',
};

test.each<[Partial<Notice>, string]>([
  [{}, 'headgate: denied retry_after=never receipt=r-1f3c'],
  [
    { reason: 'stream_bitrate', limit: 6e6, observed: 8_200_400, windowMs: 2_000, retryAfterMs: 30_000 },
    'headgate: stream_bitrate limit=6000kbps observed=8200kbps retry_after=30s receipt=r-1f3c',
  ],
  [
    { reason: 'client_publish_rate', limit: 100, observed: 101, windowMs: 60_000, retryAfterMs: 600 },
    'headgate: client_publish_rate limit=100/min observed=101/min retry_after=1s receipt=r-1f3c',
  ],
  [
    { reason: 'ip_connection_rate', limit: 10, observed: 11, windowMs: 1_000, retryAfterMs: 1 },
    'headgate: ip_connection_rate limit=10/s observed=11/s retry_after=1s receipt=r-1f3c',
  ],
  [
    { reason: 'stream_packet_rate', limit: 2_000, observed: 2_113.26, windowMs: 2_000, retryAfterMs: 0 },
    'headgate: stream_packet_rate limit=2000/s observed=2113.3/s retry_after=0s receipt=r-1f3c',
  ],
  [
    { reason: 'stream_fps', limit: 30, observed: 59.94, retryAfterMs: Number.POSITIVE_INFINITY },
    'headgate: stream_fps limit=30fps observed=59.9fps retry_after=never receipt=r-1f3c',
  ],
  [
    { reason: 'global_streams', limit: 2, observed: 2, retryAfterMs: 1_000 },
    'headgate: global_streams limit=2 observed=2 retry_after=1s receipt=r-1f3c',
  ],
])('%o reads as one line', (facts, line) => {
  expect(describeNotice({ ...PLAIN, ...facts })).toBe(line);
});
