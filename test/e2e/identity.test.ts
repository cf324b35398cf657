import { spawnSync } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { Peers, receiptOf } from '../support/peers.ts';
import { pause, TestServer, until } from '../support/server.ts';

/** Stream keys, who may replace whom, and who is kept out for a while. */

const OTHER = { localAddress: '127.0.0.2' };

/** In none of these may a secret ever show up. */
const SECRETS = { alice: 'sEcReT-alice-one', stage: 'sEcReT-alice-two', bob: 'sEcReT-bob-one' };
const WRONG = 'sEcReT-of-nobody';

const KEYS = `
auth: { mode: keys }
clients:
  - { id: alice, tier: pro, priority: 80, keys: [ ${SECRETS.alice}, { key: ${SECRETS.stage}, name: stage } ] }
  - { id: bob, keys: [ ${SECRETS.bob} ] }
tiers: { pro: { client: { max_streams: 5 } } }
limits: { ip: { connection_rate: 10000/s, max_connections: unlimited } }
`;

let server: TestServer;
let peers: Peers;
const encoders: Publisher[] = [];

async function start(config: string): Promise<void> {
  server = await TestServer.start({ config });
  peers = new Peers(server);
}

function ffmpeg(url: string): Publisher {
  const encoder = new Publisher(clip({ kbps: 1000 }), url);
  encoders.push(encoder);
  return encoder;
}

afterEach(async () => {
  for (const encoder of encoders.splice(0)) await encoder.stop();
  peers.leave();
  await server.stop();
});

/** Everything the server says about itself, as text. */
async function everythingTold(): Promise<string> {
  const events = await eventsFor(600);
  const paths = ['streams', 'clients', 'ips', 'resources', 'config', 'receipts', 'audit'].map(
    (noun) => `/api/v1/${noun}`,
  );
  const answers = [
    ...paths,
    '/metrics',
    '/readyz',
    '/api/v1/clients/alice',
    '/api/v1/receipts?key=/live/alice-1',
  ];
  const texts = await Promise.all(answers.map(async (path) => (await fetch(server.url(path))).text()));
  return [...texts, events, JSON.stringify(server.log), server.stderr].join('\n');
}

async function eventsFor(ms: number): Promise<string> {
  let text = '';
  try {
    const answer = await fetch(server.url('/api/v1/events?interval=250ms'), {
      signal: AbortSignal.timeout(ms),
    });
    for await (const part of answer.body as unknown as AsyncIterable<Uint8Array>)
      text += Buffer.from(part).toString();
  } catch (error) {
    if ((error as Error).name !== 'TimeoutError') throw error;
  }
  return text;
}

function expectNoSecret(text: string): void {
  for (const secret of [...Object.values(SECRETS), WRONG]) expect(text.indexOf(secret), secret).toBe(-1);
}

// -- keys --------------------------------------------------------------------------------------------

test('in keys mode the stream key is the secret, and the world sees its public name', async () => {
  await start(KEYS);
  const encoder = ffmpeg(`${server.rtmp()}/${SECRETS.alice}`);
  const stream = await server.stream('/live/alice-1', ({ usage }) => usage.frames > 30);
  expect(stream).toMatchObject({ name: 'alice-1', client: 'alice', tier: 'pro', priority: 80 });
  await peers.publisher(SECRETS.stage);
  expect(await server.stream('/live/stage')).toMatchObject({ client: 'alice', name: 'stage' });
  const played = `http://127.0.0.1:${server.ports.playback}`;
  expect(framesOf(`${played}/live/alice-1.flv`)).toBeGreaterThan(0);
  expect((await fetch(`${played}/live/${SECRETS.alice}.flv`)).status).toBe(404);
  await encoder.stop();
  expectNoSecret(await everythingTold());
});

