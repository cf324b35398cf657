import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { OPEN_DOORS } from '../support/bystander.ts';
import { Draws } from '../support/draws.ts';
import { cpuOf } from '../support/flood.ts';
import { be } from '../support/rtmp-wire.ts';
import { pause, until } from '../support/server.ts';
import { SrtArena, type StrangerOptions } from '../support/srt-arena.ts';
import { HandshakeFlood } from '../support/srt-flood.ts';
import {
  EXTENSION,
  EXTENSION_FLAG,
  extension,
  HANDSHAKE,
  helloExtension,
  streamIdExtension,
} from '../support/srt-wire.ts';

/** Callers whose handshake is wrong, too much, or never ends: the running stream loses nothing, and nothing is held for them. */

const MiB = 1024 * 1024;

/** Callers that speak at the same time. */
const TOGETHER = 16;

const DENIED = '127.77.0.0/16';
const CONFIG = [OPEN_DOORS, `deny: [ ${DENIED} ]`].join('\n');

let arena: SrtArena;

beforeAll(async () => {
  arena = await SrtArena.open({ config: CONFIG });
});
afterEach(() => arena.unharmed());
afterAll(() => arena.close());

const PUBLISH = '#!::r=live/stranger,m=publish';

/** Says its handshake once and waits for nothing; most of these are never answered. */
async function blurt(options: StrangerOptions): Promise<void> {
  const caller = await arena.stranger({ streamId: PUBLISH, ...options });
  await caller.induce();
  caller.sendConclusion();
}

/** As `blurt`, again and again with other words, some at a time. */
async function blurtAll(words: readonly StrangerOptions[]): Promise<void> {
  for (let at = 0; at < words.length; at += TOGETHER)
    await Promise.all(words.slice(at, at + TOGETHER).map((options) => blurt(options)));
}

test('a thousand refused handshakes a second cost the running stream nothing', async () => {
  const perSecond = 1_000;
  const seconds = 3;
  const before = { rss: arena.server.rss(), lines: arena.server.log.length };
  const flood = await HandshakeFlood.start({
    port: arena.server.ports.srt,
    localAddress: '127.77.0.1',
    perSecond,
    streamId: () => PUBLISH,
  });
  const spent = await cpuOf(arena.server, () => until(() => flood.asked >= perSecond * seconds, 'the flood'));
  flood.still();
  await until(() => flood.answered >= flood.asked * 0.99, 'nearly all to be answered');
  flood.close();
  expect([...flood.refused.keys()]).toEqual([1403]);
  expect(flood.accepted).toBe(0);
  expect(spent).toBeLessThan(1.5);
  // libsrt makes a socket for each before it asks, and clears it away a second or more later: 16 kB for so long.
  expect(arena.server.rss() - before.rss).toBeLessThan(80 * MiB);
  expect(arena.server.log.length - before.lines).toBeLessThan(50);
  // All of them are told, in a receipt or a few.
  const told = async (): Promise<number> =>
    (await arena.server.receipts('?reason=denied')).reduce((sum, { count }) => sum + count, 0);
  await until(async () => (await told()) >= flood.answered * 0.9, 'the receipts');
  expect((await arena.server.receipts('?reason=denied')).length).toBeLessThan(10);
  expect(await arena.server.receipt('denied')).toMatchObject({
    protocol: 'srt',
    action: 'refuse',
    ip: '127.77.0.1',
  });
});

test('inductions that nobody follows up hold nothing', async () => {
  const before = arena.server.rss();
  const caller = await arena.stranger();
  for (let round = 0; round < 50; round += 1) {
    for (let i = 0; i < 100; i += 1) caller.sendInduction();
    await pause(10);
  }
  await until(() => (caller.controls.get(0) ?? 0) > 1_000, 'many to be answered');
  expect(arena.server.rss() - before).toBeLessThan(20 * MiB);
  expect((await arena.server.totals()).connections).toBe(1);
});

test('callers that finish their handshake and say no more are gone after the peer timeout', async () => {
  const calls = Array.from({ length: 20 }, (_, i) =>
    arena.call({ streamId: `#!::r=live/mute-${i},m=publish` }),
  );
  const callers = (await Promise.all(calls)).map(({ caller, answer }) => {
    expect(answer).toEqual({ accepted: true });
    return caller;
  });
  await until(async () => (await arena.server.totals()).streams === 21, 'all to be published');
  for (const caller of callers) caller.vanish();
  await until(async () => (await arena.server.totals()).connections === 1, 'all to be gone', 9_000);
});

