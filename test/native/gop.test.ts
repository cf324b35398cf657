import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MODE, STREAM } from '../../src/core/meter/slab-layout.ts';
import { type OutboxMessage, RECORD_FLAG } from '../../src/native/outbox.ts';
import { AUDIO, type Clip, decode, makeClip, scratchDir, VIDEO, writeFlv } from './clips.ts';
import { createRig } from './rig.ts';

const FRAMES_PER_GOP = 30;

const dir = scratchDir();
let clip: Clip;
/** every message of the clip, and every picture as it ought to look */
let complete: OutboxMessage[];
let pictures: Map<number, string>;
beforeAll(async () => {
  clip = await makeClip(dir);
  const { feed, publisher } = createRig();
  complete = feed(publisher(0), clip.chunkStream).messages.filter(isMedia);
  pictures = await play('complete.flv', complete);
});
afterAll(() => rmSync(dir, { recursive: true }));

const isKeyframe = ({ flags }: OutboxMessage) => (flags & RECORD_FLAG.KEYFRAME) !== 0;
/** AVC packet type 1; 0 is the sequence header and 2 the end of the sequence. */
const isFrame = ({ type, payload }: OutboxMessage) => type === VIDEO && payload[1] === 1;
const isMedia = ({ type }: OutboxMessage) => type === AUDIO || type === VIDEO;

/** Decodes messages as a player would. */
function play(name: string, messages: readonly OutboxMessage[]) {
  const file = path.join(dir, name);
  writeFlv(file, messages);
  return decode(file);
}

/** Pictures that do not look as they ought to: those decoded from frames that were not there. */
const damagedOf = (decoded: Map<number, string>) =>
  [...decoded].filter(([time, hash]) => pictures.get(time) !== hash);

/** Feeds the clip at its own pace: bytes arrive evenly over its three seconds. */
function feedInRealTime(rig: ReturnType<typeof createRig>, id: number): OutboxMessage[] {
  const messages: OutboxMessage[] = [];
  const steps = 300;
  const size = Math.ceil(clip.chunkStream.length / steps);
  for (let step = 0; step < steps; step++) {
    const piece = clip.chunkStream.subarray(step * size, (step + 1) * size);
    messages.push(...rig.feed(id, piece, 1000 + step * 10).messages);
  }
  return messages.filter(isMedia);
}

test('a player that joins mid-stream decodes every frame since the last keyframe', async () => {
  const { feed, publisher, replay } = createRig();
  const id = publisher(0);
  feed(id, clip.chunkStream.subarray(0, Math.floor(clip.chunkStream.length / 2)));
  const replayed = replay(0);
  const frames = replayed.filter(isFrame);
  expect(frames.length).toBeGreaterThan(5);
  expect(isKeyframe(frames[0]!)).toBe(true);
  expect(frames.filter(isKeyframe)).toHaveLength(1);
  expect(replayed.every(({ flags }) => (flags & RECORD_FLAG.REPLAY) !== 0)).toBe(true);
  const decoded = await play('joined.flv', replayed);
  expect(decoded.size).toBe(frames.length);
  expect(damagedOf(decoded)).toEqual([]);
});

test('what is kept is one GOP, counted in the slab and freed at once', () => {
  const { engine, feed, publisher, replay, read } = createRig();
  const id = publisher(0);
  feed(id, clip.chunkStream);
  const replayed = replay(0);
  expect(replayed.filter(isFrame)).toHaveLength(FRAMES_PER_GOP);
  expect(read(0, STREAM.GOP_BYTES)).toBeGreaterThan(1000);
  expect(engine.stats().gopBytes).toBe(read(0, STREAM.GOP_BYTES));
  engine.detach(id);
  expect(engine.stats().gopBytes).toBe(0);
  expect(read(0, STREAM.GOP_BYTES)).toBe(0);
  expect(read(0, STREAM.GOP_PACKETS)).toBe(0);
  expect(replay(0)).toEqual([]);
});

test('a stream over its cap keeps no GOP, and is counted', () => {
  const { engine, feed, publisher, replay } = createRig({ gopBytesPerStream: 4000, gopBytesTotal: 64e6 });
  feed(publisher(0), clip.chunkStream);
  expect(engine.stats().gopBytes).toBeLessThanOrEqual(4000);
  expect(engine.stats().gopEvictions).toBe(clip.video.keyframes);
  expect(replay(0).filter(({ flags }) => (flags & RECORD_FLAG.HEADER) !== 0)).toHaveLength(2);
});

test.each([0.9, 0.6, 0.3])('what drop mode passes at %d of the bitrate always decodes', async (share) => {
  const rig = createRig();
  rig.write(0, STREAM.MODE, MODE.DROP);
  const bytesPerSecond = clip.chunkStream.length / 3;
  rig.limit(0, bytesPerSecond * share);
  const passed = feedInRealTime(rig, rig.publisher(0));
  const frames = passed.filter(isFrame).length;
  const dropped = rig.read(0, STREAM.DROPPED_FRAMES);
  expect(rig.read(0, STREAM.FRAMES) + dropped).toBe(clip.video.packets);
  if (share < 0.5) expect(dropped).toBeGreaterThan(0);
  const decoded = await play(`dropped-${share}.flv`, passed);
  expect(decoded.size).toBe(frames);
  expect(damagedOf(decoded)).toEqual([]);
  expect(rig.read(0, STREAM.AUDIO_PACKETS)).toBe(clip.audioPackets + 1);
});

test('a frame that is missing damages what refers to it, and the tests see it', async () => {
  const refersToIt = complete.findIndex((message, i) => i > 20 && isFrame(message) && message.flags === 0);
  const decoded = await play(
    'damaged.flv',
    complete.filter((_, index) => index !== refersToIt),
  );
  expect(damagedOf(decoded).length).toBeGreaterThan(0);
});
