import { afterEach, expect, test } from 'vitest';
import type { ClientSnapshot, IpSnapshot } from '../../src/http/ports.ts';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { Peers } from '../support/peers.ts';
import { pause, TestServer, until } from '../support/server.ts';

/** Which limits whom: tiers, clients, policies, allow and deny lists, addresses. */

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

function clientOf(id: string): Promise<ClientSnapshot> {
  return server.get<ClientSnapshot>(`/api/v1/clients/${encodeURIComponent(id)}`);
}

async function addresses(): Promise<IpSnapshot[]> {
  return (await server.get<{ ips: IpSnapshot[] }>('/api/v1/ips')).ips;
}

const TIERS = `
auth: { mode: keys }
limits:
  client: { max_streams: 1, max_bandwidth: 10Mbps }
  stream: { max_bitrate: 3Mbps, max_fps: 50fps }
  ip: { max_connections: unlimited, connection_rate: 10000/s }
tiers:
  pro:
    client: { max_streams: 2 }
    stream: { max_bitrate: 8Mbps, on_exceed: drop }
clients:
  - { id: alice, tier: pro, priority: 80, keys: [ alice-key ] }
  - { id: carol, tier: pro, keys: [ carol-key ], limits: { max_streams: 3, publish_rate: 5/min } }
  - { id: bob, keys: [ bob-key ] }
policies:
  - { name: shows, match: { stream: "show-*" }, stream: { max_bitrate: 5Mbps } }
  - { name: strict, match: { stream: "show-small" }, stream: { max_bitrate: 1Mbps } }
  - { name: vip, match: { client: bob, stream: "show-vip" }, priority: 10, override: true, stream: { max_bitrate: 12Mbps } }
  - { name: here, match: { ip: 127.0.0.2/32, protocol: rtmp, app: live }, stream: { max_fps: 25fps } }
  - { name: for-pros, match: { tier: pro, app: studio }, stream: { max_packets_per_sec: 500/s } }
  - { name: trial, mode: observe, match: { stream: "show-*" }, stream: { max_bitrate: 100kbps } }
`;

test('each limit comes from the most specific place, and says which', async () => {
  await start(TIERS);
  const limitsOf = async (name: string, key: string, options = {}): Promise<unknown> => {
    const client = await peers.publisher(`${name}?key=${key}`, options);
    peers.talk(client);
    const { limits } = await server.stream(`/${(options as { app?: string }).app ?? 'live'}/${name}`);
    client.vanish();
    await until(async () => (await server.totals()).connections === 0, 'it to leave');
    return limits;
  };
  expect(await limitsOf('plain', 'bob-key')).toMatchObject({
    max_bitrate_bps: 3_000_000,
    on_exceed: 'throttle',
    sources: {
      max_bitrate: 'limits.stream',
      on_exceed: 'limits.stream',
      'client.max_streams': 'limits.client',
    },
  });
  expect(await limitsOf('plain', 'alice-key')).toMatchObject({
    max_bitrate_bps: 8_000_000,
    on_exceed: 'drop',
    max_fps: 50,
    sources: {
      max_bitrate: 'tiers.pro.stream',
      max_fps: 'limits.stream',
      'client.max_streams': 'tiers.pro.client',
    },
  });
  expect(await limitsOf('plain', 'carol-key')).toMatchObject({
    sources: { 'client.max_streams': 'clients[1] carol' },
  });
  // The strictest of what matches wins: the tier's 8 Mbit/s falls to the policy's 5, the base's 3 stay.
  expect(await limitsOf('show-1', 'alice-key')).toMatchObject({
    max_bitrate_bps: 5_000_000,
    sources: { max_bitrate: 'policies[0] shows' },
  });
  expect(await limitsOf('show-1', 'bob-key')).toMatchObject({
    max_bitrate_bps: 3_000_000,
    sources: { max_bitrate: 'limits.stream' },
  });
  expect(await limitsOf('show-small', 'alice-key')).toMatchObject({
    sources: { max_bitrate: 'policies[1] strict' },
  });
  expect(await limitsOf('show-vip', 'bob-key')).toMatchObject({
    max_bitrate_bps: 12_000_000,
    sources: { max_bitrate: 'policies[2] vip' },
  });
  expect(await limitsOf('plain', 'bob-key', OTHER)).toMatchObject({
    max_fps: 25,
    sources: { max_fps: 'policies[3] here' },
  });
  expect(await limitsOf('plain', 'alice-key', { app: 'studio' })).toMatchObject({
    max_packets_per_sec: 500,
    sources: { max_packets_per_sec: 'policies[4] for-pros' },
  });
});

test("each client is held to its own tier's and its own limits", async () => {
  await start(TIERS);
  await peers.publisher('a1?key=alice-key');
  await peers.publisher('a2?key=alice-key');
  expect((await peers.refused('a3?key=alice-key')).description).toContain(
    'client_streams limit=2 observed=2',
  );
  await peers.publisher('b1?key=bob-key');
  expect((await peers.refused('b2?key=bob-key')).description).toContain('client_streams limit=1 observed=1');
  for (const name of ['c1', 'c2', 'c3']) await peers.publisher(`${name}?key=carol-key`);
  expect((await peers.refused('c4?key=carol-key')).description).toContain(
    'client_streams limit=3 observed=3',
  );
  expect(await clientOf('alice')).toMatchObject({ configured: true, tier: 'pro', priority: 80, streams: 2 });
  expect((await clientOf('carol')).limits).toEqual({
    max_streams: 3,
    max_bandwidth_bps: 10_000_000,
    publish_rate: { count: 5, period_ms: 60_000 },
  });
  expect((await clientOf('alice')).utilization.streams).toBe(1);
});

