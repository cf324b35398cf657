import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Draws } from '../support/draws.ts';
import { cpuOf } from '../support/flood.ts';
import { be } from '../support/rtmp-wire.ts';
import { pause, until } from '../support/server.ts';
import { SrtArena } from '../support/srt-arena.ts';
import type { SrtCaller } from '../support/srt-client.ts';
import {
  CONTROL,
  controlPacket,
  dataPacket,
  EXTENSION,
  HANDSHAKE,
  handshakePacket,
  helloExtension,
  keyMaterial,
  lossList,
} from '../support/srt-wire.ts';

/** Control packets that lie: from publishers that were let in, and from strangers about the connections of others. */

const MiB = 1024 * 1024;

/** Datagrams between which the event loop of this process gets a turn. */
const STRETCH = 64;

let arena: SrtArena;

beforeAll(async () => {
  arena = await SrtArena.open();
});
afterEach(() => arena.unharmed());
afterAll(() => arena.close());

/** Sends many datagrams without filling the server's socket buffer: what is lost there would hit the bystander too. */
async function pour(caller: SrtCaller, datagrams: Iterable<Buffer>): Promise<void> {
  let count = 0;
  for (const bytes of datagrams) {
    caller.raw(bytes);
    count += 1;
    if (count % STRETCH === 0) await pause(5);
  }
}

/** The server still talks to the bystander at once: its thread is not held up by anything. */
async function flows(): Promise<void> {
  const { usage } = await arena.bystander();
  await arena.bystander((now) => now.usage.bytes > usage.bytes);
}

const words = (...values: number[]): Buffer => Buffer.concat(values.map((value) => be(value >>> 0, 4)));
const EDGES = [
  0, 1, 2, 0x0fff, 0x3fffffff, 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff,
];

test('message drop requests over any range hang nobody', async () => {
  const caller = await arena.publisher('dropper');
  arena.talk(caller);
  const draws = new Draws(3);
  const ranges = Array.from(
    { length: 200 },
    () => [draws.whole(0, 0xffffffff), draws.whole(0, 0xffffffff)] as const,
  );
  const spent = await cpuOf(arena.server, async () => {
    for (const first of EDGES) {
      for (const last of EDGES)
        caller.control({
          type: CONTROL.DROPREQ,
          info: draws.pick([0, 1, 0xffffffff]),
          body: words(first, last),
        });
    }
    for (const [first, last] of ranges)
      caller.control({ type: CONTROL.DROPREQ, info: 0, body: words(first, last) });
    for (const ahead of [0, 1, 100, 8_000, 8_192, 8_193, 100_000, 0x3fffffff])
      caller.control({
        type: CONTROL.DROPREQ,
        info: 0,
        body: words(caller.sequence + 10, caller.sequence + 10 + ahead),
      });
    for (const length of [0, 1, 4, 7, 9, 12, 1_000])
      caller.control({ type: CONTROL.DROPREQ, body: Buffer.alloc(length, 0xff) });
    await flows();
  });
  expect(spent).toBeLessThan(1);
});

test.each(['publish', 'request'])(
  'an acknowledgement of what was never sent holds nobody (m=%s)',
  async (mode) => {
    const callers = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        arena.call({ streamId: `#!::r=live/${mode === 'publish' ? `acker-${i}` : 'bystander'},m=${mode}` }),
      ),
    );
    const spent = await cpuOf(arena.server, async () => {
      for (const { caller, answer } of callers) {
        expect(answer).toEqual({ accepted: true });
        for (const ahead of [0x1000000, 0x20000000, 0x3ffffffe])
          caller.control({ type: CONTROL.ACK, body: words((caller.sequence + ahead) & 0x7fffffff) });
      }
      await flows();
    });
    // Each of them would take up to a second of the thread that serves the port.
    expect(spent).toBeLessThan(1);
  },
);

