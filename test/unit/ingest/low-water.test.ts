import { expect, test } from 'vitest';
import { LowWater, lowWaterBytes } from '../../../src/ingest/rtmp/low-water.ts';

function mark(takes = true) {
  const calls: number[] = [];
  const set = (_fd: number, bytes: number): boolean => {
    calls.push(bytes);
    return takes;
  };
  return { calls, low: new LowWater(set, 7) };
}

test('few publishers are read at once, many are let gather 40 ms of stream', () => {
  expect(lowWaterBytes(2_660_000, 31)).toBe(1);
  expect(lowWaterBytes(2_660_000, 32)).toBe(13_300);
});

test('a slow stream is read at once, a fast one gathers no more than a read takes in', () => {
  expect(lowWaterBytes(100_000, 500)).toBe(1);
  expect(lowWaterBytes(1_000_000_000, 500)).toBe(32_768);
});

test('the mark is set after a read, not before', () => {
  const { calls, low } = mark();
  low.aim(10_000);
  expect(calls).toEqual([]);
  low.touched();
  low.touched();
  expect(calls).toEqual([10_000]);
});

test('small changes of the bitrate cost no system call', () => {
  const { calls, low } = mark();
  low.aim(10_000);
  low.touched();
  low.aim(11_000);
  low.touched();
  low.aim(20_000);
  low.touched();
  expect(calls).toEqual([10_000, 20_000]);
});

test('a socket that rests below its mark is read within two rounds, and gathers again afterwards', () => {
  const { calls, low } = mark();
  low.aim(10_000);
  low.touched();
  low.round();
  expect(calls).toEqual([10_000]);
  low.round();
  expect(calls).toEqual([10_000, 1]);
  low.touched();
  expect(calls).toEqual([10_000, 1, 10_000]);
});

test('taking the mark away takes effect at once', () => {
  const { calls, low } = mark();
  low.aim(10_000);
  low.touched();
  low.aim(1);
  expect(calls).toEqual([10_000, 1]);
});

test('where the system refuses, it is asked once, not for every read', () => {
  const { calls, low } = mark(false);
  low.aim(10_000);
  for (let i = 0; i < 10; i++) low.touched();
  expect(calls).toEqual([10_000]);
});
