import { describe, expect, it } from 'vitest';
import { KIND } from '../../src/core/meter/accounting.ts';
import {
  AccountingRig,
  audio,
  bitOf,
  CLOSED,
  frame,
  KILO,
  type MakeAccounting,
  TEN,
} from '../support/accounting-rig.ts';

/** What is dropped in drop mode, and what never is. */
export function describeDropping(make: MakeAccounting): void {
  function dropRig(): AccountingRig {
    const rig = new AccountingRig(make);
    rig.mode(0, 'DROP');
    rig.set(0, 'bitrate', KILO);
    return rig;
  }

  describe('drop mode', () => {
    it('drops from the first frame that does not conform to the next keyframe that does', () => {
      const rig = dropRig();
      const rows = [
        { at: 0, message: frame({ bytes: 500, keyframe: true }), passes: true },
        { at: 0, message: frame({ bytes: 400 }), passes: true },
        { at: 10, message: frame({ bytes: 200 }), passes: false },
        { at: 900, message: frame({ bytes: 10 }), passes: false },
        { at: 900, message: frame({ bytes: 1, disposable: true }), passes: false },
        { at: 900, message: frame({ bytes: 500, keyframe: true }), passes: true },
        { at: 900, message: frame({ bytes: 10 }), passes: true },
      ];
      for (const { at, message, passes } of rows) expect(rig.admit(0, at, message)).toBe(passes);
      expect(rig.read(0, 'DROPPED_FRAMES')).toBe(3);
      expect(rig.read(0, 'DROPPED_PACKETS')).toBe(3);
      expect(rig.read(0, 'DROPPED_BYTES')).toBe(211);
      expect(rig.read(0, 'OFFERED_BYTES')).toBe(1621);
      expect(rig.read(0, 'OFFERED_PACKETS')).toBe(7);
      expect(rig.read(0, 'BYTES')).toBe(1410);
      expect(rig.read(0, 'VIOLATIONS')).toBe(3);
      expect(rig.read(0, 'LAST_VIOLATION_AT')).toBe(900);
    });

    it('a dropped message consumes nothing, at any level', () => {
      const rig = dropRig();
      rig.set(0, 'client', KILO);
      rig.set(0, 'packets', TEN);
      rig.set(0, 'fpsMedia', TEN);
      rig.admit(0, 0, frame({ bytes: 990 }));
      const before = [...rig.nodes];
      expect(rig.admit(0, 0, frame({ bytes: 20 }))).toBe(false);
      expect([...rig.nodes]).toEqual(before);
      expect(rig.read(0, 'EXCEEDED')).toBe(bitOf('bitrate', 'client'));
      expect(rig.read(0, 'DROP_CAUSE')).toBe(bitOf('bitrate', 'client'));
    });

    it('a disposable frame that does not conform goes alone', () => {
      const rig = dropRig();
      rig.admit(0, 0, frame({ bytes: 700, keyframe: true }));
      expect(rig.admit(0, 0, frame({ bytes: 400, disposable: true }))).toBe(false);
      expect(rig.read(0, 'DROPPING')).toBe(0);
      expect(rig.admit(0, 0, frame({ bytes: 100 }))).toBe(true);
    });

    it('disposable frames go first: while a quarter of the burst is still there for the others', () => {
      for (const place of ['bitrate', 'fpsWall', 'fpsMedia'] as const) {
        const rig = dropRig();
        rig.set(0, 'bitrate', { ...KILO, tauMs: 1e9 });
        rig.set(0, place, { intervalMs: 1, tauMs: 1000, debtMaxMs: 500 });
        const cost = place === 'bitrate' ? { bytes: 751 } : { frames: 251, bytes: 1 };
        const times = place === 'bitrate' ? 1 : 3;
        for (let i = 0; i < times; i++)
          expect(rig.admit(0, 0, frame({ ...cost, keyframe: true }))).toBe(true);
        expect(rig.admit(0, 0, frame({ bytes: 1, disposable: true }))).toBe(false);
        expect(rig.read(0, 'EXCEEDED')).toBe(bitOf(place));
        expect(rig.admit(0, 0, frame({ bytes: 1 }))).toBe(true);
        expect(
          rig.admit(0, place === 'fpsMedia' ? 0 : 10, frame({ bytes: 1, disposable: true, dts: 10 })),
        ).toBe(true);
      }
    });

    it('audio, headers and metadata always pass, and pay', () => {
      const rig = dropRig();
      rig.admit(0, 0, frame({ bytes: 1000, keyframe: true }));
      expect(rig.admit(0, 0, frame({ bytes: 100 }))).toBe(false);
      expect(rig.admit(0, 0, audio({ bytes: 50 }))).toBe(true);
      expect(rig.admit(0, 0, audio({ header: true, bytes: 5 }))).toBe(true);
      expect(rig.admit(0, 0, frame({ header: true, frames: 0, keyframe: true, bytes: 30 }))).toBe(true);
      expect(rig.admit(0, 0, frame({ metadata: true, frames: 0, bytes: 3 }))).toBe(true);
      expect(rig.admit(0, 0, frame({ kind: KIND.DATA, frames: 0, bytes: 12 }))).toBe(true);
      expect(rig.node(0, 'bitrate', 'TAT')).toBe(1100);
      expect(rig.read(0, 'DROPPING')).toBe(1);
    });

    it('audio cannot run up debt without bound', () => {
      const rig = dropRig();
      for (let i = 0; i < 100; i++) rig.admit(0, 0, audio({ bytes: 1000 }));
      expect(rig.node(0, 'bitrate', 'TAT')).toBe(1500);
      expect(rig.admit(0, 1501, frame({ bytes: 900, keyframe: true }))).toBe(true);
    });

    it('is held by parents too, and not at all by what they do not charge', () => {
      for (const place of ['client', 'ip', 'global'] as const) {
        const rig = dropRig();
        rig.set(1, place, KILO);
        rig.feed(1, 0, audio({ bytes: 1000 }));
        expect(rig.admit(0, 0, frame({ bytes: 100, keyframe: true }))).toBe(false);
        expect(rig.read(0, 'EXCEEDED')).toBe(bitOf(place));
        expect(rig.admit(0, 100, frame({ bytes: 100, keyframe: true }))).toBe(true);
      }
    });

    it('a keyframe larger than the burst passes when three quarters of it are free, and is paid in full', () => {
      const rig = dropRig();
      rig.set(0, 'bitrate', { ...KILO, debtMaxMs: 5000 });
      rig.admit(0, 0, frame({ bytes: 251, keyframe: true }));
      expect(rig.admit(0, 0, frame({ bytes: 2000, keyframe: true }))).toBe(false);
      expect(rig.admit(0, 1, frame({ bytes: 2000, keyframe: true }))).toBe(true);
      expect(rig.node(0, 'bitrate', 'TAT')).toBe(2251);
      expect(rig.admit(0, 2, frame({ bytes: 1 }))).toBe(false);
      expect(rig.admit(0, 2000, frame({ bytes: 750, keyframe: true }))).toBe(false);
      expect(rig.admit(0, 2001, frame({ bytes: 750, keyframe: true }))).toBe(true);
    });

    it('at rate 0 no video passes, and audio does', () => {
      const rig = dropRig();
      rig.set(0, 'bitrate', CLOSED);
      expect(rig.admit(0, 0, frame({ keyframe: true }))).toBe(false);
      expect(rig.admit(0, 1e9, frame({ keyframe: true }))).toBe(false);
      expect(rig.admit(0, 1e9, audio())).toBe(true);
    });

    it('comes back after the clock went back by any distance', () => {
      const rig = dropRig();
      rig.admit(0, 1e9, frame({ keyframe: true }));
      expect(rig.admit(0, 0, frame({ bytes: 700, keyframe: true }))).toBe(false);
      expect(rig.admit(0, 1500, frame({ bytes: 700, keyframe: true }))).toBe(true);
    });

    it('charges message by message: what one read brings cannot pass as a whole', () => {
      const rig = dropRig();
      const { admitted } = rig.feed(
        0,
        0,
        frame({ bytes: 600, keyframe: true }),
        frame({ bytes: 600 }),
        frame({ bytes: 100 }),
      );
      expect(admitted).toEqual([true, false, false]);
    });

    it('left for another mode, or for the allow list, goes on until the next keyframe, then lets all pass', () => {
      for (const leave of [
        (rig: AccountingRig) => rig.mode(0, 'THROTTLE'),
        (rig: AccountingRig) => rig.exempt(0, true),
      ]) {
        const rig = dropRig();
        rig.admit(0, 0, frame({ bytes: 1000, keyframe: true }));
        rig.admit(0, 0, frame({ bytes: 1 }));
        const violations = rig.read(0, 'VIOLATIONS');
        leave(rig);
        expect(rig.admit(0, 5000, frame({ bytes: 1 }))).toBe(false);
        expect(rig.read(0, 'VIOLATIONS')).toBe(violations);
        expect(rig.admit(0, 5000, frame({ bytes: 1, keyframe: true }))).toBe(true);
        expect(rig.admit(0, 5000, frame({ bytes: 9999 }))).toBe(true);
      }
    });
  });
}
