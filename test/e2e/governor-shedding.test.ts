import { beforeAll, describe, expect, test } from 'vitest';
import { headgate } from '../support/cli.ts';
import { clip, type Publisher } from '../support/ffmpeg.ts';
import { act, acts, resourcesOf } from '../support/governed.ts';
import { RtmpClient } from '../support/rtmp-client.ts';
import { Scene } from '../support/scene.ts';
import { pause, type TestServer, until } from '../support/server.ts';

/** A machine that stays in trouble gives up its streams from the lowest priority up, and takes them back from the top down. */

let flv = '';
beforeAll(() => {
  flv = clip({ kbps: 400 });
});

/** A client for each stream: its key is `k-` and its name. */
function clients(priorities: Readonly<Record<string, number>>): string[] {
  const lines = Object.entries(priorities).map(
    ([name, priority]) =>
      `  - { id: ${name}, priority: ${priority}, keys: [ { key: k-${name}, name: ${name} } ] }`,
  );
  return ['auth: { mode: keys }', 'clients:', ...lines];
}

/** Every stream of those clients, once it streams. */
async function publishAll(scene: Scene, names: readonly string[]): Promise<Map<string, Publisher>> {
  const publishers = new Map(names.map((name) => [name, scene.rtmp(`k-${name}`, flv)]));
  for (const name of names) await scene.server.stream(`/live/${name}`, ({ usage }) => usage.frames > 60);
  return publishers;
}

/** `10 5 0.75`: what was done to which cohort, in the order it was done. */
async function notches(server: TestServer, kind: 'shed' | 'recover'): Promise<string[]> {
  return (await acts(server, kind)).map(({ detail }) => {
    const { priority, group, what } =
      /priority (?<priority>\d+), group (?<group>\d), (?<what>.*) \(/.exec(detail)?.groups ?? {};
    const part =
      what === 'are cut' ? '0' : what === 'may send all again' ? '100' : /\d+/.exec(what ?? '')?.[0];
    return `${priority}/${group} ${part}`;
  });
}

const down = (cohort: string): string[] => ['75', '50', '25', '0'].map((part) => `${cohort} ${part}`);
const up = (cohort: string): string[] => ['25', '50', '75', '100'].map((part) => `${cohort} ${part}`);

describe.concurrent('a server in lasting trouble', () => {
  test('on one processor that somebody else wants too sheds 10 before 50 before 90, and never touches the highest', async () => {
    const priorities = { low1: 10, low2: 10, mid1: 50, mid2: 50, high1: 90, high2: 90 };
    await using scene = await Scene.open(clients(priorities));
    const { server } = scene;
    const publishers = await publishAll(scene, Object.keys(priorities));
    const before = await server.stream('/live/high2');
    await scene.starve();
    server.configure(
      [
        ...clients(priorities),
        'resources:',
        '  cpu: { degrade: 80%, close: 90%, window: 1s }',
        '  heap: null',
        '  memory: null',
        '  event_loop: null',
        'backpressure: { after: 1s, interval: 250ms, protected: 10% }',
      ].join('\n'),
    );
    await until(async () => (await server.streams()).length === 1, 'all but one to be shed', 30_000);
    // Within a priority by the hash of the path.
    const order = ['10/5', '10/6', '50/0', '50/4', '90/0'];
    expect(await notches(server, 'shed')).toEqual(order.flatMap(down));
    await pause(1_000);
    const after = await server.stream('/live/high2');
    expect(after.id).toBe(before.id);
    expect(after.usage).toMatchObject({ dropped_frames: 0, throttled_ms: 0, violations: 0 });
    const due = ((after.uptime_ms - before.uptime_ms) / 1000) * 30;
    expect(after.usage.frames - before.usage.frames).toBeGreaterThan(due - 30);
    for (const name of ['low1', 'low2', 'mid1', 'mid2', 'high1']) {
      await publishers.get(name)?.exited;
      expect(publishers.get(name)?.stderr).toMatch(/headgate: shed .*retry_after=\d+/);
    }
    const top = await headgate(['top', '--once', '--url', server.url('')]);
    expect(top.stdout).toMatch(/shed p10: 2 cut, p50: 2 cut, p90: 1 cut/);
    const why = await headgate(['why', '/live/low1', '--url', server.url('')]);
    expect(why.stdout).toMatch(/shed[\s\S]*\/live\/low1/);
  }, 90_000);

  test('lowers before it cuts, and takes back the highest first, when it said it would', async () => {
    const priorities = { low1: 10, mid1: 50, high1: 90 };
    const calm = clients(priorities);
    const backpressure =
      'backpressure: { after: 1s, interval: 1s, protected: 30%, backoff: { min: 1s, max: 2s } }';
    const marks = (heap: string): string =>
      [
        ...calm,
        `resources: { cpu: null, memory: null, event_loop: null, heap: ${heap}, reopen_after: 1s }`,
        backpressure,
      ].join('\n');
    // What the server uses of a small heap at rest is above the one pair of marks and below the other.
    await using scene = await Scene.open([marks('{ degrade: 90%, close: 95% }')], {
      nodeArgs: ['--max-old-space-size=256'],
    });
    const { server } = scene;
    await until(async () => (await resourcesOf(server)).gate.state === 'open', 'the heap to be known');
    const publishers = await publishAll(scene, Object.keys(priorities));
    server.configure(marks('{ degrade: 1%, close: 2% }'));

    const lowered = await server.stream('/live/low1', ({ share }) => share.by === 'shed');
    expect(lowered.share.ceiling_bps).toBeLessThan(lowered.usage.bitrate_avg_bps);
    await server.stream('/live/low1', ({ state }) => state === 'throttled');
    expect(await server.receipt('shed', ({ action }) => action === 'throttle')).toMatchObject({
      path: '/live/low1',
    });
    await until(
      async () => (await server.streams()).length === 1,
      'all but the protected to be shed',
      30_000,
    );
    expect(await notches(server, 'shed')).toEqual([...down('10/5'), ...down('50/4')]);
    for (const name of ['low1', 'mid1']) {
      await publishers.get(name)?.exited;
      const cut = await server.receipt(
        'shed',
        ({ action, path }) => action === 'cut' && path === `/live/${name}`,
      );
      expect(cut.retry_after_ms).toBeGreaterThan(0);
    }

    server.configure(marks('{ degrade: 90%, close: 95% }'));
    await act(server, 'recover', /priority 50/);
    const low = await RtmpClient.open({ port: server.ports.rtmp });
    const refusal = await low.publish('live', 'k-low1');
    expect(refusal.description).toMatch(/headgate: shed .*retry_after=\d+s/);
    const refused = await server.receipt('shed', ({ action }) => action === 'refuse');
    scene.rtmp('k-mid1', flv);
    await server.stream('/live/mid1');
    await pause(Math.max(0, Date.parse(refused.at) + (refused.retry_after_ms ?? 0) - Date.now()));
    scene.rtmp('k-low1', flv);
    await server.stream('/live/low1');
    await until(
      async () => !(await resourcesOf(server)).shedding.active,
      'everything to be given back',
      20_000,
    );
    expect(await notches(server, 'recover')).toEqual([...up('50/4'), ...up('10/5')]);
    const high = await server.stream('/live/high1');
    expect(high.usage).toMatchObject({ dropped_frames: 0, throttled_ms: 0, violations: 0 });
  }, 90_000);
});
