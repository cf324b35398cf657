import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IO, IO_LENGTH, loadNative, OUTBOX_BYTES } from '../../src/native/binding.ts';
import { type OutboxMessage, OutboxReader, RECORD_FLAG } from '../../src/native/outbox.ts';
import { type FlvTag, isKeyframe, isSequenceHeader, parseFlv } from '../support/flv.ts';
import { AUDIO, decode, scratchDir, VIDEO, writeFlv } from './clips.ts';

const exec = promisify(execFile);
const QUIET = ['-hide_banner', '-loglevel', 'error', '-nostdin', '-y'];
const PACKET_BYTES = 188;
const VIDEO_PID = 0x100;

/** What an SRT datagram holds: seven packets. */
const DATAGRAM_BYTES = 7 * PACKET_BYTES;

const dir = scratchDir();
const file = (name: string) => path.join(dir, name);
afterAll(() => rmSync(dir, { recursive: true }));

const PICTURE = ['-f', 'lavfi', '-i', 'testsrc=size=192x108:rate=25:duration=3'];
const TONE = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=3'];
const X264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '25', '-bf', '2', '-pix_fmt', 'yuv420p'];
const PLAIN = ['-x264-params', 'b-adapt=0:b-pyramid=0:scenecut=0'];
const AAC = ['-c:a', 'aac', '-b:a', '64k'];

async function ffmpeg(...args: string[]): Promise<void> {
  await exec('ffmpeg', [...QUIET, ...args]);
}

/** Every message that the demuxer makes of a transport stream given in pieces of these sizes, in turn. */
function demux(bytes: Buffer, pieces: readonly number[] = [DATAGRAM_BYTES]) {
  const { TsFlv } = loadNative();
  const outbox = new Uint8Array(OUTBOX_BYTES);
  const io = new Float64Array(IO_LENGTH);
  const reader = new OutboxReader(outbox);
  const demuxer = new TsFlv(outbox, io);
  const messages: OutboxMessage[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    demuxer.feed(bytes, at, Math.min(pieces[turn % pieces.length]!, bytes.length - at));
    at += io[IO.CONSUMED]!;
    reader.rewind(io[IO.EVENTS]!);
    while (reader.next()) {
      const message = reader.message();
      messages.push({ ...message, payload: message.payload.slice() });
    }
  }
  return { messages, supported: demuxer.supported(), skippedUnits: demuxer.skippedUnits() };
}

/**
 * What ffmpeg makes of it: it leaves delimiters and parameter sets in the
 * pictures too, where they are of no use.
 */
function withoutSets(tag: FlvTag): FlvTag {
  if (tag.type !== VIDEO || isSequenceHeader(tag)) return tag;
  const kept = [tag.payload.subarray(0, 5)];
  for (let at = 5; at < tag.payload.length; ) {
    const end = at + 4 + tag.payload.readUInt32BE(at);
    const type = tag.payload[at + 4]! & 0x1f;
    if (type < 7 || type > 9) kept.push(tag.payload.subarray(at, end));
    at = end;
  }
  return { ...tag, payload: Buffer.concat(kept) };
}

const media = (tags: readonly FlvTag[], type: number) =>
  tags.filter((tag) => tag.type === type && !isSequenceHeader(tag) && tag.payload[1] === 1);

const asTags = (messages: readonly OutboxMessage[]): FlvTag[] =>
  messages.map(({ type, timestamp, payload }) => ({ type, timestamp, payload: Buffer.from(payload) }));

const bodies = (tags: readonly FlvTag[]) => tags.map(({ payload }) => payload.toString('base64'));

/** Numbers of the packets of a PID. */
function packetsOf(ts: Buffer, pid: number): number[] {
  const found: number[] = [];
  for (let n = 0; n * PACKET_BYTES < ts.length; n++)
    if ((ts.readUInt16BE(n * PACKET_BYTES + 1) & 0x1fff) === pid) found.push(n);
  return found;
}

