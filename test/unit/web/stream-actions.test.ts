import { describe, expect, test } from 'vitest';
import type { Receipt } from '../../../src/core/verdict.ts';
import { limitChange } from '../../../src/http/quantities.ts';
import { CLEAR_ALL, changeOf, EMPTY_DRAFT } from '../../../web/actions/limit-draft.ts';
import { endingOf } from '../../../web/streams/ending.ts';

describe('a temporary limit', () => {
  test('asks for what was named and nothing else', () => {
    expect(changeOf({ ...EMPTY_DRAFT, max_bitrate: ' 4Mbps ' })).toEqual({
      max_bitrate: '4Mbps',
      for: '10m',
    });
    expect(changeOf({ ...EMPTY_DRAFT, on_exceed: 'drop', for: '' })).toEqual({ on_exceed: 'drop' });
  });

  test('without any limit is nothing to ask for', () => {
    expect(changeOf(EMPTY_DRAFT)).toBeNull();
    expect(changeOf({ ...EMPTY_DRAFT, max_fps: '  ' })).toBeNull();
  });

  test('and its taking back are what the API reads', () => {
    const draft = { max_bitrate: '4Mbps', max_fps: '25fps', max_packets_per_sec: '500/s', for: '10m' };
    expect(limitChange.safeParse(changeOf({ ...draft, on_exceed: 'drop' })).success).toBe(true);
    expect(limitChange.safeParse(CLEAR_ALL).success).toBe(true);
    expect(limitChange.safeParse(changeOf({ ...EMPTY_DRAFT, max_bitrate: '4' })).success).toBe(false);
  });
});

describe('the end of a stream', () => {
  const receipt = (id: string, stream: string, action: Receipt['action']): Receipt => ({
    id,
    at: '2026-11-21T00:00:00.000Z',
    count: 1,
    last_at: '2026-11-21T00:00:05.000Z',
    action,
    reason: action === 'cut' ? 'kicked' : 'stream_bitrate',
    scope: 'stream',
    key: '/live/cam',
    limit: null,
    observed: null,
    window: null,
    retry_after_ms: 30_000,
    ip: '127.0.0.1',
    protocol: 'rtmp',
    path: '/live/cam',
    client: 'alice',
    stream,
    detail: '',
  });
  const trail = [
    receipt('r-4', 's-2', 'throttle'),
    receipt('r-3', 's-2', 'cut'),
    receipt('r-2', 's-1', 'cut'),
  ];

  test('is the cut of that very stream', () => {
    expect(endingOf('s-1', trail, null)).toMatchObject({
      at: '2026-11-21T00:00:05.000Z',
      receipt: { id: 'r-2' },
    });
    expect(endingOf('s-2', trail, '2026-11-21T00:00:04.900Z')).toMatchObject({
      at: '2026-11-21T00:00:04.900Z',
      receipt: { id: 'r-3' },
    });
  });

  test('without a cut is told by the history alone', () => {
    expect(endingOf('s-9', trail, '2026-11-21T00:01:00.000Z')).toEqual({
      at: '2026-11-21T00:01:00.000Z',
      receipt: null,
    });
    expect(endingOf('s-9', [], null)).toEqual({ at: null, receipt: null });
  });
});