test('acknowledgements and loss reports of nonsense, sent to a receiver, change nothing', async () => {
  const caller = await arena.publisher('acker');
  arena.talk(caller);
  const packets: Buffer[] = [];
  for (const type of [
    CONTROL.ACK,
    CONTROL.NAK,
    CONTROL.ACKACK,
    CONTROL.CONGESTION,
    CONTROL.PEER_ERROR,
    CONTROL.KEEPALIVE,
  ]) {
    for (const info of EDGES) {
      for (const body of [
        Buffer.alloc(0),
        words(0),
        words(...EDGES),
        Buffer.alloc(1_400, 0xff),
        Buffer.alloc(3),
      ])
        packets.push(controlPacket({ type, info, destination: caller.peerId, body }));
    }
  }
  for (const from of EDGES)
    for (const to of EDGES)
      packets.push(
        controlPacket({
          type: CONTROL.NAK,
          destination: caller.peerId,
          body: lossList([from, to], from, [to, from]),
        }),
      );
  await pour(caller, packets);
  await flows();
});

test('unknown control types, and key and hello messages mid-stream, change nothing', async () => {
  const caller = await arena.publisher('exotic');
  arena.talk(caller);
  const packets: Buffer[] = [];
  for (const type of [9, 10, 100, 0x7ffe])
    packets.push(controlPacket({ type, destination: caller.peerId, body: Buffer.alloc(100, 0x55) }));
  const sound = keyMaterial('0123456789');
  for (const subtype of [...Object.values(EXTENSION), 0, 99, 0xffff]) {
    for (const body of [
      Buffer.alloc(0),
      Buffer.alloc(3),
      Buffer.alloc(4),
      sound,
      sound.subarray(0, 30),
      Buffer.alloc(104, 0xff),
      Buffer.alloc(1_400, 0x12),
      helloExtension(120),
    ])
      packets.push(controlPacket({ type: CONTROL.USER, subtype, destination: caller.peerId, body }));
  }
  await pour(caller, packets);
  await flows();
});

test('handshakes sent to a live connection leave it as it is', async () => {
  const caller = await arena.publisher('again');
  arena.talk(caller);
  const common = {
    encryption: 0,
    sequence: 1,
    mss: 1_500,
    flowWindow: 8_192,
    socketId: caller.socketId,
    cookie: 0,
  };
  const packets: Buffer[] = [];
  for (const type of Object.values(HANDSHAKE)) {
    for (const version of [4, 5]) {
      const packet = handshakePacket({ ...common, type, version, extensionField: 5 }, helloExtension(120));
      packet.writeUInt32BE(caller.peerId, 12);
      packets.push(packet);
    }
  }
  await pour(caller, packets);
  await flows();
});

test('data out of any order, from far ahead, in pieces, enciphered: it is not delivered, and costs little', async () => {
  const caller = await arena.publisher('jumper');
  const before = arena.server.rss();
  const payload = Buffer.alloc(1_316, 0x47);
  const destination = caller.peerId;
  const packets: Buffer[] = [];
  for (const ahead of [
    0, 1, 5, 100, 4_000, 5_144, 5_145, 8_191, 8_192, 100_000, 0x3fffffff, 0x40000000, 0x7fffffff, -1, -100,
  ]) {
    for (const message of [0, 1, 2, 0x3ffffff])
      packets.push(
        dataPacket({ sequence: caller.sequence + ahead, message, timestamp: 0, destination, payload }),
      );
  }
  for (let position = 0; position < 4; position += 1) {
    for (let key = 0; key < 4; key += 1) {
      for (const length of [0, 1, 15, 188, 1_316, 1_456, 1_472]) {
        caller.sequence += 1;
        packets.push(
          dataPacket({
            sequence: caller.sequence,
            message: 7,
            timestamp: caller.timestamp,
            destination,
            payload: payload.subarray(0, length),
            position,
            key,
            inOrder: false,
          }),
        );
      }
    }
  }
  for (const timestamp of EDGES) {
    caller.sequence += 1;
    packets.push(dataPacket({ sequence: caller.sequence, message: 8, timestamp, destination, payload }));
  }
  await pour(caller, packets);
  await flows();
  expect(arena.server.rss() - before).toBeLessThan(20 * MiB);
});

