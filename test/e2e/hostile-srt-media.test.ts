import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Draws } from '../support/draws.ts';
import { cpuOf } from '../support/flood.ts';
import { fetchFor } from '../support/http-read.ts';
import { pause, until } from '../support/server.ts';
import { SrtArena } from '../support/srt-arena.ts';
import type { SrtCaller } from '../support/srt-client.ts';
import { messagesOf, pat, pes, pmt, STREAM_TYPE, section, TsWriter, VideoTs } from '../support/ts-wire.ts';

/** Publishers whose payload is no transport stream, or one that no multiplexer makes: it is counted, and costs no memory. */

const MiB = 1024 * 1024;

/** Messages between which the pace is kept: 16 x 1,316 bytes in 4 ms are some 40 Mbit/s. */
const STRETCH = 16;
const STRETCH_MS = 4;

const CONFIG = [
  'limits:',
  '  global: { max_connections: 20000, connection_rate: 100000/s, max_bandwidth: unlimited }',
  '  ip: { max_connections: 20000, connection_rate: 100000/s }',
  '  client: { max_streams: 500, publish_rate: 100000/min, max_bandwidth: unlimited }',
  '  stream: { max_bitrate: 100Mbps, max_packets_per_sec: unlimited, max_fps: unlimited }',
].join('\n');

let arena: SrtArena;

beforeAll(async () => {
  arena = await SrtArena.open({ config: CONFIG });
});
afterEach(() => arena.unharmed());
afterAll(() => arena.close());

async function pump(caller: SrtCaller, messages: Iterable<Buffer>): Promise<number> {
  let bytes = 0;
  let count = 0;
  for (const message of messages) {
    caller.send(message);
    bytes += message.length;
    count += 1;
    if (count % STRETCH === 0) await pause(STRETCH_MS);
  }
  return bytes;
}

const random = (draws: Draws, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => draws.whole(0, 255)));

/** What is counted is what was sent; afterwards sound video on the same connection is metered as such. */
async function counted(name: string, caller: SrtCaller, bytes: number): Promise<void> {
  const { usage } = await arena.server.stream(`/live/${name}`, (stream) => stream.usage.bytes >= bytes);
  expect(usage.bytes).toBe(bytes);
  const video = new VideoTs(0x300);
  for (let i = 0; i < 50; i += 1) await pump(caller, messagesOf(video.frame(2_000, i % 25 === 0)));
  const after = await arena.server.stream(
    `/live/${name}`,
    (stream) => stream.usage.frames - usage.frames >= 50 && stream.media.width !== null,
  );
  expect(after.usage.frames - usage.frames).toBe(50);
  expect(after.usage.keyframes - usage.keyframes).toBe(2);
  expect(after.media).toMatchObject({ video_codec: 'h264', width: 320, height: 180 });
}

test('noise is counted as bytes and packets and nothing else', async () => {
  const draws = new Draws(11);
  const caller = await arena.publisher('noise');
  const pool = random(draws, 64 * 1024);
  const messages = Array.from({ length: 2_000 }, () => {
    const at = draws.whole(0, pool.length - 1_400);
    return pool.subarray(at, at + draws.whole(1, 1_316));
  });
  const before = arena.server.rss();
  const bytes = await pump(caller, messages);
  await arena.server.stream('/live/noise', ({ usage }) => usage.packets === messages.length);
  expect(arena.server.rss() - before).toBeLessThan(20 * MiB);
  await counted('noise', caller, bytes);
});

test('text, zeroes and rows of sync bytes are counted as bytes', async () => {
  const caller = await arena.publisher('odd');
  const bodies = [
    Buffer.alloc(1_316, 'GET / HTTP/1.1\r\n'),
    Buffer.alloc(1_316),
    Buffer.alloc(1_316, 0x47),
    Buffer.alloc(1),
    Buffer.alloc(187, 0x47),
    Buffer.alloc(189, 0x47),
  ];
  const bytes = await pump(
    caller,
    Array.from({ length: 600 }, (_, i) => bodies[i % bodies.length]!),
  );
  await counted('odd', caller, bytes);
});

test('packets with sync and random heads, adaptation fields and tables', async () => {
  const draws = new Draws(12);
  const caller = await arena.publisher('heads');
  const pool = random(draws, 8_192);
  const packet = (): Buffer => {
    const at = draws.whole(0, pool.length - 188);
    const bytes = Buffer.from(pool.subarray(at, at + 188));
    bytes[0] = 0x47;
    // Mostly PIDs that mean something, and adaptation fields of any length.
    if (draws.chance(0.7))
      bytes.writeUInt16BE(
        (draws.chance(0.5) ? 0x4000 : 0) | draws.pick([0, 1, 0x1000, 0x100, 0x101, 0x1fff]),
        1,
      );
    if (draws.chance(0.5)) bytes[3] = 0x30 | draws.whole(0, 15);
    bytes[4] = draws.whole(0, 255);
    return bytes;
  };
  const bytes = await pump(
    caller,
    Array.from({ length: 1_500 }, () => Buffer.concat(Array.from({ length: 7 }, packet))),
  );
  await arena.server.stream('/live/heads', ({ usage }) => usage.bytes >= bytes);
  // Hand it sound tables of another version: what lay there before is forgotten.
  const writer = new TsWriter();
  await pump(
    caller,
    messagesOf(
      Buffer.concat([
        writer.table(0, pat([[1, 0x1000]], 9)),
        writer.table(0x1000, pmt([[STREAM_TYPE.H264, 0x300]], 9)),
      ]),
    ),
  );
  await arena.server.stream('/live/heads', (stream) => stream.usage.bytes > bytes);
});

