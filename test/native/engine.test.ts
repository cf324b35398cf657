import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import * as slab from '../../src/core/meter/slab-layout.ts';
import { IO, IO_LENGTH, loadNative, type NativeEngine, OUTBOX_BYTES } from '../../src/native/binding.ts';
import { RECORD_FLAG } from '../../src/native/outbox.ts';
import { createRig } from './rig.ts';

/** An audio message of `length` zero bytes on message stream 1, in one chunk. */
function audio(length: number): Uint8Array {
  const bytes = new Uint8Array(12 + length);
  bytes.set([4, 0, 0, 0, 0, 0, length, 8, 1, 0, 0, 0]);
  return bytes;
}

describe('constants', () => {
  const { layout, errors } = loadNative();
  const numbered = (names: readonly string[]) => Object.fromEntries(names.map((name, i) => [name, i]));

  test('the addon and TypeScript agree on the slab', () => {
    expect(layout.NODE).toEqual(slab.NODE);
    expect(layout.STREAM).toEqual(slab.STREAM);
    expect(layout.MODE).toEqual(slab.MODE);
    expect(layout.FLAG).toEqual(slab.FLAG);
    expect([layout.NODE_STRIDE, layout.STREAM_STRIDE]).toEqual([slab.NODE_STRIDE, slab.STREAM_STRIDE]);
  });

  test('the addon and TypeScript agree on constraints and codecs', () => {
    const upper = (names: readonly string[]) =>
      names.map((name) => (name === '' ? 'NONE' : name.toUpperCase()));
    expect(layout.CONSTRAINT).toEqual(numbered(upper(slab.CONSTRAINTS)));
    expect(layout.VIDEO_CODEC).toEqual(numbered(upper(slab.VIDEO_CODECS)));
    expect(layout.AUDIO_CODEC).toEqual(numbered(upper(slab.AUDIO_CODECS)));
  });

  test('the addon and TypeScript agree on record flags', () => {
    expect(layout.RECORD_FLAG).toEqual(RECORD_FLAG);
  });

  test('every error has a name of its own', () => {
    expect(errors[0]).toBe('none');
    expect(new Set(errors).size).toBe(errors.length);
  });
});

describe('the boundary', () => {
  const calls: [string, (engine: NativeEngine, id: number) => unknown][] = [
    ['feed of a connection that is not open', (engine) => engine.feed(7, audio(1), 0, 1, 0)],
    ['feed of a negative connection', (engine) => engine.feed(-1, audio(1), 0, 1, 0)],
    ['feed beyond the input', (engine, id) => engine.feed(id, audio(1), 10, 100, 0)],
    ['feed from a fraction', (engine, id) => engine.feed(id, audio(1), 0.5, 1, 0)],
    ['feed of something else', (engine, id) => engine.feed(id, new Float64Array(4) as never, 0, 1, 0)],
    ['feed of nothing', (engine) => (engine.feed as () => number)()],
    ['feed without a time', (engine, id) => engine.feed(id, audio(1), 0, 1, Number.NaN)],
    ['attach to a slot that is not there', (engine, id) => engine.attach(id, 4, 1)],
    ['attach of a connection that is not open', (engine) => engine.attach(9, 0, 1)],
    ['what is owed on a slot that is not there', (engine) => engine.owed(4, 0)],
    ['account on a slot that is not there', (engine) => engine.account(4, 1, 1, 1, 0)],
    ['gop of a slot that is not there', (engine) => engine.gop(4, 0)],
    ['close of a word', (engine) => engine.close('1' as never)],
    ['reconfigure without options', (engine) => engine.reconfigure(undefined as never)],
    ['reconfigure below zero', (engine) => engine.reconfigure({ gopBytesPerStream: -1, gopBytesTotal: 0 })],
  ];

  test.each(calls)('%s throws a TypeError', (_what, call) => {
    const { engine } = createRig();
    expect(() => call(engine, engine.open())).toThrow(TypeError);
    expect(engine.stats().connections).toBe(1);
  });

  test('an engine is not made from memory that is too small or of another kind', () => {
    const { Engine } = loadNative();
    const options = { gopBytesPerStream: 0, gopBytesTotal: 0 };
    const table = new Float64Array(400);
    const outbox = new Uint8Array(OUTBOX_BYTES);
    const io = new Float64Array(IO_LENGTH);
    expect(() => new Engine(table, table, new Uint8Array(1000), io, options)).toThrow(TypeError);
    expect(() => new Engine(table, table, outbox, new Float64Array(3), options)).toThrow(TypeError);
    expect(() => new Engine(new Uint8Array(64) as never, table, outbox, io, options)).toThrow(TypeError);
    expect(() => new Engine(table, table, outbox, io, {} as never)).toThrow(TypeError);
  });

  test('the method that knows its engine keeps it alive', async () => {
    const feeds = Array.from({ length: 50 }, () => {
      const { engine } = createRig({ gopBytesPerStream: 0, gopBytesTotal: 0 });
      return { feed: engine.feed, id: engine.open() };
    });
    for (let round = 0; round < 20; round++) {
      await new Promise(setImmediate);
      new Uint8Array(OUTBOX_BYTES).fill(round);
    }
    const input = audio(1);
    for (const { feed, id } of feeds) expect(feed(id, input, 0, input.length, 0)).toBe(0);
  });
});