const without = (ts: Buffer, packet: number) =>
  Buffer.concat([ts.subarray(0, packet * PACKET_BYTES), ts.subarray((packet + 1) * PACKET_BYTES)]);

describe('a clip with B-frames', () => {
  let ts: Buffer;
  let expected: FlvTag[];

  beforeAll(async () => {
    await ffmpeg(...PICTURE, ...TONE, ...X264, ...PLAIN, ...AAC, file('clip.ts'));
    await ffmpeg('-i', file('clip.ts'), '-c', 'copy', file('ffmpeg.flv'));
    ts = readFileSync(file('clip.ts'));
    expected = parseFlv(readFileSync(file('ffmpeg.flv'))).tags.map(withoutSets);
  });

  test('becomes the bodies that ffmpeg makes of it', () => {
    const { messages, supported, skippedUnits } = demux(ts);
    const tags = asTags(messages);
    expect(supported).toBe(1);
    expect(skippedUnits).toBe(0);
    // The last picture is whole only when another one begins.
    expect(bodies(media(tags, VIDEO))).toEqual(bodies(media(expected, VIDEO)).slice(0, -1));
    expect(bodies(media(tags, AUDIO))).toEqual(bodies(media(expected, AUDIO)));
    for (const type of [VIDEO, AUDIO]) {
      const headers = tags.filter((tag) => tag.type === type && isSequenceHeader(tag));
      // ffmpeg writes that of the audio twice, empty before it knows better.
      const theirs = expected.filter((tag) => tag.type === type && isSequenceHeader(tag)).slice(-1);
      expect(bodies(headers)).toEqual(bodies(theirs));
    }
  });

  test('keeps its time, to the rounding', () => {
    const tags = asTags(demux(ts).messages);
    for (const type of [VIDEO, AUDIO]) {
      const theirs = media(expected, type);
      const shift = media(expected, VIDEO)[0]!.timestamp;
      for (const [i, { timestamp }] of media(tags, type).entries())
        expect(Math.abs(timestamp - (theirs[i]!.timestamp - shift))).toBeLessThanOrEqual(1);
    }
  });

  test('says which messages are headers, keyframes and of no use to others', () => {
    const { messages } = demux(ts);
    const flagged = (flag: number) => messages.filter(({ flags }) => (flags & flag) !== 0);
    expect(asTags(flagged(RECORD_FLAG.HEADER)).every(isSequenceHeader)).toBe(true);
    expect(flagged(RECORD_FLAG.HEADER)).toHaveLength(2);
    expect(flagged(RECORD_FLAG.KEYFRAME)).toEqual(
      messages.filter((_, i) => isKeyframe(asTags(messages)[i]!)),
    );
    expect(flagged(RECORD_FLAG.KEYFRAME)).toHaveLength(3);
    expect(flagged(RECORD_FLAG.DISPOSABLE).length).toBeGreaterThan(40);
  });

  test('means the same however its bytes are split', () => {
    const start = ts.subarray(0, 60 * PACKET_BYTES);
    const whole = demux(start).messages;
    expect(whole.length).toBeGreaterThan(20);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 40 }), (pieces) => {
        expect(demux(start, pieces).messages).toEqual(whole);
      }),
      { numRuns: 25 },
    );
  });

  test('decodes to the pictures it holds', async () => {
    writeFlv(file('ours.flv'), demux(ts).messages);
    const theirs = [...(await decode(file('ffmpeg.flv'))).values()];
    const ours = [...(await decode(file('ours.flv'))).values()];
    expect(ours).toHaveLength(74);
    expect(theirs.filter((hash) => ours.includes(hash))).toEqual(ours);
  });

  test('loses whole pictures with a packet, and nothing that does not decode comes out', async () => {
    const theirs = new Set((await decode(file('ffmpeg.flv'))).values());
    const video = packetsOf(ts, VIDEO_PID);
    for (const share of [0.1, 0.4, 0.6]) {
      const lost = video[Math.floor(video.length * share)]!;
      const { messages, skippedUnits } = demux(without(ts, lost));
      expect(skippedUnits).toBeGreaterThan(0);
      writeFlv(file('lossy.flv'), messages);
      const pictures = await decode(file('lossy.flv'));
      expect(pictures.size).toBe(media(asTags(messages), VIDEO).length);
      expect(pictures.size + skippedUnits).toBeGreaterThanOrEqual(73);
      for (const hash of pictures.values()) expect(theirs).toContain(hash);
    }
  });
});

