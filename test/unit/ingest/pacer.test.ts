import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LiveStream } from '../../../src/ingest/live-stream.ts';
import { Pacer } from '../../../src/ingest/rtmp/pacer.ts';

let owedMs: (now: number) => number;
let heldMs: number;
const paused: boolean[] = [];
const stream = { heldBack: (ms: number) => (heldMs += ms) } as unknown as LiveStream;

beforeEach(() => {
  vi.useFakeTimers();
  paused.length = 0;
  heldMs = 0;
  owedMs = () => 0;
});

afterEach(() => {
  vi.useRealTimers();
});

function pacer(): Pacer {
  return new Pacer(
    (on) => paused.push(on),
    (now) => owedMs(now),
  );
}

test('a debt longer than the stretch slept at once is waited for to its end', () => {
  const now = performance.now();
  owedMs = (at) => Math.max(0, now + 3_500 - at);
  pacer().pauseFor(3_500, now, stream);
  vi.advanceTimersByTime(3_400);
  expect(paused).toEqual([true]);
  vi.advanceTimersByTime(110);
  expect(paused).toEqual([true, false]);
  expect(heldMs).toBeCloseTo(3_500, -1);
});

test('a stream does not wait for others that charged the shared budget after it', () => {
  owedMs = () => 5_000;
  pacer().pauseFor(400, performance.now(), stream);
  vi.advanceTimersByTime(400);
  expect(paused).toEqual([true, false]);
});

test('a debt that others gave up is felt within a second', () => {
  pacer().pauseFor(8_000, performance.now(), stream);
  vi.advanceTimersByTime(1_000);
  expect(paused).toEqual([true, false]);
});

test('lowered limits make the pause going on longer, raised ones end it', () => {
  const lowered = pacer();
  lowered.pauseFor(100, performance.now(), stream);
  owedMs = () => 700;
  lowered.recheck(performance.now());
  vi.advanceTimersByTime(600);
  expect(paused).toEqual([true]);
  owedMs = () => 0;
  lowered.recheck(performance.now());
  expect(paused).toEqual([true, false]);
  vi.advanceTimersByTime(5_000);
  expect(paused).toEqual([true, false]);
});

test('a pause that is cleared never resumes', () => {
  const cleared = pacer();
  cleared.pauseFor(100, performance.now(), stream);
  cleared.clear(performance.now());
  vi.advanceTimersByTime(5_000);
  expect({ paused, left: cleared.heldMs(performance.now()) }).toEqual({ paused: [true], left: 0 });
});
