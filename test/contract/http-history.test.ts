import { beforeEach, expect, test } from 'vitest';
import type { NodeHistory } from '../../src/telemetry/history/node.ts';
import { type RunningApi, startApi } from './http-fixture.ts';

let api: RunningApi;

beforeEach(async () => {
  api = await startApi();
  return () => api.server.close();
});

async function json<T>(path: string, status = 200): Promise<T> {
  const response = await fetch(api.url + path);
  expect(response.status).toBe(status);
  return (await response.json()) as T;
}

test('the past of a stream comes in columns of one length, with what was not sampled as null', async () => {
  expect(await json('/api/v1/streams/s-1/history')).toEqual({
    id: 's-1',
    path: '/live/cam1',
    ended_at: null,
    interval_ms: 2_000,
    from: '2026-11-20T21:39:55.900Z',
    to: '2026-11-20T21:39:59.900Z',
    columns: {
      bitrate_bps: [2_610_000, null, 2_610_000],
      limit_bps: [6_000_000, null, 6_000_000],
      ceiling_bps: [null, null, null],
      fps: [30, null, 30],
      wall_fps: [29.9, null, 29.9],
      packets_per_sec: [73.1, null, 73.1],
      dropped_frames: [4, null, 0],
      throttled_ms: [0, null, 0],
      keyframe_interval_ms: [null, null, null],
    },
  });
});

test('the past of the server tells refusals by the reasons that occurred', async () => {
  const { from, to, columns, denied } = await json<NodeHistory>('/api/v1/history');
  expect({ from, to }).toEqual({ from: '2026-11-20T21:39:56.000Z', to: '2026-11-20T21:39:58.000Z' });
  expect(columns).toMatchObject({ bitrate_bps: [2_610_000, 2_610_000], streams: [1, 1], denials: [0, 2] });
  expect(columns.budget_bps).toEqual([null, null]);
  expect(denied).toEqual({ client_streams: [0, 2] });
});

test('a stream that nothing is known of is a problem document', async () => {
  const problem = await json<{ detail: string }>('/api/v1/streams/s-gone/history', 404);
  expect(problem).toMatchObject({ status: 404, code: 'not_found' });
  expect(problem.detail).toContain('s-gone');
});
