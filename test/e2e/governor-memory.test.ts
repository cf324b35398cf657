import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { OPEN_DOORS } from '../support/bystander.ts';
import { resourcesOf } from '../support/governed.ts';
import { RtmpClient } from '../support/rtmp-client.ts';
import { Scene } from '../support/scene.ts';
import { pause, type TestServer, until } from '../support/server.ts';

/**
 * Publishers come until there is no memory left for more, in V8's heap or
 * outside of it: the server stops letting them in while it still has some, and
 * takes them again when there is room.
 */

const MIB = 1024 * 1024;

/** Memory is given back when the garbage collector gets to it, ms. */
const GIVEN_BACK_MS = 30_000;

/** What a publisher sends before the next keyframe, and in one frame of it. */
const GOP_BYTES = 16 * MIB;
const FRAME_BYTES = MIB / 4;

const BALLAST = path.resolve(import.meta.dirname, '../support/ballast.ts');

/** One that publishes, or null: the gate was closed. */
async function arrival(server: TestServer, name: string): Promise<RtmpClient | null> {
  const client = await RtmpClient.open({ port: server.ports.rtmp, handshake: 'none' });
  try {
    await client.shakeHands();
    const { code } = await client.publish('live', name);
    if (code === 'NetStream.Publish.Start') return client;
  } catch (error) {
    if (!client.closed) throw error;
  }
  client.vanish();
  return null;
}

/** Publishers come in `lanes` side by side, each lane one every `everyMs`, and say what they have to say. */
async function flood(
  server: TestServer,
  { count, lanes, everyMs }: { count: number; lanes: number; everyMs: number },
  say: (client: RtmpClient) => Promise<void> = async () => {},
): Promise<{ live: RtmpClient[]; refused: number }> {
  const live: RtmpClient[] = [];
  let next = 0;
  let refused = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const client = await arrival(server, `cam${next++}`);
      if (client === null) refused++;
      else {
        live.push(client);
        await say(client);
      }
      await pause(everyMs);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { live, refused };
}

/** Follows a figure of the samplers for as long as `act` takes; gives the highest. */
async function highest(server: TestServer, name: string, act: Promise<unknown>): Promise<number> {
  let top = 0;
  let over = false;
  const ended = act.finally(() => {
    over = true;
  });
  while (!over) {
    top = Math.max(top, (await resourcesOf(server)).figures[name] ?? 0);
    await pause(200);
  }
  await ended;
  return top;
}

/** Everybody is let in again, after all have left. */
async function recovers(server: TestServer): Promise<void> {
  await until(
    async () => (await resourcesOf(server)).gate.state === 'open',
    'the memory to be given back',
    GIVEN_BACK_MS,
  );
  const client = await arrival(server, 'afterwards');
  expect(client).not.toBeNull();
  client?.vanish();
  expect(server.stderr).toBe('');
}

describe.concurrent('publishers that cost memory', () => {
  test('fill a heap of 256 MiB no further than is good for it', async () => {
    await using scene = await Scene.open(
      [
        OPEN_DOORS,
        'timeouts: { idle: 1m }',
        'resources:',
        '  cpu: null',
        '  event_loop: null',
        '  memory: null',
        '  heap: { degrade: 50%, close: 65% }',
        '  reopen_after: 1s',
      ],
      { nodeArgs: ['--max-old-space-size=256', '--import', BALLAST] },
    );
    const { server } = scene;
    await until(
      async () => (await resourcesOf(server)).resources.heap.value !== null,
      'the heap to be known',
    );
    // A megabyte each: all of them would not fit.
    const flooding = flood(server, { count: 300, lanes: 10, everyMs: 200 });
    const top = await highest(server, 'heap', flooding);
    const { live, refused } = await flooding;
    expect(live.length).toBeGreaterThan(50);
    expect(refused).toBeGreaterThan(50);
    expect(top).toBeGreaterThan(0.5);
    expect(top).toBeLessThan(0.9);
    expect(await server.receipt('resource_heap')).toMatchObject({ action: 'refuse', key: 'heap' });
    expect((await server.streams()).length).toBe(live.length);
    for (const client of live) client.vanish();
    await recovers(server);
  }, 90_000);

  test('close the gate with the pictures that are kept for their players', async () => {
    await using scene = await Scene.open([]);
    const { server } = scene;
    const { memory_limit: all, rss } = await until(async () => {
      const { figures } = await resourcesOf(server);
      const { memory_limit, rss: resident } = figures;
      return memory_limit === undefined || resident === undefined ? null : { memory_limit, rss: resident };
    }, 'the memory to be known');
    // Marks in parts of what this machine has, of which a mark may be one in a hundred at the least.
    const mark = (bytes: number, leastPercent: number): number =>
      Math.max(leastPercent, Math.ceil((bytes / all) * 1000) / 10);
    const degrade = mark(rss + 150 * MIB, 1);
    const close = mark(rss + 250 * MIB, degrade + 0.2);
    server.configure(
      [
        'limits:',
        '  client: { max_streams: 500, max_bandwidth: unlimited, publish_rate: 100000/min }',
        '  ip: { max_connections: 500, connection_rate: 100000/s }',
        '  stream: { max_bitrate: unlimited, max_fps: unlimited, max_packets_per_sec: unlimited }',
        'playback: { gop_per_stream: 64MiB, gop_total: 8GiB }',
        'resources:',
        '  cpu: null',
        '  event_loop: null',
        '  heap: null',
        `  memory: { degrade: ${degrade}%, close: ${close}% }`,
        '  reopen_after: 1s',
      ].join('\n'),
    );
    await until(async () => (await resourcesOf(server)).resources.memory.value !== null, 'the new marks');
    const count = Math.ceil(((close / 100) * all - rss) / GOP_BYTES) + 4;
    const { live } = await flood(server, { count, lanes: 4, everyMs: 20 });
    expect(live.length).toBe(count);
    const closed = until(async () => !(await resourcesOf(server)).gate.open, 'the gate to close', 30_000);
    for (const client of live) await sendPictures(client);
    await closed;
    expect((await resourcesOf(server)).gate.reasons).toEqual(['resource_memory']);
    expect(await arrival(server, 'late')).toBeNull();
    expect(await server.receipt('resource_memory')).toMatchObject({ action: 'refuse', key: 'memory' });
    expect((await server.streams()).length).toBe(count);
    for (const client of live) client.vanish();
    await recovers(server);
  }, 90_000);
});

/** A keyframe and what follows it, 16 MiB in all. */
async function sendPictures(client: RtmpClient): Promise<void> {
  client.setChunkSize(65_536);
  for (let sent = 0; sent < GOP_BYTES; sent += FRAME_BYTES) {
    const header = [sent === 0 ? 0x17 : 0x27, 1, 0, 0, 0];
    const payload = Buffer.concat([Buffer.from(header), Buffer.alloc(FRAME_BYTES, 7)]);
    const timestamp = (sent / FRAME_BYTES) * 33;
    if (!client.send({ type: 9, csid: 6, streamId: 1, timestamp, payload })) await client.drained();
  }
}
