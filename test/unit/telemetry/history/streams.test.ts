import { expect, test } from 'vitest';
import {
  StreamHistories,
  type StreamHistory,
  type StreamReading,
} from '../../../../src/telemetry/history/streams.ts';

/** Round of the control loop, ms. */
const ROUND_MS = 250;
const INTERVAL_MS = 2_000;
const MINUTES_5 = 300_000;

interface Fake {
  readonly id: string;
  readonly path: string;
  readonly slot: number;
  keyframeCount: number;
  sent: Partial<StreamReading>;
}

function fake(id: string, slot = 0): Fake {
  return { id, path: `/live/${id}`, slot, keyframeCount: 0, sent: {} };
}

class Rig {
  now = 0;
  sampling = true;
  asked = 0;
  readonly streams: Fake[] = [];
  readonly histories = new StreamHistories<Fake>({
    keyframes: (stream) => stream.keyframeCount,
    reading: (stream) => {
      this.asked++;
      return {
        bitrate_bps: 1_000_000,
        limit_bps: 6_000_000,
        ceiling_bps: Number.NaN,
        fps: 30,
        wall_fps: 30,
        packets_per_sec: 70,
        dropped_frames: 0,
        throttled_ms: 0,
        ...stream.sent,
      };
    },
  });

  run(ms: number, each: () => void = () => {}): void {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += ROUND_MS;
      each();
      this.histories.forget(this.now);
      for (const stream of this.streams) this.histories.step(stream, this.sampling, this.now);
    }
  }

  end(stream: Fake): void {
    this.streams.splice(this.streams.indexOf(stream), 1);
    this.histories.ended(stream, this.now);
  }

  of(stream: Fake): StreamHistory | null {
    const slot = this.streams.includes(stream) ? stream.slot : null;
    return this.histories.find(stream.id, slot, { now: this.now, wallMs: this.now });
  }
}

function withStreams(...streams: Fake[]): Rig {
  const rig = new Rig();
  rig.streams.push(...streams);
  return rig;
}

test('keeps a value every two seconds, for five minutes', () => {
  const stream = fake('a');
  const rig = withStreams(stream);
  rig.run(20_000, () => {
    stream.sent = { bitrate_bps: rig.now };
  });
  const young = rig.of(stream)!;
  expect(young.columns.bitrate_bps.slice(0, 3)).toEqual([ROUND_MS, 2_000, 4_000]);
  rig.run(MINUTES_5 * 2, () => {
    stream.sent = { bitrate_bps: rig.now };
  });
  const { columns, from, to, interval_ms } = rig.of(stream)!;
  expect(interval_ms).toBe(INTERVAL_MS);
  expect(columns.bitrate_bps).toHaveLength(150);
  expect(columns.bitrate_bps.at(-1)).toBe(620_000);
  expect(columns.bitrate_bps[0]).toBe(620_000 - 149 * INTERVAL_MS);
  expect(Date.parse(to) - Date.parse(from)).toBe(149 * INTERVAL_MS);
  expect(Date.parse(to)).toBe(620_000);
});

test('all columns are of one length, whenever one asks', () => {
  const stream = fake('a', 3);
  const rig = withStreams(stream);
  rig.run(330_000, () => {
    const past = rig.of(stream);
    if (past === null) return;
    const lengths = new Set(Object.values(past.columns).map((column) => column.length));
    expect(lengths.size).toBe(1);
    const rows = (Date.parse(past.to) - Date.parse(past.from)) / INTERVAL_MS + 1;
    const [length] = lengths;
    expect(length === 0 || length === rows).toBe(true);
  });
});

test('while the server does without it there is a gap, and no figure of before or after in it', () => {
  const stream = fake('a');
  const rig = withStreams(stream);
  rig.run(10_000);
  rig.sampling = false;
  rig.run(10_000);
  expect(rig.of(stream)!.columns.bitrate_bps.slice(-4)).toEqual([null, null, null, null]);
  rig.sampling = true;
  rig.run(10_000);
  const values = rig.of(stream)!.columns.bitrate_bps;
  expect(values).toHaveLength(16);
  expect(values.map((value) => (value === null ? 0 : 1)).join('')).toBe('1111110000111111');
});

test('a gap longer than what is kept leaves nothing of before', () => {
  const stream = fake('a');
  const rig = withStreams(stream);
  stream.sent = { bitrate_bps: 111 };
  rig.run(10_000);
  rig.sampling = false;
  rig.run(MINUTES_5 + 10_000);
  expect(rig.of(stream)!.columns.bitrate_bps.every((value) => value === null)).toBe(true);
  rig.sampling = true;
  stream.sent = { bitrate_bps: 222 };
  rig.run(4_000);
  expect(rig.of(stream)!.columns.bitrate_bps).toEqual([222, 222, 222]);
});

