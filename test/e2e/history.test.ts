import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NodeHistory } from '../../src/telemetry/history/node.ts';
import type { StreamHistory } from '../../src/telemetry/history/streams.ts';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { TestServer, until } from '../support/server.ts';

/** What is remembered of a real publisher: held at its limit, and told of after its end. */
const LIMIT_BPS = 600_000;
const CONFIG = `
limits:
  client: { max_streams: 1 }
  stream: { max_bitrate: 600kbps, on_exceed: throttle, grace: never }
`;

let server: TestServer;
let id: string;
const publishers: Publisher[] = [];

function publish(name: string): void {
  publishers.push(new Publisher(clip({ kbps: 1000 }), `${server.rtmp()}/${name}`));
}

function past(): Promise<StreamHistory> {
  return server.get<StreamHistory>(`/api/v1/streams/${id}/history`);
}

function known(column: readonly (number | null)[]): number[] {
  return column.filter((value) => value !== null);
}

beforeAll(async () => {
  server = await TestServer.start({ config: CONFIG });
  publish('cam1');
  ({ id } = await server.stream('/live/cam1', ({ state }) => state === 'throttled'));
  publish('cam2');
  await server.receipt('client_streams');
});

afterAll(async () => {
  await Promise.all(publishers.map((publisher) => publisher.stop()));
  await server?.stop();
});

test('a throttled stream is remembered at its limit, with the time it was held', async () => {
  const { columns, path, ended_at } = await until(async () => {
    const seen = await past();
    return known(seen.columns.keyframe_interval_ms).length > 0 && seen;
  }, 'a few values of every column');
  expect({ path, ended_at }).toEqual({ path: '/live/cam1', ended_at: null });
  expect(new Set(columns.limit_bps)).toEqual(new Set([LIMIT_BPS]));
  expect(columns.ceiling_bps.every((value) => value === null)).toBe(true);
  expect(Math.max(...known(columns.throttled_ms))).toBeGreaterThan(0);
  // One interval holds no more than itself, whatever the loop was late.
  expect(Math.max(...known(columns.throttled_ms))).toBeLessThan(4_000);
  expect(Math.max(...known(columns.bitrate_bps))).toBeGreaterThan(LIMIT_BPS / 2);
  expect(Math.max(...known(columns.fps))).toBeGreaterThan(5);
});

test('the server remembers what all send, and why somebody was refused', async () => {
  const { columns, denied } = await until(async () => {
    const seen = await server.get<NodeHistory>('/api/v1/history');
    return known(seen.denied.client_streams ?? []).some((count) => count > 0) && seen;
  }, 'the refusal to be in a row');
  expect(Math.max(...known(columns.bitrate_bps))).toBeGreaterThan(LIMIT_BPS / 2);
  expect(Math.max(...known(columns.streams))).toBe(1);
  expect(Math.max(...known(columns.connections))).toBeGreaterThanOrEqual(1);
  expect(known(columns.adaptive_factor).every((factor) => factor === 1)).toBe(true);
  expect(Object.keys(denied)).toEqual(['client_streams']);
});

test('a stream that was kicked is told of after its end, and an unknown one is not', async () => {
  const { to } = await past();
  await fetch(server.url(`/api/v1/streams/${id}?cooldown=60s`), { method: 'DELETE' });
  const after = await past();
  expect(Date.parse(after.ended_at!)).toBeGreaterThanOrEqual(Date.parse(to));
  expect(known(after.columns.bitrate_bps).length).toBeGreaterThan(0);
  expect((await fetch(server.url(`/api/v1/streams/${id}`))).status).toBe(404);
  expect((await fetch(server.url('/api/v1/streams/s-nobody/history'))).status).toBe(404);
});
