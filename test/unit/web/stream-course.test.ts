import { describe, expect, test } from 'vitest';
import { STREAM_COLUMNS, type StreamHistory } from '../../../src/telemetry/history/streams.ts';
import { marksOf, readAtS, StreamCourse } from '../../../web/streams/course.ts';
import { stream } from '../cli/top/samples.ts';

const START = '2026-11-21T00:00:00.000Z';
const START_S = Date.parse(START) / 1_000;

function reading(uptime_ms: number, usage: Parameters<typeof stream>[1] = {}) {
  return stream('cam', { started_at: START, uptime_ms, ...usage });
}

/** Rows two seconds apart from the start on. */
function history(rows: number): StreamHistory {
  const columns = Object.fromEntries(STREAM_COLUMNS.map((name) => [name, new Array(rows).fill(1)]));
  return {
    id: 's-cam',
    path: '/live/cam',
    ended_at: null,
    interval_ms: 2_000,
    from: START,
    to: START,
    columns: columns as unknown as StreamHistory['columns'],
  };
}

test('readings go on where the history ends, by the clock of the server', () => {
  const course = StreamCourse.of(history(3));
  expect(course.append(reading(5_000))).toBe(true);
  expect(course.times).toEqual([0, 2, 4, 5].map((s) => START_S + s));
  expect(course.columns.bitrate_bps).toEqual([1, 1, 1, 2_610_000]);
  expect(readAtS(reading(5_000))).toBe(START_S + 5);
});

test('a reading that the history has already is left out', () => {
  const course = StreamCourse.of(history(3));
  expect(course.append(reading(4_000))).toBe(false);
  expect(course.append(reading(4_500))).toBe(true);
  expect(course.append(reading(4_500))).toBe(false);
  expect(course.times).toHaveLength(4);
});

test('counts become what came in each interval', () => {
  const course = StreamCourse.of(null);
  const drops = [5, 5, 8, 8];
  for (const [i, dropped_frames] of drops.entries()) {
    course.append(reading(i * 1_000, { usage: { dropped_frames, throttled_ms: i * 100 } }));
  }
  expect(course.columns.dropped_frames).toEqual([0, 0, 3, 0]);
  expect(course.columns.throttled_ms).toEqual([0, 100, 100, 100]);
});

test('what was lost between the history and the first reading that is drawn is not drawn twice', () => {
  const course = StreamCourse.of(history(3));
  course.append(reading(3_900, { usage: { dropped_frames: 40 } }));
  course.append(reading(4_900, { usage: { dropped_frames: 42 } }));
  expect(course.columns.dropped_frames.at(-1)).toBe(2);
});

test('a pause of the feed breaks the line', () => {
  const course = StreamCourse.of(null);
  course.append(reading(1_000));
  course.append(reading(20_000));
  expect(course.columns.fps).toEqual([30, null, 30]);
});

test('it keeps five minutes and no more', () => {
  const course = StreamCourse.of(history(150));
  for (let at = 299_000; at < 1_000_000; at += 250) course.append(reading(at));
  expect(course.times.length).toBeLessThanOrEqual(1_200);
  expect(course.times.at(-1)! - course.times[0]!).toBeLessThanOrEqual(300);
  for (const name of STREAM_COLUMNS) expect(course.columns[name]).toHaveLength(course.times.length);
});

test('the pace of keyframes is measured on, and told from the history until it is', () => {
  const course = StreamCourse.of(history(3));
  for (let s = 5; s < 20; s++) course.append(reading(s * 1_000, { usage: { keyframes: Math.floor(s / 3) } }));
  expect(course.columns.keyframe_interval_ms[3]).toBe(1);
  expect(course.latest('keyframe_interval_ms')).toBeCloseTo(3_000, 0);
});

describe('marks', () => {
  const course = StreamCourse.of(null);
  const held = [0, 100, 300, 300, 300, 350];
  held.forEach((throttled_ms, s) => {
    course.append(reading(s * 1_000, { usage: { throttled_ms } }));
  });

  test('are one where intervals touch', () => {
    expect(marksOf(course, 'throttled')).toEqual([
      { kind: 'throttled', from: START_S, to: START_S + 2, amount: 300 },
      { kind: 'throttled', from: START_S + 4, to: START_S + 5, amount: 50 },
    ]);
  });

  test('are none of what did not happen', () => {
    expect(marksOf(course, 'dropped')).toEqual([]);
  });
});
