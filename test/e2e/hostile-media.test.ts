import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { type FlvTag, parseFlv } from '../support/flv.ts';
import { fetchFor } from '../support/http-read.ts';
import type { RtmpClient } from '../support/rtmp-client.ts';
import { amf, be } from '../support/rtmp-wire.ts';
import { until } from '../support/server.ts';

/** Publishers whose media is odd: it is counted, and players of both kinds keep their place in the stream. */

let arena: Arena;

beforeAll(async () => {
  arena = await Arena.open();
});
afterEach(() => arena.unharmed());
afterAll(() => arena.close());

const VIDEO = 9;
const AUDIO = 8;
const keyframe = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0x17, 1, 0, 0, 0]), Buffer.from(text)]);
const AVC_HEADER = Buffer.from([0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1f, 0xff]);
const AAC_HEADER = Buffer.from([0xaf, 0, 0x12, 0x10]);

const media = (client: RtmpClient, type: number, payload: Buffer, timestamp = 0): boolean =>
  client.send({ type, csid: type === AUDIO ? 4 : 6, streamId: 1, timestamp, payload });

/**
 * Lets a publisher do its worst while an RTMP and an HTTP player watch, then
 * sends a last keyframe at `endMs`: both must get it, and everything before it
 * must parse. Gives what they saw.
 */
async function watched(
  name: string,
  worst: (client: RtmpClient) => void,
  endMs = 1_000,
): Promise<FlvTag[][]> {
  const client = await arena.publisher(name);
  media(client, VIDEO, AVC_HEADER);
  media(client, AUDIO, AAC_HEADER);
  media(client, VIDEO, keyframe('begin'));
  await arena.server.stream(`/live/${name}`, ({ usage }) => usage.keyframes === 1);
  const rtmp = await arena.attacker();
  expect((await rtmp.play('live', name)).code).toBe('NetStream.Play.Start');
  const http = fetchFor(`http://127.0.0.1:${arena.server.ports.playback}/live/${name}.flv`);
  await until(() => http.text().includes('begin'), 'the HTTP player to play');
  worst(client);
  media(client, VIDEO, keyframe('the end'), endMs);
  await until(() => http.text().includes('the end'), 'the last keyframe over HTTP');
  await rtmp.message(({ payload }) => payload.includes('the end'));
  const late = await arena.attacker();
  await late.play('live', name);
  await late.message(({ payload }) => payload.includes('the end'));
  const flv = parseFlv(await http.stop());
  expect(flv.error).toBeNull();
  expect([rtmp.violation, late.violation]).toEqual([null, null]);
  return [rtmp.media, flv.tags, late.media];
}

test('empty audio, video and data never reach a player', async () => {
  const seen = await watched('empty', (client) => {
    for (const timestamp of [0, 0xfffffe, 0xffffff, 0x1000000, 0x80000000, 0xffffffff]) {
      for (const type of [AUDIO, VIDEO, 18, 15, 22]) media(client, type, Buffer.alloc(0), timestamp);
    }
  });
  for (const tags of seen) expect(tags.every(({ payload }) => payload.length > 0)).toBe(true);
});

test('AMF 3 data reaches players as AMF 0 or not at all', async () => {
  const seen = await watched('amf3', (client) => {
    media(client, 15, Buffer.concat([Buffer.from([0]), amf('onCuePoint', { name: 'x' })]));
    media(client, 15, amf('onCuePoint', { name: 'y' }));
    media(client, 15, Buffer.from([0x11]));
  });
  for (const tags of seen) {
    expect(tags.filter(({ type }) => type === 15)).toEqual([]);
    for (const { payload } of tags.filter(({ type }) => type === 18)) expect(payload[0]).toBe(2);
  }
});

test('bodies of one byte, unknown codecs and broken enhanced RTMP go by', async () => {
  const odd: [number, Buffer][] = [];
  for (let first = 0; first < 256; first += 1) {
    for (const rest of [[], [0], [1, 2, 3, 4], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]]) {
      for (const type of [AUDIO, VIDEO]) odd.push([type, Buffer.from([first, ...rest])]);
    }
  }
  odd.push([VIDEO, Buffer.concat([Buffer.from([0x97]), Buffer.alloc(20_000, 0)])]);
  odd.push([VIDEO, Buffer.concat([Buffer.from([0x97]), Buffer.alloc(20_000, 0xff)])]);
  odd.push([
    VIDEO,
    Buffer.concat([
      Buffer.from([0x96, 0x10]),
      Buffer.from('avc1'),
      be(0, 1),
      be(0xffffff, 3),
      Buffer.from('x'),
    ]),
  ]);
  await watched('enhanced', (client) => {
    for (const [type, payload] of odd) media(client, type, payload);
  });
});

