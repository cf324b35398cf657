import { unlinkSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import type { StreamSnapshot } from '../../src/core/stream.ts';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { Peers } from '../support/peers.ts';
import { pause, TestServer, until } from '../support/server.ts';

/** What a changed file, SIGHUP and an operator's override do to streams that are live. */

const ROOMY_IP = 'ip: { max_connections: unlimited, connection_rate: 10000/s }';
const OTHER = { localAddress: '127.0.0.2' };

let server: TestServer;
let peers: Peers;
const encoders: Publisher[] = [];

async function start(config: string, env: Record<string, string> = {}): Promise<void> {
  server = await TestServer.start({ config, env });
  peers = new Peers(server);
}

afterEach(async () => {
  for (const encoder of encoders.splice(0)) await encoder.stop();
  peers.leave();
  await server.stop();
});

function reloads(result: 'ok' | 'failed'): Promise<number> {
  return server.metric('headgate_config_reloads_total', `{result="${result}"}`);
}

function logged(text: string): boolean {
  return server.log.some(({ msg }) => msg.includes(text));
}

/** Saves the file and waits until it is in force. */
async function reload(config: string): Promise<void> {
  const seen = server.log.length;
  server.configure(config);
  await until(
    () => server.log.slice(seen).some(({ msg }) => msg.startsWith('config reloaded')),
    'the reload',
  );
}

interface Readiness {
  readonly ready: boolean;
  readonly config_error: string | null;
}

// -- what is applied ---------------------------------------------------------------------------------

function keysConfig(parts: { stream?: string; clients: string; tiers?: string; policies?: string }): string {
  return `
auth: { mode: keys }
limits: { stream: ${parts.stream ?? '{}'}, ${ROOMY_IP} }
tiers: ${parts.tiers ?? '{}'}
clients: [ ${parts.clients} ]
policies: [ ${parts.policies ?? ''} ]`;
}

const ALICE = '{ id: alice, tier: pro, keys: [ alice-key ] }';
const PRO = '{ pro: { stream: { max_fps: 50fps } }, studio: { stream: { max_fps: 120fps } } }';

test('limits, tiers, policies and clients of a saved file hold for streams that are live, and none is dropped', async () => {
  const base = { clients: ALICE, tiers: PRO, stream: '{ max_bitrate: 6Mbps }' };
  await start(keysConfig(base));
  const encoder = new Publisher(clip({ kbps: 1000 }), `${server.rtmp()}/alice-key`);
  encoders.push(encoder);
  const before = await server.stream('/live/alice-1', ({ usage }) => usage.frames > 0);
  const live = (when: (stream: StreamSnapshot) => boolean) => server.stream('/live/alice-1', when);

  await reload(keysConfig({ ...base, stream: '{ max_bitrate: 5Mbps, on_exceed: drop, grace: 7s }' }));
  expect(logged('config changed: limits.stream.max_bitrate: 6Mbps -> 5Mbps')).toBe(true);
  await live(
    ({ limits }) =>
      limits.max_bitrate_bps === 5e6 && limits.on_exceed === 'drop' && limits.grace_ms === 7_000,
  );

  const slower = { ...base, tiers: PRO.replace('50fps', '40fps') };
  await reload(keysConfig(slower));
  await live(({ limits }) => limits.max_fps === 40 && limits.sources['max_fps'] === 'tiers.pro.stream');

  const policies = '{ name: nights, match: { stream: "alice-*" }, stream: { max_bitrate: 4Mbps } }';
  await reload(keysConfig({ ...slower, policies }));
  await live(
    ({ limits }) => limits.max_bitrate_bps === 4e6 && limits.sources['max_bitrate'] === 'policies[0] nights',
  );

  await reload(keysConfig({ ...slower, clients: ALICE.replace('tier: pro', 'tier: studio, priority: 90') }));
  await live(({ limits, tier, priority }) => limits.max_fps === 120 && tier === 'studio' && priority === 90);

  await reload(
    keysConfig({ ...slower, clients: ALICE.replace('keys', 'limits: { max_bandwidth: 300kbps }, keys') }),
  );
  expect(await server.receipt('client_bandwidth')).toMatchObject({
    key: 'alice',
    limit: 300_000,
    path: '/live/alice-1',
  });

  const after = await live(() => true);
  expect(after).toMatchObject({ id: before.id, started_at: before.started_at });
  expect(encoder.alive).toBe(true);
  expect(await server.metric('headgate_disconnects_total', '{reason="stream_bitrate"}')).toBe(0);
});

test('keys that are taken away or given count from the next publish on', async () => {
  await start(keysConfig({ clients: '{ id: alice, keys: [ alice-key ] }' }));
  const publisher = await peers.publisher('alice-key');
  peers.talk(publisher);
  await reload(keysConfig({ clients: '{ id: bob, keys: [ bob-key ] }' }));
  expect((await peers.refused('alice-key')).code).toBe('NetStream.Publish.Denied');
  peers.talk(await peers.publisher('bob-key'));
  expect((await server.streams()).map(({ path }) => path)).toEqual(['/live/alice-1', '/live/bob-1']);
  expect(publisher.closed).toBe(false);
  for (const secret of ['alice-key', 'bob-key']) expect(JSON.stringify(server.log)).not.toContain(secret);
});

test('the deny list, caps and rates of a saved file hold for newcomers', async () => {
  await start(`limits: { ${ROOMY_IP} }`);
  const publisher = await peers.publisher('cam');
  peers.talk(publisher);
  await reload(`deny: [ 127.0.0.1 ]\nlimits: { ${ROOMY_IP} }`);
  await peers.shutOut();
  expect(await server.receipt('denied')).toMatchObject({ ip: '127.0.0.1' });
  await reload(
    'limits: { client: { max_streams: 1 }, ip: { max_connections: 2, connection_rate: 10000/s } }',
  );
  expect((await peers.refused('second')).description).toContain('client_streams limit=1');
  await reload('limits: { ip: { max_connections: 1, connection_rate: 10000/s } }');
  await peers.shutOut();
  expect(await server.receipt('ip_connections')).toMatchObject({ limit: 1, observed: 1 });
  await reload('limits: { ip: { connection_rate: 1/h } }');
  await peers.open(OTHER);
  await peers.shutOut(OTHER);
  expect(await server.receipt('ip_connection_rate')).toMatchObject({ limit: 1, ip: '127.0.0.2' });
  await reload('limits: { global: { max_streams: 1 } }');
  expect((await peers.refused('third')).description).toContain('global_streams limit=1 observed=1');
  expect(publisher.closed).toBe(false);
  expect(await server.totals()).toMatchObject({ streams: 1 });
});

test('tokens of a saved file are asked for at once, and old ones are worth nothing', async () => {
  const tokens = (...list: string[]) =>
    `admin: { tokens: [ ${list.map((token) => `{ token: ${token}, role: operator }`)} ] }`;
  const status = async (token?: string): Promise<number> =>
    (
      await fetch(
        server.url('/api/v1/streams'),
        token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
      )
    ).status;
  await start('');
  expect(await status()).toBe(200);
  await reload(tokens('first-token'));
  expect([await status(), await status('first-token'), await status('other-token')]).toEqual([401, 200, 401]);
  await reload(tokens('second-token'));
  expect([await status('first-token'), await status('second-token')]).toEqual([401, 200]);
  expect((await fetch(server.url('/readyz'))).status).toBe(200);
  await reload('');
  expect(await status()).toBe(200);
  for (const secret of ['first-token', 'second-token'])
    expect(JSON.stringify(server.log)).not.toContain(secret);
});

// -- how it is told ----------------------------------------------------------------------------------

test('SIGHUP reloads even when nothing changed, and says so', async () => {
  await start('limits: { stream: { max_bitrate: 6Mbps } }');
  peers.talk(await peers.publisher('cam'));
  const { id } = await server.stream('/live/cam');
  server.process.kill('SIGHUP');
  await until(() => logged('config reloaded, nothing changed'), 'the reload');
  expect(await reloads('ok')).toBe(1);
  const { events } = await server.get<{ events: { kind: string; action?: Record<string, unknown> }[] }>(
    '/api/v1/audit',
  );
  expect(events[0]?.action).toMatchObject({
    action: 'reload',
    by: 'SIGHUP',
    result: 'ok',
    target: server.file,
  });
  server.configure('limits: { stream: { max_bitrate: 3Mbps } }');
  server.process.kill('SIGHUP');
  expect(await server.stream('/live/cam', ({ limits }) => limits.max_bitrate_bps === 3e6)).toMatchObject({
    id,
  });
});

test('what the environment says outlives a reload', async () => {
  await start('limits: { stream: { max_fps: 60fps } }', { HEADGATE_LIMITS__STREAM__MAX_BITRATE: '2Mbps' });
  peers.talk(await peers.publisher('cam'));
  await reload('limits: { stream: { max_fps: 30fps, max_bitrate: 9Mbps } }');
  expect((await server.stream('/live/cam')).limits).toMatchObject({ max_fps: 30, max_bitrate_bps: 2e6 });
});

test('a key that needs a restart is told to, stays as it is, and the rest of the file is applied', async () => {
  await start('limits: { stream: { max_bitrate: 6Mbps } }');
  peers.talk(await peers.publisher('cam'));
  const shown = async () =>
    await server.get<{ config: { node: unknown } } & { node: unknown }>('/api/v1/config');
  const before = await shown();
  await reload('node: { id: other }\naudit: { receipts: 5 }\nlimits: { stream: { max_bitrate: 3Mbps } }');
  expect(logged('config changed: node.id: ingest-1 -> other (takes effect after a restart)')).toBe(true);
  expect(logged('config changed: limits.stream.max_bitrate: 6Mbps -> 3Mbps')).toBe(true);
  await server.stream('/live/cam', ({ limits }) => limits.max_bitrate_bps === 3e6);
  // What is shown as effective is what is in force, not what the file wishes.
  expect((await shown()).node).toEqual(before.node);
  // Told again at the next reload, for it still waits.
  const seen = server.log.length;
  server.process.kill('SIGHUP');
  await until(
    () => server.log.slice(seen).some(({ msg }) => msg.includes('node.id: ingest-1 -> other')),
    'the reminder',
  );
});

test('a bad file changes nothing, is told in log, metric, audit and /readyz, and is forgotten once mended', async () => {
  await start('limits: { client: { max_streams: 2 } }');
  const publisher = await peers.publisher('cam');
  peers.talk(publisher);
  const before = await server.stream('/live/cam');
  const ready = () => server.get<Readiness>('/readyz');
  server.configure(
    'limits: { client: { max_streams: 1, max_bandwith: 1Mbps }, stream: { max_bitrate: 5 } }\ndeny: [ 127.0.0.1 ]',
  );
  await until(async () => (await ready()).config_error, 'the error');
  // Bad keys and good ones in one file: none of it is applied.
  await peers.publisher('second');
  const errors = server.log.filter(
    ({ level, msg }) => level === 'error' && msg.startsWith('config not reloaded'),
  );
  expect(errors.map(({ msg }) => msg).join('\n')).toMatch(
    /headgate\.yaml:\d+:\d+ .*max_bandwith[\s\S]*headgate\.yaml:\d+:\d+ .*max_bitrate/,
  );
  expect(await ready()).toMatchObject({ ready: true, config_error: expect.stringContaining('max_bandwith') });
  expect(await reloads('failed')).toBe(1);
  expect(await server.metric('headgate_config_last_reload_successful')).toBe(0);
  const { events } = await server.get<{ events: { kind: string; action?: Record<string, unknown> }[] }>(
    '/api/v1/audit',
  );
  expect(events[0]?.action).toMatchObject({ action: 'reload', by: 'file watch', result: 'failed' });
  unlinkSync(server.file);
  await until(async () => (await reloads('failed')) === 2, 'the missing file to be noticed');
  expect((await ready()).config_error).toContain('headgate.yaml');
  server.configure('limits: { client: { max_streams: 2 } }');
  await until(async () => (await ready()).config_error === null, 'the file to be mended');
  expect(await server.metric('headgate_config_last_reload_successful')).toBe(1);
  expect((await server.stream('/live/cam')).id).toBe(before.id);
  expect(publisher.closed).toBe(false);
});

// -- overrides ---------------------------------------------------------------------------------------

async function patch(id: string, change: Record<string, unknown>): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(server.url(`/api/v1/streams/${id}/limits`), {
    method: 'PATCH',
    headers,
    body: JSON.stringify(change),
  });
}