test('?key= keeps the name that the stream gives itself', async () => {
  await start(KEYS);
  peers.talk(await peers.publisher(`my-show?key=${SECRETS.alice}`));
  expect(await server.stream('/live/my-show')).toMatchObject({
    client: 'alice',
    name: 'my-show',
    tier: 'pro',
  });
  // OBS and others put the query behind the application
  peers.talk(await peers.publisher('other-show', { app: `live?key=${SECRETS.bob}` }));
  expect(await server.stream('/live/other-show')).toMatchObject({ client: 'bob', tier: null });
  const encoder = ffmpeg(`${server.rtmp()}/ffmpeg-show?key=${SECRETS.stage}`);
  await server.stream('/live/ffmpeg-show');
  await encoder.stop();
  expectNoSecret(await everythingTold());
});

const STRANGERS: readonly (readonly [what: string, name: string, app?: string])[] = [
  ['a wrong key as name', WRONG],
  ['a wrong ?key=', `my-show?key=${WRONG}`],
  ['a wrong key behind the application', 'my-show', `live?key=${WRONG}`],
  ['no key', 'my-show'],
  ['two keys at once', `my-show?key=${SECRETS.alice}&key=${SECRETS.bob}`],
  ["somebody's key as name and another in the query", `${SECRETS.alice}?key=${SECRETS.bob}`],
  ["another client's public name", `alice-1?key=${SECRETS.bob}`],
];

test('without a right key a publish is denied, and what was tried is never written down', async () => {
  await start(KEYS);
  for (const [what, name, app = 'live'] of STRANGERS) {
    const told = await peers.refused(name, { app });
    expect(told, what).toMatchObject({ level: 'error', code: 'NetStream.Publish.Denied' });
    expect(told.description, what).toMatch(/^headgate: auth_failed retry_after=never receipt=r-/);
    const receipt = await receiptOf(server, told);
    expect(receipt).toMatchObject({
      reason: 'auth_failed',
      ip: '127.0.0.1',
      path: null,
      client: null,
      retry_after_ms: null,
    });
    expect((await server.receipts('?key=127.0.0.1')).map(({ id }) => id)).toContain(receipt.id);
  }
  expect(await server.metric('headgate_denied_total', '{reason="auth_failed"}')).toBe(STRANGERS.length);
  expectNoSecret(await everythingTold());
});

test('refusals, cuts and plays that name a key do not write it down', async () => {
  await start(KEYS.replace('max_streams: 5', 'max_streams: 1'));
  peers.talk(await peers.publisher(SECRETS.alice));
  expect((await peers.refused(SECRETS.alice)).description).toContain('client_streams');
  expect((await peers.refused(SECRETS.stage)).description).toContain('client_streams');
  expect((await peers.refused(`a b?key=${SECRETS.bob}`)).description).toContain('protocol_error');
  const player = await peers.open();
  expect((await player.play('live', SECRETS.alice)).code).toBe('NetStream.Play.StreamNotFound');
  const { id } = await server.stream('/live/alice-1');
  expect((await fetch(server.url(`/api/v1/streams/${id}`), { method: 'DELETE' })).status).toBe(200);
  expect((await peers.refused(SECRETS.alice, OTHER)).description).toContain('cooldown');
  expectNoSecret(await everythingTold());
});

// -- ghosts ------------------------------------------------------------------------------------------