describe('engines', () => {
  test('count apart', () => {
    const first = createRig();
    const second = createRig();
    first.feed(first.publisher(0), audio(10));
    second.feed(second.publisher(0), audio(20));
    expect(first.read(0, slab.STREAM.BYTES)).toBe(10);
    expect(second.read(0, slab.STREAM.BYTES)).toBe(20);
  });

  test('return all memory when connections close', () => {
    const { engine, feed, publisher } = createRig();
    const keyframe = Uint8Array.of(6, 0, 0, 0, 0, 0, 7, 9, 1, 0, 0, 0, 0x17, 1, 0, 0, 0, 1, 1);
    const half = Uint8Array.of(4, 0, 0, 0, 0, 1, 0, 8, 1, 0, 0, 0, 1, 2, 3);
    const ids = [0, 1, 2, 3].map((slot) => publisher(slot));
    for (const id of ids) {
      feed(id, keyframe);
      feed(id, half);
    }
    expect(engine.stats()).toMatchObject({ connections: 4 });
    expect(engine.stats().gopBytes).toBeGreaterThan(0);
    expect(engine.stats().pendingBytes).toBeGreaterThan(0);
    for (const id of ids) {
      engine.close(id);
      engine.close(id);
    }
    expect(engine.stats()).toEqual({ connections: 0, gopBytes: 0, pendingBytes: 0, gopEvictions: 0 });
  });

  test('go on when an outbox was full, with no input left', () => {
    const { engine, io, publisher } = createRig();
    const id = publisher(0);
    const length = 5_000_000;
    const message = (last: number) => {
      const size = [2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0x10, 0, 0];
      const header = [6, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255, 9, 1, 0, 0, 0];
      const parts = [Buffer.from(size), Buffer.from(header)];
      for (let left = length; left > 0; left -= 2 ** 20) {
        if (left < length) parts.push(Buffer.of(0xc6));
        parts.push(Buffer.alloc(Math.min(left, 2 ** 20), last));
      }
      return Buffer.concat(parts);
    };
    const input = Buffer.concat([message(1), message(2)]);
    engine.feed(id, input, 0, input.length, 0);
    expect(io[IO.EVENTS]).toBe(1);
    expect(io[IO.MORE]).toBe(1);
    const consumed = io[IO.CONSUMED]!;
    engine.feed(id, input, consumed, input.length - consumed, 0);
    expect(io[IO.EVENTS]).toBe(1);
    expect(io[IO.MORE]).toBe(0);
    expect(consumed + io[IO.CONSUMED]!).toBe(input.length);
  });

  test('of a thread that ends are cleaned up with it', async () => {
    const source = `
      import { loadNative } from ${JSON.stringify(new URL('../../src/native/binding.ts', import.meta.url).href)};
      const { Engine } = loadNative();
      const options = { gopBytesPerStream: 1e6, gopBytesTotal: 1e6 };
      const views = [new Float64Array(64), new Float64Array(400), new Uint8Array(${OUTBOX_BYTES}), new Float64Array(16)];
      globalThis.engine = new Engine(...views, options);
      engine.attach(engine.open(), 0, 1);
      engine.feed(0, Uint8Array.of(6, 0, 0, 0, 0, 0, 7, 9, 1, 0, 0, 0, 0x17, 1, 0, 0, 0, 1, 1), 0, 19, 0);
    `;
    for (let round = 0; round < 3; round++) {
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
      const [code] = await once(worker, 'exit');
      expect(code).toBe(0);
    }
  });
});
