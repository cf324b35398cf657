import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AUDIO_CODECS, STREAM, VIDEO_CODECS } from '../../src/core/meter/slab-layout.ts';
import { IO, loadNative } from '../../src/native/binding.ts';
import { type OutboxMessage, RECORD_FLAG } from '../../src/native/outbox.ts';
import { AUDIO, type Clip, makeClip, scratchDir, VIDEO } from './clips.ts';
import { createRig } from './rig.ts';

const COMMAND = 20;

const dir = scratchDir();
let clip: Clip;
beforeAll(async () => {
  clip = await makeClip(dir);
});
afterAll(() => rmSync(dir, { recursive: true }));

const flagged = (messages: readonly OutboxMessage[], type: number, flag: number) =>
  messages.filter((message) => message.type === type && (message.flags & flag) !== 0).length;

test('what ffmpeg publishes is counted as ffprobe counts it', () => {
  const { feed, publisher, read } = createRig();
  const { delay, messages } = feed(publisher(0), clip.chunkStream);
  expect(delay).toBe(0);
  expect(read(0, STREAM.FRAMES)).toBe(clip.video.packets);
  expect(read(0, STREAM.TRACK_FRAMES)).toBe(clip.video.packets);
  expect(read(0, STREAM.KEYFRAMES)).toBe(clip.video.keyframes);
  // The AAC sequence header is one more message.
  expect(read(0, STREAM.AUDIO_PACKETS)).toBe(clip.audioPackets + 1);
  expect(VIDEO_CODECS[read(0, STREAM.VIDEO_CODEC)]).toBe('h264');
  expect(AUDIO_CODECS[read(0, STREAM.AUDIO_CODEC)]).toBe('aac');
  const media = messages.filter(({ type }) => type !== COMMAND);
  expect(read(0, STREAM.PACKETS)).toBe(media.length);
  expect(read(0, STREAM.BYTES)).toBe(media.reduce((sum, { payload }) => sum + payload.length, 0));
});

test('keyframes, headers, metadata and frames nobody refers to are told apart', () => {
  const { feed, publisher } = createRig();
  const { messages } = feed(publisher(0), clip.chunkStream);
  expect(flagged(messages, VIDEO, RECORD_FLAG.KEYFRAME)).toBe(clip.video.keyframes);
  expect(flagged(messages, VIDEO, RECORD_FLAG.DISPOSABLE)).toBe(clip.video.bFrames);
  expect(clip.video.bFrames).toBeGreaterThan(0);
  expect(flagged(messages, VIDEO, RECORD_FLAG.HEADER)).toBe(1);
  expect(flagged(messages, AUDIO, RECORD_FLAG.HEADER)).toBe(1);
  expect(messages.filter(({ flags }) => (flags & RECORD_FLAG.METADATA) !== 0)).toHaveLength(1);
});

test('however the bytes are split, the messages are the same', () => {
  const bytes = clip.chunkStream.subarray(0, 12_000);
  const whole = createRig();
  const expected = whole.feed(whole.publisher(0), bytes).messages;
  expect(expected.length).toBeGreaterThan(20);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 60 }), (sizes) => {
      const { feed, publisher } = createRig();
      const id = publisher(0);
      const messages: OutboxMessage[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const end = at + sizes[turn % sizes.length]!;
        messages.push(...feed(id, bytes.subarray(at, end)).messages);
        at = end;
      }
      expect(messages).toEqual(expected);
    }),
    { numRuns: 25 },
  );
});

test('a protocol error has a name, and ends the connection', () => {
  const { feed, publisher, io } = createRig();
  const id = publisher(0);
  const setChunkSize = (size: number) => Uint8Array.of(2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, size);
  expect(feed(id, setChunkSize(128)).delay).toBe(0);
  expect(feed(id, setChunkSize(1)).delay).toBe(-1);
  expect(loadNative().errors[io[IO.ERROR]!]).toBe('chunk_size');
  expect(feed(id, setChunkSize(128)).delay).toBe(-1);
});