test('a client that went silent is replaced by itself after 3 s and not before, and by nobody else', async () => {
  await start(
    'limits: { client: { max_streams: 1, publish_rate: 1000/s }, ip: { connection_rate: 1000/s } }',
  );
  const ghost = await peers.publisher('cam');
  const stopTalking = peers.talk(ghost);
  await server.stream('/live/cam', ({ usage }) => usage.packets > 3);
  stopTalking();
  const silentSince = performance.now();
  let refusals = 0;
  while (performance.now() - silentSince < 2_700) {
    // At its one stream, and not a ghost yet: the first of the two reasons is told.
    expect((await peers.refused('cam')).description).toContain('client_streams');
    refusals++;
    await pause(200);
  }
  expect(refusals).toBeGreaterThan(3);
  await pause(3_100 - (performance.now() - silentSince));
  expect((await peers.refused('cam', OTHER)).code).toBe('NetStream.Publish.BadName');
  expect(ghost.closed).toBe(false);
  peers.talk(await peers.publisher('cam'));
  await ghost.closes();
  expect(ghost.statuses.at(-1)).toMatchObject({ code: 'NetStream.Publish.BadName' });
  expect(ghost.statuses.at(-1)?.description).toContain('stream_duplicate');
  expect(await server.receipt('stream_duplicate', ({ action }) => action === 'cut')).toMatchObject({
    path: '/live/cam',
  });
  expect(await server.totals()).toMatchObject({ streams: 1 });
  // Its place was taken over, not added to: the client is at its one stream, and goes on.
  expect((await peers.refused('cam2')).description).toContain('client_streams');
  const { usage } = await server.stream('/live/cam');
  await server.stream('/live/cam', (now) => now.usage.packets > usage.packets);
});

test('an ffmpeg that hangs is replaced by another with the same key', async () => {
  await start(KEYS);
  const hung = ffmpeg(`${server.rtmp()}/${SECRETS.alice}`);
  const before = await server.stream('/live/alice-1', ({ usage }) => usage.frames > 30);
  hung.process.kill('SIGSTOP');
  const early = ffmpeg(`${server.rtmp()}/${SECRETS.alice}`);
  await early.exited;
  expect(early.stderr).toContain('stream_duplicate');
  await pause(3_300);
  // Another key of the same client is another publisher.
  expect((await peers.refused(`alice-1?key=${SECRETS.stage}`)).code).toBe('NetStream.Publish.BadName');
  const fresh = ffmpeg(`${server.rtmp()}/${SECRETS.alice}`);
  const after = await server.stream(
    '/live/alice-1',
    ({ id, usage }) => id !== before.id && usage.frames > 30,
  );
  expect(after).toMatchObject({ client: 'alice', state: 'live' });
  hung.process.kill('SIGCONT');
  await hung.exited;
  expect(fresh.alive).toBe(true);
  expect((await server.stream('/live/alice-1')).id).toBe(after.id);
});

test('a throttled encoder that died is replaced at once, whatever of its bytes still waits to be read', async () => {
  await start(
    'limits: { stream: { max_bitrate: 500kbps, max_packets_per_sec: unlimited, max_fps: unlimited, grace: never } }',
  );
  const dead = new Publisher(clip({ kbps: 2000 }), `${server.rtmp()}/cam`, { paced: false });
  encoders.push(dead);
  // Throttled for a while: the receive buffer of the kernel holds seconds of it by now.
  const before = await server.stream(
    '/live/cam',
    ({ state, uptime_ms }) => state === 'throttled' && uptime_ms > 2_000,
  );
  expect((await peers.refused('cam')).code).toBe('NetStream.Publish.BadName');
  await dead.stop('SIGKILL');
  expect((await peers.refused('cam', OTHER)).code).toBe('NetStream.Publish.BadName');
  // The end of the dead one may wait behind what it had not sent yet: asking draws it out, as told by retry_after=1s.
  const told = await peers.refused('cam').catch(() => null);
  if (told !== null) expect(told.description).toContain('retry_after=1s');
  await pause(1_000);
  await peers.publisher('cam');
  expect((await server.stream('/live/cam')).id).not.toBe(before.id);
});

// -- cooldown ----------------------------------------------------------------------------------------

async function kick(streamPath: string, cooldown: string): Promise<Response> {
  const { id } = await server.stream(streamPath);
  return fetch(server.url(`/api/v1/streams/${id}?cooldown=${cooldown}&reason=test`), { method: 'DELETE' });
}

