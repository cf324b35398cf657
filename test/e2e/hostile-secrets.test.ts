import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { OPEN_DOORS } from '../support/bystander.ts';
import { fetchFor, type HttpReading } from '../support/http-read.ts';
import { amf } from '../support/rtmp-wire.ts';

/** A stream key must not be found by who reads logs, receipts, metrics, events or the API: neither the right one nor a near miss. */

const KEY = 'k-SECRET-alice-1';
const NEAR_MISS = 'k-SECRET-alice-2';
const CONFIG = [
  OPEN_DOORS,
  'auth: { mode: keys }',
  'clients:',
  `  - { id: alice, keys: [ "${KEY}", { key: "k-SECRET-stage", name: stage } ] }`,
  '  - { id: bob, keys: [ { key: "k-SECRET-bob", name: bystander } ] }',
].join('\n');

let arena: Arena;
let events: HttpReading;

beforeAll(async () => {
  arena = await Arena.open({ config: CONFIG }, (server) => `${server.rtmp()}/k-SECRET-bob`);
  events = fetchFor(arena.server.url('/api/v1/events'));
});
afterEach(() => arena.unharmed());
afterAll(async () => {
  await events.stop();
  await arena.close();
});

test.each<[string, string, string]>([
  ['as the name', 'live', NEAR_MISS],
  ['as the name with a query', 'live', `${NEAR_MISS}?x=1`],
  ['in the query', 'live', `cam?key=${NEAR_MISS}`],
  ['in the query of the app', `live?key=${NEAR_MISS}`, 'cam'],
  ['twice in the query', 'live', `cam?key=${KEY}&key=${KEY}`],
  ['as another client’s name', 'live', `bystander?key=${KEY}`],
  ['as name and a wrong one in the query', 'live', `${KEY}?key=${NEAR_MISS}`],
  ['as the app', `${NEAR_MISS}/..`, NEAR_MISS],
  ['with a NUL behind it', 'live', `${KEY}\0`],
  ['in 60,000 letters', 'live', NEAR_MISS.repeat(3_700)],
])('a wrong key %s is refused and never repeated', async (_what, app, name) => {
  const attacker = await arena.attacker();
  const status = await attacker.publish(app, name);
  expect(status.code).toMatch(/^NetStream\.Publish\.(Denied|Rejected)$/);
  await attacker.closes();
  expect(await arena.server.receipts(`?key=${attacker.localAddress}`)).toHaveLength(1);
});

test('a key is never told once it is in use, refused, cut or asked for', async () => {
  const alice = await arena.attacker();
  expect((await alice.publish('live', KEY)).description).not.toContain('SECRET');
  const twin = await arena.attacker();
  expect((await twin.publish('live', KEY)).code).toBe('NetStream.Publish.BadName');
  const stage = await arena.attacker();
  expect((await stage.publish('live', 'stage?key=k-SECRET-stage')).code).toBe('NetStream.Publish.Start');
  for (const name of [KEY, NEAR_MISS]) {
    const player = await arena.attacker();
    expect((await player.play('live', name)).code).toBe('NetStream.Play.StreamNotFound');
    expect(player.statuses.at(-1)?.description).not.toContain('SECRET');
  }
  const http = await fetch(`http://127.0.0.1:${arena.server.ports.playback}/live/${NEAR_MISS}.flv`);
  expect(http.status).toBe(404);
  alice.send({
    type: 20,
    csid: 3,
    streamId: 1,
    payload: amf(KEY, 1, { tcUrl: `rtmp://x/${KEY}` }).subarray(0, -3),
  });
  await arena.cutFor(alice, 'protocol_error', /malformed command/);
  const { id } = await arena.server.stream('/live/stage');
  await fetch(arena.server.url(`/api/v1/streams/${id}?cooldown=1s`), { method: 'DELETE' });
  await stage.closes();
  const late = await arena.attacker();
  expect((await late.publish('live', 'stage?key=k-SECRET-stage')).code).toBe('NetStream.Publish.Rejected');
  await arena.receipt(late, 'cooldown');
});

test('no log line, receipt, event, metric or answer holds a secret', async () => {
  const paths = ['streams', 'clients', 'clients/alice', 'ips', 'receipts?limit=1000', 'config', 'resources'];
  const told = await Promise.all(paths.map((path) => arena.server.get<unknown>(`/api/v1/${path}`)));
  const metrics = await (await fetch(arena.server.url('/metrics'))).text();
  const everything = JSON.stringify([told, arena.server.log]) + metrics + events.text();
  expect(everything).toContain('bystander');
  expect(everything).toContain('auth_failed');
  expect(events.bytes()).toBeGreaterThan(0);
  expect(everything).not.toMatch(/SECRET/i);
});