test('conclusions without, with an old and with a wrong cookie are not let in', async () => {
  for (const cookie of [0, 1, 0xdeadbeef, 0xffffffff]) {
    const caller = await arena.stranger({ streamId: PUBLISH, conclusion: { cookie } });
    await caller.induce();
    caller.sendConclusion();
  }
  const early = await arena.stranger({ streamId: PUBLISH });
  early.sendConclusion();
  await pause(300);
  expect((await arena.server.totals()).connections).toBe(1);
});

describe('fields that no caller sends', () => {
  test.each([
    ['MSS of 60 to 92', Array.from({ length: 33 }, (_, i) => ({ mss: 60 + i }))],
    [
      'MSS',
      [0, 1, 28, 44, 59, 93, 116, 199, 200, 1_499, 1_501, 9_000, 0x7fffffff, 0x80000000, 0xffffffff].map(
        (mss) => ({ mss }),
      ),
    ],
    ['flow window', [0, 1, 2, 32, 0x7fffffff, 0x80000000, 0xffffffff].map((flowWindow) => ({ flowWindow }))],
    ['first sequence number', [0, 0x7fffffff, 0x80000000, 0xffffffff].map((sequence) => ({ sequence }))],
    ['socket id', [0, 1, 0x3fffffff, 0x40000000, 0x80000000, 0xffffffff].map((socketId) => ({ socketId }))],
    ['version', [0, 1, 3, 4, 6, 0xffffffff].map((version) => ({ version }))],
    [
      'type',
      [HANDSHAKE.WAVEHAND, HANDSHAKE.AGREEMENT, HANDSHAKE.DONE, 2, 999, 1_000, 2_402, 0x80000000].map(
        (type) => ({ type }),
      ),
    ],
    ['extension field', [0, 2, 4, 6, 8, 0x4a17, 0xffff].map((extensionField) => ({ extensionField }))],
    ['key length', [1, 2, 3, 4, 5, 8, 0xffff].map((encryption) => ({ encryption }))],
  ])('%s', async (_what, conclusions) => {
    await blurtAll(conclusions.map((conclusion) => ({ conclusion })));
    for (const induction of conclusions) (await arena.stranger({ induction })).sendInduction();
  });
});

const hello = helloExtension(120);
const longBlock = Buffer.alloc(1_200, 0x41);