test('strangers cannot say goodbye, report losses or ask for drops in the name of another', async () => {
  const victim = await arena.publisher('victim');
  arena.talk(victim);
  const { id } = await arena.server.stream('/live/victim', ({ usage }) => usage.frames > 0);
  const stranger = await arena.stranger();
  // libsrt hands out socket ids one below the other: the bystander's lies a little above the victim's.
  const ids = Array.from({ length: 1_500 }, (_, i) => victim.peerId - 500 + i);
  function* spoofed(): Generator<Buffer> {
    for (const destination of ids) {
      yield controlPacket({ type: CONTROL.SHUTDOWN, destination, body: Buffer.alloc(4) });
      yield controlPacket({ type: CONTROL.DROPREQ, destination, body: words(0, 0x7fffffff) });
      yield controlPacket({ type: CONTROL.NAK, destination, body: lossList([0, 0x7fffffff]) });
      yield controlPacket({ type: CONTROL.PEER_ERROR, info: 4_000, destination, body: Buffer.alloc(4) });
    }
  }
  await pour(stranger, spoofed());
  await flows();
  const after = await arena.server.stream('/live/victim', ({ usage }) => usage.frames > 50);
  expect(after.id).toBe(id);
  expect(after.transport).toMatchObject({ loss: 0, retransmitted: 0 });
});

test('a storm of publishers that come and say goodbye at once leaves nothing behind', async () => {
  const storm = async (): Promise<number> => {
    for (let round = 0; round < 8; round += 1) {
      const calls = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          arena.call({ streamId: `#!::r=live/storm-${i},m=publish`, localAddress: `127.89.0.${i + 1}` }),
        ),
      );
      for (const { caller } of calls) {
        for (let i = 0; i < 5; i += 1) caller.control({ type: CONTROL.SHUTDOWN, body: Buffer.alloc(4) });
        caller.hangUp();
      }
    }
    await until(async () => (await arena.server.totals()).connections === 1, 'all to be gone');
    return arena.server.rss();
  };
  const first = await storm();
  expect((await storm()) - first).toBeLessThan(25 * MiB);
});

test('a publisher that reports the loss of what was never sent to it is gone', async () => {
  const caller = await arena.publisher('reporter');
  arena.talk(caller);
  caller.control({ type: CONTROL.NAK, body: lossList([0, 0x7fffffff]) });
  await until(async () => (await arena.server.totals()).connections === 1, 'it to be gone', 5_000);
});

test('datagrams of noise of every length are dropped', async () => {
  const draws = new Draws(7);
  const stranger = await arena.stranger();
  function* noise(): Generator<Buffer> {
    for (let length = 0; length < 100; length += 1) yield Buffer.alloc(length, draws.whole(0, 255));
    for (let i = 0; i < 3_000; i += 1) {
      const bytes = Buffer.alloc(draws.whole(1, 1_472));
      for (let at = 0; at < Math.min(bytes.length, 80); at += 1) bytes[at] = draws.whole(0, 255);
      yield bytes;
    }
  }
  const lines = arena.server.log.length;
  const spent = await cpuOf(arena.server, () => pour(stranger, noise()));
  await flows();
  expect(spent).toBeLessThan(1);
  expect(arena.server.log.length - lines).toBeLessThan(50);
});

test('datagrams as fast as they go, from one address, lose the bystander nothing it cannot get again', async () => {
  const stranger = await arena.stranger();
  const before = { rss: arena.server.rss(), lines: arena.server.log.length };
  await pour(
    stranger,
    (function* () {
      for (let i = 0; i < 20_000; i += 1)
        yield handshakePacket({
          version: 4,
          encryption: 0,
          extensionField: 2,
          sequence: i,
          mss: 1_500,
          flowWindow: 8_192,
          type: HANDSHAKE.INDUCTION,
          socketId: i,
          cookie: 0,
        });
    })(),
  );
  await flows();
  expect(arena.server.rss() - before.rss).toBeLessThan(20 * MiB);
  expect(arena.server.log.length - before.lines).toBeLessThan(50);
});