test('an override holds a live stream at once, outlives a reload, and runs out by itself', async () => {
  await start('limits: { stream: { max_bitrate: 6Mbps, grace: never } }');
  const encoder = new Publisher(clip({ kbps: 2000 }), `${server.rtmp()}/cam`);
  encoders.push(encoder);
  const { id } = await server.stream('/live/cam', ({ usage }) => usage.bitrate_bps > 1_800_000);
  const answer = await patch(id, { max_bitrate: '1Mbps', for: '4s' });
  const until4s = performance.now() + 4_000;
  expect(answer.status).toBe(200);
  expect(((await answer.json()) as StreamSnapshot).limits).toMatchObject({
    max_bitrate_bps: 1e6,
    sources: { max_bitrate: 'override' },
  });
  await server.stream('/live/cam', ({ state }) => state === 'throttled');
  await reload('limits: { stream: { max_bitrate: 4Mbps, max_fps: 50fps, grace: never } }');
  const held = await server.stream('/live/cam', ({ limits }) => limits.max_fps === 50);
  expect(held.limits).toMatchObject({
    max_bitrate_bps: 1e6,
    sources: { max_bitrate: 'override', max_fps: 'limits.stream' },
  });
  expect(Date.parse(held.limits.override_until ?? '') - Date.now()).toBeGreaterThan(0);
  await pause(Math.max(0, until4s - 400 - performance.now()));
  expect((await server.stream('/live/cam')).limits.max_bitrate_bps).toBe(1e6);
  await pause(Math.max(0, until4s - performance.now()));
  const freed = await server.stream('/live/cam', ({ limits }) => limits.max_bitrate_bps === 4e6);
  expect(performance.now() - until4s).toBeLessThan(1_500);
  expect(freed.limits).toMatchObject({ override_until: null, sources: { max_bitrate: 'limits.stream' } });
  await server.stream('/live/cam', ({ state, usage }) => state === 'live' && usage.bitrate_bps > 1_800_000);
  expect(freed.id).toBe(id);
});

test('an override can be taken back, and ends with its stream', async () => {
  await start('');
  const publisher = await peers.publisher('cam');
  peers.talk(publisher);
  const { id } = await server.stream('/live/cam');
  expect((await patch(id, { max_bitrate: '1Mbps', max_fps: '20fps' })).status).toBe(200);
  expect((await server.stream('/live/cam')).limits).toMatchObject({
    max_bitrate_bps: 1e6,
    max_fps: 20,
    override_until: null,
  });
  expect((await patch(id, { max_bitrate: null })).status).toBe(200);
  expect((await server.stream('/live/cam')).limits).toMatchObject({ max_bitrate_bps: 6e6, max_fps: 20 });
  expect((await patch(id, { max_bitrate: 100 })).status).toBe(422);
  expect((await patch('s-none0', { max_fps: '20fps' })).status).toBe(404);
  publisher.vanish();
  await until(async () => (await server.streams()).length === 0, 'the stream to go');
  peers.talk(await peers.publisher('cam'));
  expect((await server.stream('/live/cam')).limits).toMatchObject({ max_bitrate_bps: 6e6, max_fps: 60 });
});
