import { describe, expect, it } from 'vitest';
import { STREAM } from '../../src/core/meter/slab-layout.ts';
import { AccountingRig, audio, bitOf, frame, type MakeAccounting, TEN } from '../support/accounting-rig.ts';

/** How media FPS is judged: by the DTS, which a publisher can set at will. */
export function describeMediaClock(make: MakeAccounting): void {
  /** Frames of 10 ms in a node that allows 10 FPS: its burst of 20 frames is spent after about 22. */
  function tooFast(): AccountingRig {
    const rig = new AccountingRig(make);
    rig.mode(0, 'THROTTLE');
    rig.set(0, 'fpsMedia', TEN);
    return rig;
  }
  const run = (rig: AccountingRig, from: number, count: number): number => {
    let delayMs = 0;
    for (let i = 0; i < count; i++) delayMs += rig.feed(0, 7, frame({ dts: from + i * 10 })).delayMs;
    return delayMs;
  };

  describe('media FPS', () => {
    it('is judged by DTS, told, and never waited for', () => {
      const rig = tooFast();
      expect(run(rig, 1000, 22)).toBe(0);
      expect(rig.read(0, 'EXCEEDED')).toBe(0);
      expect(run(rig, 1220, 3)).toBe(0);
      expect(rig.read(0, 'EXCEEDED')).toBe(bitOf('fpsMedia'));
      expect(rig.read(0, 'LAST_VIOLATION_AT')).toBe(7);
    });

    it('takes the frames of one read for the time they span, not for a burst', () => {
      const rig = tooFast();
      const minute = Array.from({ length: 600 }, (_, i) => frame({ dts: i * 100 }));
      rig.feed(0, 7, ...minute);
      expect(rig.read(0, 'EXCEEDED')).toBe(0);
    });

    it('counts one violation for a read, however many of its frames were too many', () => {
      const rig = tooFast();
      rig.feed(0, 7, ...Array.from({ length: 40 }, () => frame({ dts: 5 })));
      expect(rig.read(0, 'VIOLATIONS')).toBe(1);
      expect(rig.node(0, 'fpsMedia', 'VIOLATIONS')).toBe(20);
    });

    for (const [what, dts] of [
      ['goes back', 500],
      ['jumps ahead by more than 10 s', 11_300],
    ] as const) {
      it(`begins anew where the DTS ${what}`, () => {
        const rig = tooFast();
        run(rig, 1000, 25);
        rig.write(0, STREAM.EXCEEDED, 0);
        rig.feed(0, 7, frame({ dts }));
        expect(rig.node(0, 'fpsMedia', 'TAT')).toBe(dts + 100);
        expect(rig.read(0, 'EXCEEDED')).toBe(0);
        expect(rig.read(0, 'LAST_DTS')).toBe(dts);
      });
    }

    it('owes nothing of the old timeline, however much that was', () => {
      const rig = tooFast();
      rig.set(0, 'fpsMedia', { ...TEN, debtMaxMs: Infinity });
      rig.feed(0, 7, ...Array.from({ length: 1000 }, () => frame({ dts: 1000 })));
      rig.feed(0, 7, frame({ dts: 10_999 }));
      expect(rig.node(0, 'fpsMedia', 'TAT')).toBe(1000 + 100_100);
      rig.feed(0, 7, frame({ dts: 21_000 }));
      expect(rig.node(0, 'fpsMedia', 'TAT')).toBe(21_100);
    });

    it('is judged by DTS in drop mode too, far from the clock of arrival', () => {
      const rig = tooFast();
      rig.mode(0, 'DROP');
      for (let i = 0; i < 100; i++) {
        expect(rig.admit(0, 7 + i, frame({ dts: 1_000_000 + i * 100, disposable: i % 2 === 1 }))).toBe(true);
      }
      run(rig, 1_010_000, 30);
      expect(rig.read(0, 'EXCEEDED')).toBe(bitOf('fpsMedia'));
    });

    it('does not stay shut in drop mode after the DTS went back', () => {
      const rig = tooFast();
      rig.mode(0, 'DROP');
      run(rig, 1_000_000, 30);
      expect(rig.read(0, 'DROPPING')).toBe(1);
      expect(rig.admit(0, 8, frame({ dts: 0, keyframe: true }))).toBe(true);
    });

    it('is not moved by audio, headers or frames of slower tracks', () => {
      const rig = tooFast();
      rig.feed(0, 7, frame({ dts: 100 }), audio({ dts: 900 }));
      rig.feed(
        0,
        7,
        frame({ dts: 950, header: true, frames: 0 }),
        frame({ dts: 980, frames: 0, allFrames: 1 }),
      );
      expect(rig.read(0, 'LAST_DTS')).toBe(100);
      expect(rig.node(0, 'fpsMedia', 'CHARGED')).toBe(1);
    });
  });
}
