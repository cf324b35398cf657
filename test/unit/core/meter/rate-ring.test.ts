import { describe, expect, it } from 'vitest';
import { RateRing } from '../../../../src/core/meter/rate-ring.ts';
import { STREAM, STREAM_STRIDE } from '../../../../src/core/meter/slab-layout.ts';

/** A stream row whose counters a test moves, sampled every 250 ms. */
class Meter {
  readonly row = new Float64Array(STREAM_STRIDE);
  readonly ring: RateRing;
  now = 10_000;

  constructor(windowMs = 2000) {
    this.ring = new RateRing(windowMs);
    this.row[STREAM.LAST_DTS] = -1;
  }

  sample(): this {
    this.ring.push(this.row, 0, this.now);
    return this;
  }

  /** Runs for `ms`; `each` moves the counters for every 250 ms of it. */
  run(ms: number, each: (row: Float64Array, elapsedMs: number) => void): this {
    for (let elapsed = 250; elapsed <= ms; elapsed += 250) {
      this.now += 250;
      each(this.row, elapsed);
      this.sample();
    }
    return this;
  }
}

/** Payload at `bps`, offered and admitted. */
function sending(bps: number, admittedShare = 1): (row: Float64Array) => void {
  return (row) => {
    row[STREAM.OFFERED_BYTES]! += bps / 32;
    row[STREAM.BYTES]! += (bps / 32) * admittedShare;
  };
}

/** Video at `fps` whose DTS begins at `from` and is in whole ms, as RTMP has it. */
function video(fps: number, from = 0): (row: Float64Array, elapsedMs: number) => void {
  let frames = 0;
  return (row, elapsedMs) => {
    while ((frames * 1000) / fps <= elapsedMs) {
      row[STREAM.TRACK_FRAMES]! += 1;
      row[STREAM.FRAMES]! += 1;
      row[STREAM.LAST_DTS] = from + Math.round((frames * 1000) / fps);
      frames += 1;
    }
  };
}