describe('extensions that no caller sends', () => {
  test.each<[string, Buffer[]]>([
    [
      'with a length that lies',
      [0, 1, 2, 4, 100, 367, 0x7fff, 0xffff].map((words) =>
        extension(EXTENSION.HSREQ, hello.subarray(4), words),
      ),
    ],
    ['cut off anywhere', Array.from({ length: hello.length }, (_, i) => hello.subarray(0, i))],
    [
      'of unknown types',
      [0, 9, 10, 100, 0x7fff, 0xffff].map((type) => Buffer.concat([hello, extension(type, longBlock)])),
    ],
    [
      'that belong to answers',
      [EXTENSION.HSRSP, EXTENSION.KMRSP].map((type) => Buffer.concat([hello, extension(type, longBlock)])),
    ],
    [
      'of groups, filters and congestion control',
      [EXTENSION.GROUP, EXTENSION.FILTER, EXTENSION.CONGESTION].flatMap((type) =>
        [
          Buffer.alloc(0),
          Buffer.alloc(4),
          Buffer.from('fec,cols:10,rows:5,'),
          Buffer.from('elif'),
          Buffer.alloc(8, 0xff),
          longBlock,
        ].map((body) => Buffer.concat([hello, extension(type, body)])),
      ),
    ],
    [
      'many times over',
      [
        Buffer.concat(Array<Buffer>(80).fill(hello)),
        Buffer.concat(Array<Buffer>(300).fill(extension(EXTENSION.SID, Buffer.alloc(0)))),
      ],
    ],
    [
      'with odd versions and flags',
      [0, 0x010000, 0x010200, 0x020000, 0xffffffff].flatMap((version) =>
        [0, 0xffffffff, 0xbf, 0x40].map((flags) =>
          extension(EXTENSION.HSREQ, Buffer.concat([be(version, 4), be(flags, 4), be(0xffffffff, 4)])),
        ),
      ),
    ],
  ])('%s', async (_what, blocks) => {
    const kinds = EXTENSION_FLAG.HSREQ | EXTENSION_FLAG.KMREQ | EXTENSION_FLAG.CONFIG;
    const sid = streamIdExtension(PUBLISH);
    await blurtAll(blocks.map((extensions) => ({ extensions, conclusion: { extensionField: kinds } })));
    await blurtAll(
      blocks.map((block) => ({
        extensions: Buffer.concat([sid, block]),
        conclusion: { extensionField: EXTENSION_FLAG.HSREQ | EXTENSION_FLAG.CONFIG },
      })),
    );
  });

  test('drawn at random from a seed', async () => {
    const draws = new Draws(20_261_121);
    const words = Array.from({ length: 150 }, (): StrangerOptions => {
      const blocks = Array.from({ length: draws.whole(1, 4) }, () => {
        const body = Buffer.from(Array.from({ length: draws.whole(0, 60) }, () => draws.whole(0, 255)));
        return draws.chance(0.7)
          ? extension(draws.whole(0, 9), body)
          : extension(draws.whole(0, 9), body, draws.whole(0, 40));
      });
      return {
        extensions: Buffer.concat(draws.chance(0.5) ? [hello, ...blocks] : blocks),
        conclusion: { extensionField: draws.whole(0, 7) },
      };
    });
    await blurtAll(words);
  });
});

describe('stream ids', () => {
  test.each<[string, Buffer | string]>([
    ['a NUL at the start', '\0live/name'],
    ['a name of 492 bytes', `#!::m=publish,r=live/${'n'.repeat(492)}`.slice(0, 512)],
    ['bad UTF-8', Buffer.from([0x6c, 0x69, 0x76, 0x65, 0x2f, 0xc3, 0x28, 0xff, 0xfe])],
    ['good UTF-8', 'live/käse'],
    ['control bytes', 'live/a\u001b[31mb'],
    ['a line break', 'live/a\r\nb'],
    ['no resource', '#!::m=publish'],
    ['a key said twice', '#!::r=live/a,r=live/b,m=publish'],
    ['both ways', '#!::r=live/a,m=bidirectional'],
    ['another type', '#!::r=live/a,m=publish,t=file'],
    ['a path that climbs', 'live/../../etc'],
    ['three levels', 'live/a/b/c'],
    ['only the mark', '#!::'],
    ['nothing but commas', '#!::,,,,'],
    ['spaces', 'live/a b'],
  ])('%s: 1400, and a receipt without a byte of it', async (_what, streamId) => {
    const { caller, answer } = await arena.call({ streamId });
    expect(answer).toEqual({ accepted: false, refused: 1400 });
    const receipt = await arena.receipt(caller, 'protocol_error');
    expect(receipt).toMatchObject({ protocol: 'srt', action: 'refuse', path: null });
    expect(receipt.detail).toMatch(/stream id/i);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    expect(receipt.detail).not.toMatch(/[\u0000-\u001f\u007f-\uffff]/);
  });

  test('a NUL in the middle ends the stream id: libsrt hands on no more of it', async () => {
    await arena.publisher('before', { streamId: 'live/before\0\u001b[31m, and after' });
  });

  test('600 bytes are not even read', async () => {
    await blurt({ streamId: `live/${'n'.repeat(595)}` });
    await blurt({
      extensions: Buffer.concat([helloExtension(120), streamIdExtension('live/x', 0xffff)]),
      conclusion: { extensionField: 5 },
    });
  });

  test('none at all: 1400 as well', async () => {
    const { answer } = await arena.call({});
    expect(answer).toEqual({ accepted: false, refused: 1400 });
  });

  test.each([511, 512])('%s bytes that say something sound are let in', async (bytes) => {
    const start = `#!::r=live/long-${bytes},m=publish,h=`;
    await arena.publisher(`long-${bytes}`, { streamId: start + 'h'.repeat(bytes - start.length) });
  });
});
