import dgram from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { STREAM } from '../../src/core/meter/slab-layout.ts';
import { loadSrt, SRT_CAUSE, SRT_STATS } from '../../src/native/srt.ts';
import { pause, until } from '../support/server.ts';
import { type CallOptions, SrtCaller } from '../support/srt-client.ts';
import {
  SRT_CLIENTS,
  type SrtClientName,
  SrtPublisher,
  type SrtTarget,
  tsClip,
} from '../support/srt-publishers.ts';
import { OPEN_RULES, type RigOptions, SrtRig } from './srt-rig.ts';

const PASSPHRASE = 'correct horse battery';
const PUBLISH = '#!::r=live/cam1,m=publish';
const NULL_PACKET = Buffer.alloc(188, 0xff).fill(Buffer.from([0x47, 0x1f, 0xff, 0x10]), 0, 4);

const open: { close: () => unknown }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

function rig(options: RigOptions = {}): SrtRig {
  const made = new SrtRig(options);
  open.push({ close: () => made.native.stop() });
  return made;
}

function publisher(client: SrtClientName, target: SrtTarget, kbps = 1000): SrtPublisher {
  const made = new SrtPublisher(client, tsClip({ kbps }), target);
  open.push({ close: () => made.stop() });
  return made;
}

async function call(options: CallOptions): Promise<SrtCaller> {
  const { caller, answer } = await SrtCaller.call(options);
  open.push({ close: () => caller.vanish() });
  expect(answer).toEqual({ accepted: true });
  return caller;
}

async function refusal(options: CallOptions): Promise<number> {
  const { caller, answer } = await SrtCaller.call(options);
  caller.vanish();
  return answer.accepted ? 0 : answer.refused;
}

test('libsrt is there, the port is guarded, and the kernel gives room', () => {
  expect(loadSrt()).toMatchObject({
    available: true,
    version: expect.stringMatching(/^1\.\d+\.\d+$/),
    reason: '',
  });
  const { native } = rig();
  expect(native.port).toBeGreaterThan(0);
  expect(native.guarded).toBe(process.platform === 'linux');
  expect(native.receiveBufferBytes).toBeGreaterThan(100_000);
});

test.each(SRT_CLIENTS)(
  '%s publishes: what is counted is what is handed on, whole packets from a start',
  async (client) => {
    const listener = rig();
    publisher(client, { port: listener.port, streamId: PUBLISH });
    const { id, ...said } = await listener.event('accepted');
    expect(said).toMatchObject({
      ip: '127.0.0.1',
      play: false,
      modeGiven: true,
      app: 'live',
      name: 'cam1',
      key: '',
    });
    expect(said.encrypted).toBe(false);
    await pause(50);
    expect(listener.row(0)[STREAM.BYTES], 'nothing is read before it is attached').toBe(0);
    expect(listener.attach(id, 0)).toBe(true);
    expect(listener.attach(id, 1), 'attached already').toBe(false);
    await listener.flows(0, 200_000);
    listener.native.close(id);
    expect(await listener.event('closed')).toMatchObject({ id, how: 'local' });
    const media = listener.media.get(id)!;
    expect(media.bytes).toBe(listener.row(0)[STREAM.BYTES]);
    expect(media.starts).toBeGreaterThan(0);
    expect(media.gaps).toBe(0);
    expect(media.last[0]).toBe(0x47);
    expect(media.last.length % 188).toBe(0);
    expect(listener.row(0)[STREAM.FRAMES]).toBeGreaterThan(20);
  },
);