describe('RateRing', () => {
  it('says 0 and null before there is anything to tell', () => {
    const { ring } = new Meter();
    for (const meter of [new Meter(), new Meter().sample()]) {
      expect(meter.ring.bitrateBps()).toBe(0);
      expect(meter.ring.peakBps()).toBe(0);
      expect(meter.ring.wallFps()).toBe(0);
      expect(meter.ring.mediaFps()).toBeNull();
      expect(meter.ring.sustainedAbove(0, 1000)).toBe(false);
    }
    expect(ring.packetsPerSec()).toBe(0);
  });

  it('averages over the window and forgets what lies before it', () => {
    const meter = new Meter().sample().run(5000, sending(8_000_000));
    expect(meter.ring.bitrateBps()).toBeCloseTo(8_000_000, 3);
    meter.run(1000, sending(0));
    expect(meter.ring.bitrateBps()).toBeCloseTo(4_000_000, 3);
    meter.run(1000, sending(0));
    expect(meter.ring.bitrateBps()).toBe(0);
  });

  it('tells a young stream by its own age', () => {
    const meter = new Meter().sample().run(500, sending(3_000_000));
    expect(meter.ring.bitrateBps()).toBeCloseTo(3_000_000, 3);
  });

  it('interpolates where the window begins between two samples', () => {
    const meter = new Meter(1100).sample().run(3000, sending(1_000_000)).run(1000, sending(0));
    expect(meter.ring.bitrateBps()).toBeCloseTo(1_000_000 * (100 / 1100), 3);
  });

  it('is not misled by uneven sampling', () => {
    const meter = new Meter().sample();
    for (const step of [10, 700, 3, 250, 900, 41, 600, 260, 250]) {
      meter.now += step;
      meter.row[STREAM.BYTES]! += step * 500;
      meter.sample();
    }
    expect(meter.ring.bitrateBps()).toBeCloseTo(4_000_000, 3);
  });

  it('ignores a sample that is not later than the last', () => {
    const meter = new Meter().sample().run(4000, sending(1_000_000));
    meter.row[STREAM.BYTES]! += 1e9;
    meter.sample();
    meter.now -= 5000;
    meter.sample();
    expect(meter.ring.bitrateBps()).toBeCloseTo(1_000_000, 3);
  });

  it('keeps the peak of whole windows, not of a single sample', () => {
    const meter = new Meter().sample().run(4000, sending(2_000_000)).run(250, sending(16_000_000));
    expect(meter.ring.peakBps()).toBeCloseTo(2_000_000 * 0.875 + 16_000_000 * 0.125, 3);
    meter.run(10_000, sending(1_000_000));
    expect(meter.ring.peakBps()).toBeCloseTo(3_750_000, 3);
    expect(meter.ring.bitrateBps()).toBeCloseTo(1_000_000, 3);
  });

  it('does not take the first moments of a stream for a peak', () => {
    const meter = new Meter().sample().run(250, sending(16_000_000)).run(10_000, sending(2_000_000));
    expect(meter.ring.peakBps()).toBeCloseTo(16_000_000 / 8 + (2_000_000 * 7) / 8, 3);
  });

  it('tells what came in apart from what was admitted', () => {
    const meter = new Meter().sample().run(4000, sending(8_000_000, 0.25));
    expect(meter.ring.offeredBps()).toBeCloseTo(8_000_000, 3);
    expect(meter.ring.bitrateBps()).toBeCloseTo(2_000_000, 3);
  });

  it('counts packets and frames by arrival', () => {
    const meter = new Meter().sample().run(4000, (row) => {
      row[STREAM.PACKETS]! += 20;
      row[STREAM.FRAMES]! += 6;
    });
    expect(meter.ring.packetsPerSec()).toBeCloseTo(80, 6);
    expect(meter.ring.wallFps()).toBeCloseTo(24, 6);
  });

  it('takes a longer window without losing what it has, up to a minute', () => {
    const meter = new Meter().sample().run(12_000, sending(4_000_000));
    meter.ring.setWindow(20_000);
    expect(meter.ring.bitrateBps()).toBeCloseTo(4_000_000, 3);
    meter.run(10_000, sending(0));
    expect(meter.ring.bitrateBps()).toBeCloseTo(2_000_000, 3);
    meter.ring.setWindow(1000);
    expect(meter.ring.bitrateBps()).toBe(0);
  });

  it('wraps around many times', () => {
    const meter = new Meter().sample().run(120_000, sending(5_000_000));
    expect(meter.ring.bitrateBps()).toBeCloseTo(5_000_000, 2);
    expect(meter.ring.sustainedAbove(4_900_000, 12_000)).toBe(true);
  });

  describe('media FPS', () => {
    for (const fps of [15, 24, 29.97, 30, 50, 60]) {
      it(`of ${fps} is exact to 1 % in spite of whole-ms timestamps`, () => {
        const { ring } = new Meter().sample().run(8000, video(fps));
        expect(Math.abs(ring.mediaFps()! / fps - 1)).toBeLessThan(0.01);
      });
    }

    it('is not said before a second of video, then from what there is', () => {
      const meter = new Meter().sample();
      const play = video(30);
      meter.run(1000, play);
      expect(meter.ring.mediaFps()).toBeNull();
      meter.run(1500, (row, elapsed) => play(row, 1000 + elapsed));
      expect(meter.ring.mediaFps()).toBeCloseTo(30, 0);
    });

    it('speaks of media time, not of arrival', () => {
      const meter = new Meter().sample().run(8000, (row) => {
        row[STREAM.TRACK_FRAMES]! += 15;
        row[STREAM.LAST_DTS] = Math.max(0, row[STREAM.LAST_DTS]!) + 500;
        row[STREAM.FRAMES]! += 15;
      });
      expect(meter.ring.mediaFps()).toBeCloseTo(30, 6);
      expect(meter.ring.wallFps()).toBeCloseTo(60, 6);
    });

    for (const [what, from] of [
      ['went back', 100],
      ['jumped by a minute', 70_000],
    ] as const) {
      it(`is measured anew where the timeline ${what}`, () => {
        const meter = new Meter().sample().run(9000, video(60, 1000)).run(3000, video(25, from));
        expect(meter.ring.mediaFps()).toBeCloseTo(25, 0);
      });
    }

    it('is 0 once no frame has come for 5 s', () => {
      const meter = new Meter().sample().run(8000, video(30)).run(4750, sending(1e6));
      expect(meter.ring.mediaFps()).toBeCloseTo(30, 0);
      meter.run(500, sending(1e6));
      expect(meter.ring.mediaFps()).toBe(0);
    });
  });

  describe('sustained excess', () => {
    it('needs every half second of the window', () => {
      const meter = new Meter().sample().run(12_000, sending(7_000_000));
      expect(meter.ring.sustainedAbove(6_000_000, 10_000)).toBe(true);
      expect(meter.ring.sustainedAbove(7_000_000, 10_000)).toBe(false);
      meter.run(500, sending(5_000_000));
      expect(meter.ring.sustainedAbove(6_000_000, 10_000)).toBe(false);
      meter.run(9500, sending(7_000_000));
      expect(meter.ring.sustainedAbove(6_000_000, 10_000)).toBe(false);
      meter.run(500, sending(7_000_000));
      expect(meter.ring.sustainedAbove(6_000_000, 10_000)).toBe(true);
    });

    it('is not made by keyframes: bursts within the average', () => {
      const meter = new Meter().sample().run(12_000, (row, elapsed) => {
        row[STREAM.OFFERED_BYTES]! += elapsed % 2000 === 0 ? 1_200_000 : 40_000;
      });
      expect(meter.ring.offeredBps()).toBeGreaterThan(5_000_000);
      expect(meter.ring.sustainedAbove(5_000_000, 10_000)).toBe(false);
    });

    it('counts what was dropped', () => {
      const meter = new Meter().sample().run(4000, sending(9_000_000, 0.1));
      expect(meter.ring.sustainedAbove(6_000_000, 2000)).toBe(true);
    });

    it('is not claimed of a past that is not there', () => {
      const meter = new Meter().sample().run(3000, sending(9_000_000));
      expect(meter.ring.sustainedAbove(6_000_000, 3000)).toBe(true);
      expect(meter.ring.sustainedAbove(6_000_000, 3001)).toBe(false);
      meter.run(60_000, sending(9_000_000));
      expect(meter.ring.sustainedAbove(6_000_000, 60_000)).toBe(false);
    });
  });
});