test('a player that comes in the middle gets the stream from the next keyframe on', async () => {
  await ffmpeg(...PICTURE, ...TONE, ...X264, ...AAC, file('long.ts'));
  const ts = readFileSync(file('long.ts'));
  const [pat, pmt] = [packetsOf(ts, 0)[0]!, packetsOf(ts, 0x1000)[0]!];
  const packet = (n: number) => ts.subarray(n * PACKET_BYTES, (n + 1) * PACKET_BYTES);
  const half = Math.floor(ts.length / PACKET_BYTES / 2) * PACKET_BYTES;
  const { messages } = demux(Buffer.concat([packet(pat), packet(pmt), ts.subarray(half)]));
  const tags = asTags(messages);
  expect(isSequenceHeader(tags[0]!)).toBe(true);
  expect(isKeyframe(tags[1]!)).toBe(true);
  expect(tags[1]!.timestamp).toBe(0);
  writeFlv(file('half.flv'), messages);
  expect((await decode(file('half.flv'))).size).toBe(media(tags, VIDEO).length);
});

test('sound alone is carried, video that FLV cannot carry is told', async () => {
  await ffmpeg(...TONE, ...AAC, file('tone.ts'));
  const tone = demux(readFileSync(file('tone.ts')));
  expect(tone.supported).toBe(1);
  expect(media(asTags(tone.messages), AUDIO).length).toBeGreaterThan(100);
  expect(tone.messages[0]!.timestamp).toBe(0);
  await ffmpeg(...PICTURE, ...TONE, '-c:v', 'mpeg2video', '-g', '25', ...AAC, file('mpeg2.ts'));
  const mpeg2 = demux(readFileSync(file('mpeg2.ts')));
  expect(mpeg2).toEqual({ messages: [], supported: 0, skippedUnits: 0 });
});

test('garbage is nothing, and is got over', async () => {
  await ffmpeg(...PICTURE, ...X264, file('silent.ts'));
  const ts = readFileSync(file('silent.ts'));
  const noise = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251));
  expect(demux(noise)).toEqual({ messages: [], supported: -1, skippedUnits: 0 });
  const { messages } = demux(Buffer.concat([noise, ts, noise.subarray(1), ts]));
  const tags = media(asTags(messages), VIDEO);
  expect(tags.filter(isKeyframe).length).toBeGreaterThanOrEqual(5);
});

test('arguments of the wrong kind are the mistakes of the caller', () => {
  const { TsFlv } = loadNative();
  const io = new Float64Array(IO_LENGTH);
  expect(() => new TsFlv(new Uint8Array(1000), io)).toThrow(/too short/);
  expect(() => new TsFlv(new Uint8Array(OUTBOX_BYTES), new Float64Array(3))).toThrow(/too short/);
  expect(() => new TsFlv(io as unknown as Uint8Array, io)).toThrow(TypeError);
  const demuxer = new TsFlv(new Uint8Array(OUTBOX_BYTES), io);
  const bytes = new Uint8Array(10);
  expect(() => demuxer.feed(bytes, 5, 6)).toThrow(/range/);
  expect(() => demuxer.feed(bytes, -1, 1)).toThrow(TypeError);
  expect(() => demuxer.feed('ts' as unknown as Uint8Array, 0, 1)).toThrow(TypeError);
});