describe('encryption', () => {
  test.each([128, 192, 256] as const)('AES-%i with the right passphrase', async (keyBits) => {
    const listener = rig({ rules: { passphrase: PASSPHRASE } });
    publisher('ffmpeg', { port: listener.port, streamId: PUBLISH, passphrase: PASSPHRASE, keyBits });
    const { id, encrypted } = await listener.event('accepted');
    expect(encrypted).toBe(true);
    listener.attach(id, 0);
    await listener.flows(0, 100_000);
    expect(listener.stats(id, SRT_STATS.KEY_BYTES)).toBe(keyBits / 8);
    expect(listener.stats(id, SRT_STATS.UNDECRYPTED)).toBe(0);
    expect(listener.row(0)[STREAM.FRAMES]).toBeGreaterThan(0);
  });

  test.each([
    ['wrong', PASSPHRASE, 'another passphrase'],
    ['missing', PASSPHRASE, undefined],
    ['not wanted', '', PASSPHRASE],
  ])('a passphrase that is %s is told as such', async (_what, ours, theirs) => {
    const listener = rig({ rules: { passphrase: ours } });
    const target = { port: listener.port, streamId: PUBLISH };
    publisher('ffmpeg', theirs === undefined ? target : { ...target, passphrase: theirs });
    expect(await listener.event('refused')).toMatchObject({
      cause: SRT_CAUSE.PASSPHRASE,
      path: '/live/cam1',
      count: 1,
    });
    expect(listener.of('accepted')).toEqual([]);
  });
});

describe('what a caller who is refused is told', () => {
  const forever = { until: Infinity };
  test.each<[string, number, number, RigOptions, CallOptions['streamId']]>([
    ['no rules yet', 1503, SRT_CAUSE.NOT_READY, { rules: null }, PUBLISH],
    ['denied', 1403, SRT_CAUSE.DENIED, { rules: { deny: ['127.0.0.0/8'] } }, PUBLISH],
    ['an unknown key', 1401, SRT_CAUSE.UNKNOWN_KEY, { rules: { mode: 'keys' } }, PUBLISH],
    ['no stream id', 1400, SRT_CAUSE.BAD_STREAM_ID, {}, ''],
    ['a bad mode', 1400, SRT_CAUSE.BAD_STREAM_ID, {}, '#!::r=live/cam1,m=sing'],
    ['a bad byte', 1400, SRT_CAUSE.BAD_STREAM_ID, {}, Buffer.from('live/c\u00e4m')],
    ['nothing to play', 1404, SRT_CAUSE.NO_SUCH_STREAM, {}, '#!::r=live/cam1,m=request'],
    ['a cap', 1402, 1, { entries: [{ kind: 'all', code: 1402, ...forever }] }, PUBLISH],
    [
      'a duplicate',
      1409,
      1,
      { entries: [{ kind: 'path', name: '/live/cam1', code: 1409, ...forever }] },
      PUBLISH,
    ],
    ['no place left', 1402, SRT_CAUSE.BEHIND, { connectionsMax: 0 }, PUBLISH],
  ])('%s', async (_what, code, cause, options, streamId) => {
    const listener = rig(options);
    expect(await refusal({ port: listener.port, ...(streamId === undefined ? {} : { streamId }) })).toBe(
      code,
    );
    expect(await listener.event('refused')).toMatchObject({ ip: '127.0.0.1', code, cause });
  });

  test('equal refusals become one event with a count', async () => {
    const listener = rig({ rules: { deny: ['127.0.0.1'] } });
    const calls = Array.from({ length: 50 }, () => refusal({ port: listener.port, streamId: PUBLISH }));
    expect(new Set(await Promise.all(calls))).toEqual(new Set([1403]));
    await until(
      () => listener.of('refused').reduce((sum, { count }) => sum + count, 0) >= 50,
      'all refusals to be counted',
    );
    expect(listener.of('refused').length).toBeLessThan(50);
  });

  test('of a stream id only what stands before a NUL is read', async () => {
    const listener = rig();
    await call({ port: listener.port, streamId: Buffer.from('live/cam1\0,evil') });
    expect(await listener.event('accepted')).toMatchObject({ app: 'live', name: 'cam1' });
    expect(await refusal({ port: listener.port, streamId: Buffer.from('\0live/cam1') })).toBe(1400);
  });

  test('handshakes past what JavaScript has confirmed are refused, and let in again afterwards', async () => {
    const listener = rig({ connectionsMax: 2 });
    const first = await call({ port: listener.port, streamId: 'live/a' });
    await call({ port: listener.port, streamId: 'live/b' });
    expect(await refusal({ port: listener.port, streamId: 'live/c' })).toBe(1402);
    first.hangUp();
    expect(await listener.event('closed')).toMatchObject({ how: 'peer' });
    await call({ port: listener.port, streamId: 'live/c' });
  });
});