test('counts are told for each interval, not as totals', () => {
  const stream = fake('a');
  const rig = withStreams(stream);
  let dropped = 0;
  rig.run(10_000, () => {
    dropped += rig.now > 4_000 && rig.now <= 6_000 ? 3 : 0;
    stream.sent = { dropped_frames: dropped, throttled_ms: rig.now / 2 };
  });
  const { dropped_frames, throttled_ms } = rig.of(stream)!.columns;
  expect(dropped_frames).toEqual([0, 0, 0, 24, 0, 0]);
  expect(throttled_ms.slice(1)).toEqual([875, 1_000, 1_000, 1_000, 1_000]);
});

test('unlimited and unknown are null, large rates whole, small ones without noise', () => {
  const stream = fake('a');
  const rig = withStreams(stream);
  stream.sent = { limit_bps: Number.POSITIVE_INFINITY, ceiling_bps: 1_500_000.4, wall_fps: 29.9 };
  rig.run(2_000);
  const { limit_bps, ceiling_bps, wall_fps } = rig.of(stream)!.columns;
  expect([limit_bps[0], ceiling_bps[0], wall_fps[0]]).toEqual([null, 1_500_000, 29.9]);
});

test.each([1_000, 2_000, 5_000])('keyframes %i ms apart are found so, within a twentieth', (gopMs) => {
  const stream = fake('a');
  const rig = withStreams(stream);
  rig.run(60_000, () => {
    stream.keyframeCount = 1 + Math.floor((rig.now + 130) / gopMs);
  });
  const told = rig.of(stream)!.columns.keyframe_interval_ms;
  expect(told[0]).toBeNull();
  expect(Math.abs(told.at(-1)! - gopMs)).toBeLessThan(gopMs / 20);
});

test('keyframes that stay away are seen to', () => {
  const stream = fake('a');
  const rig = withStreams(stream);
  rig.run(20_000, () => {
    stream.keyframeCount = Math.floor(rig.now / 2_000);
  });
  rig.run(30_000);
  expect(rig.of(stream)!.columns.keyframe_interval_ms.at(-1)).toBe(30_000);
});

test('an ended stream is told of for five minutes, and its row may be used again at once', () => {
  const first = fake('a', 7);
  const rig = withStreams(first);
  rig.run(10_000);
  rig.end(first);
  const second = fake('b', 7);
  rig.streams.push(second);
  second.sent = { bitrate_bps: 5 };
  rig.run(4_000);
  expect(rig.of(first)).toMatchObject({ id: 'a', path: '/live/a', ended_at: '1970-01-01T00:00:10.000Z' });
  expect(new Set(rig.of(first)!.columns.bitrate_bps)).toEqual(new Set([1_000_000]));
  expect(new Set(rig.of(second)!.columns.bitrate_bps)).toEqual(new Set([5]));
  rig.run(MINUTES_5 - 4_000);
  expect(rig.of(first)).not.toBeNull();
  rig.run(ROUND_MS);
  expect(rig.of(first)).toBeNull();
});

test('of those that ended, the last hundred are kept', () => {
  const rig = new Rig();
  const all = Array.from({ length: 120 }, (_, index) => fake(`s-${index}`, index));
  rig.streams.push(...all);
  rig.run(4_000);
  for (const stream of all) rig.end(stream);
  expect(all.filter((stream) => rig.of(stream) !== null).map(({ id }) => id)).toEqual(
    all.slice(20).map(({ id }) => id),
  );
});

test('one round samples an eighth of the streams', () => {
  const rig = withStreams(...Array.from({ length: 800 }, (_, slot) => fake(`s-${slot}`, slot)));
  rig.run(10_000);
  const asked: number[] = [];
  rig.run(INTERVAL_MS, () => {
    asked.push(rig.asked);
    rig.asked = 0;
  });
  expect(asked.slice(1)).toEqual(new Array(7).fill(100));
});

test('a stream holds 5.4 kB once it is five minutes old, 576 bytes at first, and nothing before', () => {
  const stream = fake('a');
  const rig = withStreams(stream);
  expect(rig.histories.bytes).toBe(0);
  rig.run(ROUND_MS);
  expect(rig.histories.bytes).toBe(576);
  rig.run(MINUTES_5 * 3);
  expect(rig.histories.bytes).toBe(150 * 9 * 4);
  rig.end(stream);
  rig.run(MINUTES_5 + ROUND_MS);
  expect(rig.histories.bytes).toBe(0);
});
