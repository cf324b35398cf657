import { expect, it } from 'vitest';
import { orderDetail, preemptedDetail } from '../../../../src/core/shedding/causes.ts';
import type { Receipt } from '../../../../src/core/verdict.ts';
import { storyOf } from '../../../../src/core/words/receipt.ts';

function shed(action: 'cut' | 'refuse', detail: string): Receipt {
  return {
    id: 'r-1',
    at: '2026-11-20T21:40:00.000Z',
    count: 1,
    last_at: '2026-11-20T21:40:00.000Z',
    action,
    reason: 'shed',
    scope: 'server',
    key: '/live/cam1',
    limit: null,
    observed: null,
    window: null,
    retry_after_ms: 60_000,
    ip: '192.0.2.10',
    protocol: 'rtmp',
    path: '/live/cam1',
    client: 'alice',
    stream: null,
    detail,
  };
}

it.each(['cut', 'refuse'] as const)('%s by order names the operator', (action) => {
  const detail = orderDetail({ by: 'operator ops@127.0.0.1', belowPriority: 50 }, 10);
  const { because, advice } = storyOf(shed(action, detail));
  expect(because).toBe('operator ops@127.0.0.1 ordered that streams below priority 50 be given up');
  expect(advice).toContain('headgate backpressure');
});

it('by order of nobody that is known', () => {
  const { because } = storyOf(shed('cut', orderDetail({ by: null, belowPriority: 50 }, 10)));
  expect(because).toBe('an operator ordered that streams below priority 50 be given up');
});

it('a stream that made room tells for whom', () => {
  const { because, advice } = storyOf(shed('cut', preemptedDetail('/live/vip', 90, 10)));
  expect(because).toBe(
    '/live/vip, of the higher priority 90, needed its place, and the server takes no more streams',
  );
  expect(advice).toContain('limits.global.max_streams');
});

it('for the machine as before', () => {
  const detail = 'the machine is overloaded, and streams of its priority go first (10)';
  expect(storyOf(shed('cut', detail)).because).toContain('to keep the others alive');
});