describe('who closes whom', () => {
  test('detach: not a byte is counted after it, and the id still means the connection', async () => {
    const listener = rig();
    publisher('ffmpeg', { port: listener.port, streamId: PUBLISH });
    const { id } = await listener.event('accepted');
    listener.attach(id, 0);
    await listener.flows(0, 50_000);
    listener.native.detach(id);
    const before = listener.row(0).slice();
    await pause(200);
    expect(listener.row(0)).toEqual(before);
    expect(listener.attach(id, 1)).toBe(true);
    await listener.flows(1, 50_000);
    expect(listener.row(0)).toEqual(before);
  });

  test('close: the peer is told, and the id means nothing any more', async () => {
    const listener = rig();
    const caller = await call({ port: listener.port, streamId: PUBLISH });
    const { id } = await listener.event('accepted');
    listener.attach(id, 0);
    listener.native.close(id);
    expect(listener.attach(id, 1)).toBe(false);
    listener.native.close(id);
    await caller.closes();
    expect(await listener.event('closed')).toEqual({ type: 'closed', id, how: 'local' });
    await call({ port: listener.port, streamId: PUBLISH });
    const next = await listener.event('accepted', 2);
    expect(next.id).not.toBe(id);
    for (const stale of [id, 0, -1, 1e300, Number.NaN, 0.5]) {
      expect(listener.native.send(stale, NULL_PACKET)).toBe(false);
      expect(listener.stats(stale, SRT_STATS.RTT_MS)).toBeNaN();
      expect(listener.native.tables(stale)).toHaveLength(0);
      listener.native.detach(stale);
      listener.native.close(stale);
    }
    await pause(50);
    expect(listener.of('closed')).toHaveLength(1);
  });

  test('a peer that vanishes is found out', async () => {
    const listener = rig();
    const caller = await call({ port: listener.port, streamId: PUBLISH });
    const { id } = await listener.event('accepted');
    listener.attach(id, 0);
    caller.send(NULL_PACKET);
    caller.vanish();
    expect(await listener.event('closed')).toEqual({ type: 'closed', id, how: 'timeout' });
    expect(listener.row(0)[STREAM.BYTES]).toBe(188);
  });

  test('a wrong argument is a TypeError', () => {
    const { native } = rig();
    for (const wrong of [
      () => native.attach('x' as never, 0),
      () => native.attach(1, 64),
      () => native.send(1, [] as never),
      () => native.stats(1, new Float64Array(2)),
      () => native.setRules(null as never),
      () => native.setEntries([{}] as never, 1),
      () => new (loadSrt().SrtListener)(new Float64Array(8), new Float64Array(40), {} as never, () => {}),
    ])
      expect(wrong).toThrow(TypeError);
  });

  test('an address that is taken is an error with its code', async () => {
    const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    open.push({ close: () => socket.close() });
    expect(() => new SrtRig({ port: socket.address().port })).toThrow(
      expect.objectContaining({ code: 'EADDRINUSE' }),
    );
    expect(() => new SrtRig({ host: '192.0.2.1' })).toThrow(
      expect.objectContaining({ code: 'EADDRNOTAVAIL' }),
    );
  });
});

describe('players', () => {
  const live = { entries: [{ kind: 'path', name: '/live/cam1', code: 1409, until: Infinity }] } as const;
  const request = '#!::r=live/cam1,m=request';

  test('get what they are sent', async () => {
    const listener = rig(live);
    const player = await call({ port: listener.port, streamId: request });
    const { id, play } = await listener.event('accepted');
    expect(play).toBe(true);
    expect(listener.attach(id, 0), 'a player is not metered').toBe(false);
    const payload = Buffer.concat(Array.from({ length: 20 }, () => NULL_PACKET));
    expect(listener.native.send(id, payload)).toBe(true);
    await until(() => player.received.length >= 3, 'three datagrams');
    expect(Buffer.concat(player.received.slice(0, 3))).toEqual(payload);
    expect(player.received.slice(0, 3).map(({ length }) => length)).toEqual([1316, 1316, 1128]);
  });

  test('that do not take it fill a buffer, and not the memory', async () => {
    const listener = rig(live);
    await call({ port: listener.port, streamId: request });
    const { id } = await listener.event('accepted');
    const payload = Buffer.concat(Array.from({ length: 7 * 50 }, () => NULL_PACKET));
    let sent = 0;
    while (listener.native.send(id, payload)) sent += payload.length;
    expect(sent).toBeGreaterThan(1_000_000);
    expect(sent).toBeLessThan(5_000_000);
  });

  test('that send are sent away', async () => {
    const listener = rig(live);
    const player = await call({ port: listener.port, streamId: request });
    await listener.event('accepted');
    for (let i = 0; i < 100; i++) player.send(NULL_PACKET);
    expect(await listener.event('closed')).toMatchObject({ how: 'broken' });
  });
});

