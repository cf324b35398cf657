import { beforeAll, describe, expect, test } from 'vitest';
import type { BackpressureSnapshot } from '../../src/http/ports.ts';
import { clip } from '../support/ffmpeg.ts';
import { act, acts, resourcesOf } from '../support/governed.ts';
import { RtmpClient } from '../support/rtmp-client.ts';
import { Scene } from '../support/scene.ts';
import { pause, type TestServer, until } from '../support/server.ts';
import { SrtCaller } from '../support/srt-client.ts';

/** What people decide about who suffers first: by the config, by an order, and by changing either under live streams. */

let flv = '';
beforeAll(() => {
  flv = clip({ kbps: 400 });
});

const PRIORITIES = { low: 10, low2: 10, mid: 50, high: 90 };

/** A client for each stream: its key is `k-` and its name. */
const CLIENTS = [
  'auth: { mode: keys }',
  'clients:',
  ...Object.entries(PRIORITIES).map(
    ([name, priority]) =>
      `  - { id: ${name}, priority: ${priority}, keys: [ { key: k-${name}, name: ${name} } ] }`,
  ),
];

const streaming = (server: TestServer, name: string) =>
  server.stream(`/live/${name}`, ({ usage }) => usage.frames > 0);

const paths = async (server: TestServer): Promise<string[]> =>
  (await server.streams()).map(({ path }) => path).sort();

/** What the server says to somebody who would publish. */
async function answerTo(server: TestServer, name: string): Promise<string> {
  const client = await RtmpClient.open({ port: server.ports.rtmp });
  const { code, description } = await client.publish('live', `k-${name}`);
  client.vanish();
  return `${code} ${description}`;
}

async function order(server: TestServer, body: Record<string, unknown>): Promise<BackpressureSnapshot> {
  const answer = await fetch(server.url('/api/v1/backpressure'), {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as BackpressureSnapshot;
}

describe.concurrent('by the will of people', () => {
  test('a publisher of higher priority takes the place of the newest of the lowest, and of no equal', async () => {
    await using scene = await Scene.open([
      ...CLIENTS,
      'limits: { global: { max_streams: 3 } }',
      'backpressure: { preempt: true }',
    ]);
    const { server } = scene;
    const publishers = new Map<string, ReturnType<Scene['rtmp']>>();
    for (const name of ['mid', 'low', 'low2']) {
      publishers.set(name, scene.rtmp(`k-${name}`, flv));
      await streaming(server, name);
    }
    scene.rtmp('k-high', flv);
    await streaming(server, 'high');
    await publishers.get('low2')?.exited;
    expect(publishers.get('low2')?.stderr).toMatch(/headgate: shed .*retry_after=/);
    expect(await paths(server)).toEqual(['/live/high', '/live/low', '/live/mid']);
    expect(await server.receipt('shed')).toMatchObject({
      action: 'cut',
      path: '/live/low2',
      detail: expect.stringMatching(/\/live\/high has priority 90 over 10/),
    });
    expect(await answerTo(server, 'low2')).toMatch(/headgate: global_streams /);
    expect(await paths(server)).toEqual(['/live/high', '/live/low', '/live/mid']);
  });

  test('an operator gives up everybody below a priority for a while, and takes it back', async () => {
    await using scene = await Scene.open(CLIENTS);
    const { server } = scene;
    const low = scene.rtmp('k-low', flv);
    scene.rtmp('k-mid', flv);
    const mid = await streaming(server, 'mid');
    await streaming(server, 'low');

    const endsAt = Date.now() + 6_000;
    const standing = await order(server, { mode: 'shed', below_priority: 50, for: '6s' });
    expect(standing).toMatchObject({ mode: 'shed', below_priority: 50, active: true });
    await low.exited;
    expect(low.stderr).toMatch(/headgate: shed .*retry_after=[3-6]/);
    expect(await server.receipt('shed', ({ action }) => action === 'cut')).toMatchObject({
      path: '/live/low',
      detail: expect.stringMatching(
        /^by order of \S+, streams below priority \d+ are given up, and it has 10$/,
      ),
    });
    expect(await answerTo(server, 'low')).toMatch(/headgate: shed .*retry_after=[1-6]s/);
    // Over SRT the path of a publisher is known when its handshake is through: then it is sent away.
    const { caller } = await SrtCaller.call({
      port: server.ports.srt,
      streamId: '#!::r=live/low2,s=k-low2,m=publish',
    });
    expect(await server.receipt('shed', ({ protocol }) => protocol === 'srt')).toMatchObject({
      action: 'refuse',
      path: '/live/low2',
    });
    await until(() => caller.closed, 'the caller to be sent away');
    expect((await act(server, 'backpressure', /shed below priority 50 for 6 s/)).by).not.toBe('governor');
    await pause(endsAt - Date.now() + 300);
    expect((await act(server, 'backpressure', /the order ended: automatic again/)).by).toBe('server');
    expect(await answerTo(server, 'low')).toContain('NetStream.Publish.Start');
    expect(await server.get('/api/v1/backpressure')).toMatchObject({ mode: 'auto', active: false });

    await order(server, { mode: 'shed', below_priority: 50 });
    expect(await answerTo(server, 'low')).toMatch(/headgate: shed /);
    await order(server, { mode: 'auto' });
    expect(await answerTo(server, 'low')).toContain('NetStream.Publish.Start');
    const after = await server.stream('/live/mid');
    expect(after.id).toBe(mid.id);
    expect(after.usage).toMatchObject({ dropped_frames: 0, throttled_ms: 0 });
  });

  test('sections changed under live streams hold from then on, and an operator keeps them from being shed', async () => {
    const config = (heap: string): string =>
      [
        ...CLIENTS,
        `resources: { cpu: null, memory: null, event_loop: null, heap: ${heap}, reopen_after: 1s }`,
        'backpressure: { after: 250ms, interval: 250ms, protected: 0% }',
      ].join('\n');
    await using scene = await Scene.open([config('null')], { nodeArgs: ['--max-old-space-size=256'] });
    const { server } = scene;
    const low = scene.rtmp('k-low', flv);
    await streaming(server, 'low');
    expect((await resourcesOf(server)).resources.heap).toMatchObject({ value: null, close: null });

    // Off goes before the automatic: the machine is in trouble from the next samples on, and nobody suffers.
    await order(server, { mode: 'off' });
    server.configure(config('{ degrade: 1%, close: 2% }'));
    await act(server, 'gate', /^the gate is closed: heap at/);
    expect((await resourcesOf(server)).resources.heap).toMatchObject({ degrade: 0.01, close: 0.02 });
    await pause(2_000);
    expect(await acts(server, 'shed')).toEqual([]);
    expect(await streaming(server, 'low')).toMatchObject({ share: { by: null } });

    await order(server, { mode: 'auto' });
    await low.exited;
    expect(low.stderr).toMatch(/headgate: shed /);

    server.configure(config('null'));
    await until(async () => (await resourcesOf(server)).gate.state === 'open', 'the gate to open');
    expect((await resourcesOf(server)).resources.heap.close).toBeNull();
  });
});