test('an unknown enhanced audio packet does not replace the AAC header that players need', async () => {
  const [, , late] = await watched('aac', (client) => {
    for (let packet = 1; packet < 16; packet += 1)
      media(client, AUDIO, Buffer.concat([Buffer.from([0x90 | packet]), Buffer.from('zzzz')]));
  });
  expect(late?.some(({ type, payload }) => type === AUDIO && payload.equals(AAC_HEADER))).toBe(true);
});

test('the clock wraps after 49.7 days and the stream goes on', async () => {
  const name = 'wrap';
  const seen = await watched(
    name,
    (client) => {
      for (const timestamp of [2 ** 32 - 80, 2 ** 32 - 40, 0, 40])
        media(client, VIDEO, keyframe(`at ${timestamp}`), timestamp);
    },
    80,
  );
  for (const tags of seen.slice(0, 2)) expect(tags.at(-1)?.timestamp).toBe(80);
  const { usage } = await arena.server.stream(`/live/${name}`);
  expect(usage).toMatchObject({ keyframes: 6, dropped_frames: 0, violations: 0 });
});

test('a clock that jumps anywhere and back counts frames, not time', async () => {
  const jumps = [0xffffffff, 1, 0x7fffffff, 0x80000000, 0, 5_000, 4_000, 0xfffffe, 0xffffff, 2];
  await watched('jumps', (client) => {
    for (const timestamp of jumps) media(client, VIDEO, keyframe('x'), timestamp);
    // deltas that add up to several times round, on a chunk stream of their own
    client.send({
      type: AUDIO,
      csid: 9,
      streamId: 1,
      timestamp: 0xfffffff0,
      payload: Buffer.from([0xaf, 1, 0]),
    });
    for (let i = 0; i < 10; i += 1)
      client.send({
        type: AUDIO,
        csid: 9,
        fmt: 1,
        streamId: 1,
        timestamp: 0xfffffff0,
        payload: Buffer.from([0xaf, 1, 0]),
      });
  });
  const { usage } = await arena.server.stream('/live/jumps');
  expect(usage.keyframes).toBe(jumps.length + 2);
  expect(Number.isFinite(usage.fps)).toBe(true);
});

test('a stream that comes back with a clock near 2^32 plays from its first keyframe', async () => {
  for (const timestamp of [0, 0xfffffff0, 0x80000000]) {
    const client = await arena.publisher('returning');
    media(client, VIDEO, AVC_HEADER, timestamp);
    media(client, 18, amf('@setDataFrame', 'onMetaData', { width: 1, height: 1 }), timestamp);
    media(client, VIDEO, keyframe('back'), timestamp);
    await arena.server.stream('/live/returning', ({ usage }) => usage.keyframes === 1);
    const player = await arena.attacker();
    await player.play('live', 'returning');
    const shown = await player.message(({ payload }) => payload.includes('back'));
    expect(shown.timestamp).toBe(timestamp);
    await client.unpublish('returning');
  }
});

describe('aggregates', () => {
  const tag = (type: number, payload: Buffer, length = payload.length, timestamp = 0): Buffer =>
    Buffer.concat([be(type, 1), be(length, 3), be(timestamp, 3), be(0, 4), payload, be(length + 11, 4)]);
  const audio = tag(AUDIO, Buffer.from([0xaf, 1, 0]));

  test.each<[string, Buffer]>([
    ['inside an aggregate', tag(22, tag(22, audio))],
    ['with a tag longer than the rest', Buffer.concat([audio, tag(VIDEO, keyframe('x'), 0xffffff)])],
    ['with half a tag header', Buffer.concat([audio, Buffer.from([9, 0, 0])])],
    ['with a command inside', tag(20, amf('publish', 9, null, 'inside', 'live'))],
    ['with a chunk size inside', tag(1, be(1, 4))],
    ['of 1,025 messages', Buffer.concat(Array<Buffer>(1_025).fill(audio))],
    ['of zeroes', Buffer.alloc(50_000)],
  ])('one %s ends the stream', async (_what, payload) => {
    const client = await arena.publisher('aggregate');
    media(client, 22, payload);
    expect(await arena.cutFor(client, 'protocol_error', /malformed RTMP: aggregate/)).toMatchObject({
      action: 'cut',
      path: '/live/aggregate',
    });
  });

  test('a sound one is its messages, each counted', async () => {
    const seen = await watched('sound', (client) => {
      media(client, 22, Buffer.concat([audio, tag(VIDEO, keyframe('inner'), undefined, 40), audio]), 100);
    });
    for (const tags of seen.slice(0, 2))
      expect(tags.some(({ payload, timestamp }) => payload.includes('inner') && timestamp === 140)).toBe(
        true,
      );
  });
});