test('payload that finds the slab full is dropped and counted; the stream is counted all the same', async () => {
  const listener = rig({ slabBytes: 32 * 1024 });
  publisher('ffmpeg', { port: listener.port, streamId: PUBLISH }, 4000);
  const { id } = await listener.event('accepted');
  listener.attach(id, 0);
  await listener.flows(0, 50_000);
  const end = performance.now() + 500;
  while (performance.now() < end);
  const { mediaBytes } = await listener.event('lost');
  const atStart = listener.row(0)[STREAM.BYTES]!;
  await listener.flows(0, atStart + 100_000);
  listener.native.close(id);
  await listener.event('closed');
  const media = listener.media.get(id)!;
  expect(media.gaps).toBeGreaterThan(0);
  const lost = listener.of('lost').reduce((sum, event) => sum + event.mediaBytes, 0);
  expect(mediaBytes).toBeGreaterThan(0);
  expect(media.bytes + lost).toBe(listener.row(0)[STREAM.BYTES]);
});

test('a stream nobody consumes costs no batches', async () => {
  const listener = rig();
  publisher('ffmpeg', { port: listener.port, streamId: PUBLISH });
  const { id } = await listener.event('accepted');
  listener.attach(id, 0, false);
  await listener.flows(0, 20_000);
  const before = listener.batches;
  await listener.flows(0, 100_000);
  expect(listener.batches).toBe(before);
  expect(listener.media.size).toBe(0);
  expect(listener.native.tables(id)).toHaveLength(376);
});

test('a reader that throws is told of it, and nothing else happens', async () => {
  const listener = rig({ rules: { deny: ['127.0.0.1'] } });
  listener.onBatch = (events) => {
    if (events.some(({ type }) => type === 'refused')) throw new Error('oh dear');
  };
  await refusal({ port: listener.port, streamId: PUBLISH });
  expect(await listener.event('log')).toMatchObject({
    level: 'error',
    text: expect.stringMatching(/threw: Error: oh dear/),
  });
  listener.onBatch = () => {};
  await refusal({ port: listener.port, streamId: PUBLISH });
  await listener.event('refused');
});

test.each([
  ['::1', '::1', '::1'],
  ['::', '::1', '::1'],
  ['::', '127.0.0.1', '127.0.0.1'],
])('a listener on %s takes a caller of %s', async (host, from, ip) => {
  const listener = rig({ host });
  const caller = await call({ port: listener.port, host: from, streamId: PUBLISH });
  expect(await listener.event('accepted')).toMatchObject({ ip });
  expect(caller.closed).toBe(false);
});

test('listeners have rules, connections and ids of their own', async () => {
  const listeners = Array.from({ length: 8 }, (_, i) =>
    rig({ rules: i % 2 === 0 ? {} : { deny: ['127.0.0.1'] } }),
  );
  const answers = await Promise.all(listeners.map(({ port }) => SrtCaller.call({ port, streamId: PUBLISH })));
  for (const { caller } of answers) open.push({ close: () => caller.vanish() });
  expect(answers.map(({ answer }) => answer.accepted)).toEqual(listeners.map((_, i) => i % 2 === 0));
  listeners[0]!.native.setRules({ ...OPEN_RULES, deny: ['127.0.0.1'] });
  expect(await refusal({ port: listeners[0]!.port, streamId: PUBLISH })).toBe(1403);
  expect(await refusal({ port: listeners[2]!.port, streamId: 'live/cam2' })).toBe(0);
});