test('a policy in observe mode counts what it would have done and changes nothing', async () => {
  await start(TIERS);
  const encoder = new Publisher(clip({ kbps: 1000 }), `${server.rtmp()}/show-1?key=bob-key`);
  encoders.push(encoder);
  const receipt = await server.receipt('stream_bitrate');
  expect(receipt).toMatchObject({ action: 'observe', limit: 100_000, path: '/live/show-1', client: 'bob' });
  expect(receipt.observed).toBeGreaterThan(500_000);
  const stream = await server.stream('/live/show-1', ({ usage }) => usage.bitrate_bps > 900_000);
  expect(stream).toMatchObject({
    state: 'live',
    limits: { max_bitrate_bps: 3_000_000, sources: { max_bitrate: 'limits.stream' } },
  });
  expect(stream.usage).toMatchObject({ throttled_ms: 0, dropped_frames: 0 });
});

test('an address on the deny list is closed at once and for ever; deny goes before allow', async () => {
  await start('deny: [ 127.0.0.2, 127.0.1.0/24 ]\nallow: [ 127.0.0.0/8 ]');
  for (const localAddress of ['127.0.0.2', '127.0.1.9']) {
    await peers.shutOut({ localAddress });
    expect((await server.receipts(`?key=${localAddress}`))[0]).toMatchObject({
      reason: 'denied',
      ip: localAddress,
      retry_after_ms: null,
      action: 'refuse',
    });
  }
  await peers.open({ localAddress: '127.0.2.1' });
  expect(await server.metric('headgate_denied_total', '{reason="denied"}')).toBe(2);
});

test('an address on the allow list is never limited, and still counted', async () => {
  await start(`
allow: [ 127.0.0.2 ]
limits:
  global: { max_connections: 2, connection_rate: 2/h, max_streams: 1 }
  ip: { max_connections: 1, connection_rate: 1/h }
  client: { max_streams: 1, publish_rate: 1/h, max_bandwidth: 100kbps }
  stream: { max_bitrate: 100kbps, max_fps: 1fps, on_exceed: disconnect, grace: 1s }`);
  for (const name of ['a', 'b', 'c']) peers.talk(await peers.publisher(name, OTHER));
  const totals = await server.totals();
  expect(totals).toMatchObject({ connections: 3, streams: 3 });
  expect((await addresses()).find(({ ip }) => ip === '127.0.0.2')).toMatchObject({
    exempt: true,
    connections: 3,
    streams: 3,
  });
  // They take up room that others do not get.
  await peers.shutOut();
  expect(await server.receipt('global_connections')).toMatchObject({ observed: 3, limit: 2 });
  // Far above every limit of its stream and client for longer than grace, and untouched.
  const greedy = peers.talk(await peers.publisher('greedy', OTHER));
  const big = Buffer.concat([Buffer.from([0xaf, 1]), Buffer.alloc(4_000)]);
  const sender = await peers.publisher('loud', OTHER);
  const loud = setInterval(() => {
    sender.send({ type: 8, csid: 4, streamId: 1, timestamp: Math.round(performance.now()), payload: big });
  }, 20);
  await pause(2_500);
  const stream = await server.stream('/live/loud', ({ usage }) => usage.bitrate_bps > 500_000);
  clearInterval(loud);
  greedy();
  expect(stream).toMatchObject({ state: 'live', usage: { violations: 0, throttled_ms: 0 } });
  expect(sender.closed).toBe(false);
});

// -- addresses ---------------------------------------------------------------------------------------

test('in open mode an IPv6 client is its /64, and limits are held on that', async () => {
  await start('limits: { client: { max_streams: 1 }, ip: { max_connections: 3 } }', {
    HEADGATE_LISTEN__RTMP: '[::1]:0',
  });
  const here = { host: '::1' };
  peers.talk(await peers.publisher('cam', here));
  expect(await server.stream('/live/cam')).toMatchObject({ client: '::/64', ip: '::1', tier: null });
  expect(await clientOf('::/64')).toMatchObject({ configured: false, streams: 1 });
  const told = await peers.refused('second', here);
  expect(told.description).toContain('client_streams limit=1 observed=1');
  expect((await server.receipts(`?key=${encodeURIComponent('::/64')}`))[0]).toMatchObject({
    client: '::/64',
    ip: '::1',
    key: '::/64',
  });
  await peers.open(here);
  await peers.open(here);
  await peers.shutOut(here);
  expect(await server.receipt('ip_connections')).toMatchObject({
    key: '::/64',
    ip: '::1',
    limit: 3,
    observed: 3,
  });
});

test('an IPv4 client that comes in through a dual-stack listener is the same client as any other', async () => {
  await start('deny: [ 127.0.0.9 ]', { HEADGATE_LISTEN__RTMP: '[::]:0' });
  peers.talk(await peers.publisher('cam', OTHER));
  const stream = await server.stream('/live/cam');
  expect(stream).toMatchObject({ client: '127.0.0.2', ip: '127.0.0.2' });
  expect((await addresses()).map(({ ip }) => ip)).toEqual(['127.0.0.2']);
  await peers.shutOut({ localAddress: '127.0.0.9' });
  expect(await server.receipt('denied')).toMatchObject({ ip: '127.0.0.9', key: '127.0.0.9' });
  expect((await server.receipts('?key=127.0.0.9')).length).toBe(1);
});
