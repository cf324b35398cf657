import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import {
  assertNodeMediaServer,
  flvHeader,
  frameFlv,
  frameRtmp,
  inspect,
  type NmsParts,
  OUT_CHUNK_BYTES,
} from '../../../src/ingest/rtmp/nms.ts';
import { parseFlv } from '../../support/flv.ts';
import { ChunkReader } from '../../support/rtmp-wire.ts';

const own = createRequire(createRequire(import.meta.url).resolve('node-media-server/package.json'));

const parts = (): NmsParts => ({
  version: own('./package.json').version,
  Rtmp: own('./src/protocol/rtmp.js'),
  Flv: own('./src/protocol/flv.js'),
  ws: own('ws'),
});

describe('the fence', () => {
  it('accepts the version it was written for', () => {
    expect(() => assertNodeMediaServer()).not.toThrow();
    expect(() => inspect(parts())).not.toThrow();
  });

  it.each<[string, Partial<Record<keyof NmsParts, unknown>>, RegExp]>([
    ['another version', { version: '4.4.4' }, /version 4\.4\.3 is needed, 4\.4\.4 is installed/],
    ['a method that is gone', { Flv: class {} }, /Flv\.createHeader/],
    [
      'framing that changed',
      { Flv: { ...statics(parts().Flv), createMessage: () => Buffer.from('x') } },
      /Flv\.createMessage is not as it was/,
    ],
    ['no WebSocket server', { ws: {} }, /WebSocketServer/],
  ])('refuses %s with HG_NMS_CHANGED', (_what, change, message) => {
    const changed = { ...parts(), ...change } as NmsParts;
    expect(() => inspect(changed)).toThrow(
      expect.objectContaining({ code: 'HG_NMS_CHANGED', message: expect.stringMatching(message) }),
    );
  });

  it('leaves no state of node-media-server behind, and writes no ./data', () => {
    assertNodeMediaServer();
    const context = own('./src/core/context.js');
    expect(context.sessions.size).toBe(0);
    expect(context.broadcasts.size).toBe(0);
    expect(context.store).toBeNull();
    expect(existsSync('data')).toBe(false);
  });
});

/** Static methods are not enumerable. */
function statics(type: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.getOwnPropertyNames(type).map((name) => [name, (type as Record<string, unknown>)[name]]),
  );
}

describe('framing', () => {
  const timestamps = [0, 1, 0xfffffe, 0xffffff, 0x1000000, 0x7fffffff, 0x80000000, 0xffffffff];
  const sizes = [
    1,
    127,
    128,
    4_096,
    OUT_CHUNK_BYTES - 1,
    OUT_CHUNK_BYTES,
    OUT_CHUNK_BYTES + 1,
    2 * OUT_CHUNK_BYTES,
    3 * OUT_CHUNK_BYTES + 7,
  ];

  it('RTMP chunks are read by an independent parser, at every odd size and time', () => {
    const reader = new ChunkReader();
    reader.chunkSize = OUT_CHUNK_BYTES;
    for (const size of sizes) {
      for (const timestamp of timestamps) {
        const payload = Buffer.alloc(size, size % 251);
        const [message, ...more] = reader.push(frameRtmp(5, 9, timestamp, 1, payload));
        expect(more).toEqual([]);
        expect(reader.pendingBytes).toBe(0);
        expect(message).toMatchObject({ type: 9, timestamp, streamId: 1, csid: 5 });
        expect(message?.payload.equals(payload)).toBe(true);
      }
    }
  });

  it('FLV tags are read by an independent parser, at every odd size and time', () => {
    const cases = sizes.flatMap((size) => timestamps.map((timestamp) => ({ size, timestamp })));
    const file = Buffer.concat([
      flvHeader(true, true),
      ...cases.map(({ size, timestamp }) => frameFlv(8, timestamp, Buffer.alloc(size, 7))),
    ]);
    const parsed = parseFlv(file);
    expect(parsed).toMatchObject({ hasAudio: true, hasVideo: true, complete: true, error: null });
    expect(parsed.tags.map(({ payload, timestamp }) => ({ size: payload.length, timestamp }))).toEqual(cases);
  });

  it('copies the payload, which may be a view in the middle of something larger', () => {
    const arena = new Uint8Array(100).fill(1);
    const view = arena.subarray(10, 20);
    const tag = frameFlv(8, 0, view);
    const chunk = frameRtmp(4, 8, 0, 1, view);
    arena.fill(2);
    expect(tag.subarray(11, 21)).toEqual(Buffer.alloc(10, 1));
    expect(chunk.subarray(-10)).toEqual(Buffer.alloc(10, 1));
  });
});