test('8,192 PIDs, and tables that name ten thousand streams', async () => {
  const caller = await arena.publisher('pids');
  const before = arena.server.rss();
  function* everyPid(): Generator<Buffer> {
    const writer = new TsWriter();
    for (let round = 0; round < 2; round += 1) {
      for (let pid = 1; pid < 0x1fff; pid += 7)
        yield Buffer.concat(
          Array.from({ length: 7 }, (_, i) =>
            writer.packets(Math.min(pid + i, 0x1fff), Buffer.alloc(170, pid & 255), true),
          ),
        );
    }
    const programs = (from: number): Buffer =>
      pat(
        Array.from({ length: 250 }, (_, i) => [from + i, 0x20 + ((from + i) % 0x1f00)] as const),
        (from / 250) & 31,
      );
    for (let from = 1; from < 10_000; from += 250) yield* messagesOf(writer.table(0, programs(from)));
    for (let pid = 0x20; pid < 0x1f00; pid += 40) {
      const streams = Array.from({ length: 190 }, (_, i) => [STREAM_TYPE.H264, (pid + i) & 0x1fff] as const);
      yield* messagesOf(writer.table(pid, pmt(streams)));
    }
  }
  const bytes = await pump(caller, everyPid());
  await arena.server.stream('/live/pids', ({ usage }) => usage.bytes >= bytes);
  expect(arena.server.rss() - before).toBeLessThan(20 * MiB);
});

test('a flood of program maps, each another version, and sections that lie', async () => {
  const caller = await arena.publisher('tables');
  const before = arena.server.rss();
  function* tables(): Generator<Buffer> {
    const writer = new TsWriter();
    for (let i = 0; i < 2_000; i += 1) {
      const versioned = Buffer.concat([
        writer.table(0, pat([[1, 0x1000]], i & 31)),
        writer.table(
          0x1000,
          pmt(
            [
              [STREAM_TYPE.H264, 0x100 + (i % 50)],
              [STREAM_TYPE.AAC, 0x200],
            ],
            i & 31,
          ),
        ),
      ]);
      yield versioned;
      if (i % 10 !== 0) continue;
      yield writer.table(0x1000, section(2, 1, Buffer.alloc(4), i & 31, 0xdeadbeef));
      yield writer.table(
        0x1000,
        Buffer.concat([section(2, 1, Buffer.alloc(100, 0xff), i & 31), Buffer.alloc(50, 2)]),
      );
      const endless = section(0, 1, Buffer.alloc(20));
      endless.writeUInt16BE(0xbfff, 1);
      yield writer.table(0, endless);
    }
  }
  const spent = await cpuOf(arena.server, async () => {
    const bytes = await pump(caller, tables());
    await arena.server.stream('/live/tables', ({ usage }) => usage.bytes >= bytes);
  });
  expect(spent).toBeLessThan(2);
  expect(arena.server.rss() - before).toBeLessThan(20 * MiB);
});

test('a unit that never ends, and clocks that jump, keep players and memory in bounds', async () => {
  const caller = await arena.publisher('endless');
  const video = new VideoTs();
  await pump(caller, messagesOf(video.frame(3_000, true)));
  const ts = fetchFor(`http://127.0.0.1:${arena.server.ports.playback}/live/endless.ts`);
  const flv = fetchFor(`http://127.0.0.1:${arena.server.ports.playback}/live/endless.flv`);
  const before = arena.server.rss();
  const writer = video.writer;
  const endless = writer.packets(0x100, pes(0xe0, 99_000, Buffer.alloc(6 * MiB, 0x5a)), true);
  await pump(caller, messagesOf(endless));
  for (const dts of [0, 2 ** 33 - 1, 2 ** 32, 1, 2 ** 33 - 3_600, 5, 90_000 * 3_600])
    await pump(
      caller,
      messagesOf(writer.packets(0x100, pes(0xe0, dts, Buffer.from([0, 0, 0, 1, 0x65, 0x88, 0x80])), true)),
    );
  for (let i = 0; i < 30; i += 1) await pump(caller, messagesOf(video.frame(2_000, i % 10 === 0)));
  const stream = await arena.server.stream('/live/endless', ({ usage }) => usage.frames >= 39);
  expect(Number.isFinite(stream.usage.fps)).toBe(true);
  await until(() => ts.bytes() > 0, 'the player of the transport stream');
  expect(arena.server.rss() - before).toBeLessThan(60 * MiB);
  await ts.stop();
  await flv.stop();
});

test('players of noise get noise-free answers or none, and hold nothing', async () => {
  const draws = new Draws(13);
  const caller = await arena.publisher('junk');
  const readings = ['ts', 'flv'].map((kind) =>
    fetchFor(`http://127.0.0.1:${arena.server.ports.playback}/live/junk.${kind}`),
  );
  const pool = random(draws, 16_384);
  const bytes = await pump(
    caller,
    Array.from({ length: 1_000 }, (_, i) => pool.subarray((i * 7) % 8_192, ((i * 7) % 8_192) + 1_316)),
  );
  await arena.server.stream('/live/junk', ({ usage }) => usage.bytes >= bytes);
  const [ts] = await Promise.all(readings.map((reading) => reading.stop()));
  for (let at = 0; at < (ts?.length ?? 0); at += 188) expect(ts?.[at]).toBe(0x47);
});