test('a cooldown keeps the address out at accept and the key out everywhere, until it is over', async () => {
  await start(KEYS);
  peers.talk(await peers.publisher(SECRETS.alice));
  expect((await kick('/live/alice-1', '3s')).status).toBe(200);
  const kickedAt = Date.parse((await server.receipt('kicked')).at);
  await peers.shutOut();
  const atDoor = await server.receipt('cooldown');
  expect(atDoor).toMatchObject({ action: 'refuse', key: '127.0.0.1', path: null });
  // The key comes back from another address: let in, and refused at publish.
  const told = await peers.refused(SECRETS.alice, OTHER);
  expect(told).toMatchObject({ code: 'NetStream.Publish.Rejected' });
  expect(told.description).toMatch(/^headgate: cooldown retry_after=[123]s receipt=r-/);
  const atDesk = await receiptOf(server, told);
  expect(atDesk).toMatchObject({ key: '/live/alice-1', path: '/live/alice-1', client: 'alice' });
  for (const { at, retry_after_ms } of [atDoor, atDesk]) {
    expect(Math.abs(Date.parse(at) + (retry_after_ms as number) - kickedAt - 3_000)).toBeLessThan(10);
  }
  // Another key from that other address is nobody's business.
  await peers.publisher(SECRETS.bob, OTHER);
  const { ips } = await server.get<{ ips: { ip: string; cooldown_ms: number }[] }>('/api/v1/ips');
  const cooling = ips.find(({ ip }) => ip === '127.0.0.1');
  expect(cooling?.cooldown_ms).toBeGreaterThan(0);
  expect(cooling?.cooldown_ms).toBeLessThanOrEqual(3_000);
  await pause(Math.max(0, kickedAt + 3_005 - Date.now()));
  await peers.publisher(SECRETS.alice);
  expect(await server.metric('headgate_denied_total', '{reason="cooldown"}')).toBe(2);
});

test('an address that holds another live stream may connect through a cooldown: a NAT is not one publisher', async () => {
  await start(KEYS);
  const neighbour = await peers.publisher(SECRETS.bob);
  peers.talk(neighbour);
  peers.talk(await peers.publisher(SECRETS.alice));
  await kick('/live/alice-1', '20s');
  // Same address, other key: comes in. Same key: refused at publish.
  await peers.publisher(SECRETS.stage);
  expect((await peers.refused(SECRETS.alice)).description).toContain('cooldown');
  peers.leave();
  await until(async () => (await server.totals()).connections === 0, 'everybody to leave');
  await peers.shutOut();
});

test('a kicked publisher is told why, and may return at once after cooldown=0s', async () => {
  await start('');
  const publisher = await peers.publisher('cam');
  peers.talk(publisher);
  const answer = (await (await kick('/live/cam', '0s')).json()) as { receipt: string; cooldown_ms: number };
  expect(answer).toMatchObject({ cooldown_ms: 0 });
  await publisher.closes();
  const told = publisher.statuses.at(-1);
  expect(told).toMatchObject({ level: 'error', code: 'NetStream.Publish.Rejected' });
  expect(told?.description).toBe(`headgate: kicked retry_after=0s receipt=${answer.receipt}`);
  await peers.publisher('cam');
  expect(await server.metric('headgate_disconnects_total', '{reason="kicked"}')).toBe(1);
  expect(await server.get('/api/v1/audit')).toMatchObject({
    events: expect.arrayContaining([
      expect.objectContaining({ kind: 'audit', action: expect.objectContaining({ action: 'kick' }) }),
    ]),
  });
});

/** Frames ffprobe reads of the first second of an FLV. */
function framesOf(url: string): number {
  const args = ['-v', 'error', '-select_streams', 'v', '-read_intervals', '%+1', '-count_packets'];
  const run = spawnSync(
    'ffprobe',
    [...args, '-show_entries', 'stream=nb_read_packets', '-of', 'csv=p=0', url],
    {
      encoding: 'utf8',
      timeout: 15_000,
    },
  );
  return Number.parseInt(run.stdout, 10);
}
