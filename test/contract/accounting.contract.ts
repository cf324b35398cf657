import { describe, expect, it } from 'vitest';
import { KIND } from '../../src/core/meter/accounting.ts';
import { STREAM } from '../../src/core/meter/slab-layout.ts';
import { AccountingRig, audio, bitOf, frame, type MakeAccounting } from '../support/accounting-rig.ts';

/** 1 byte per ms, a burst of a second, half a second of debt: numbers that can be followed by hand. */
const KILO = { intervalMs: 1, tauMs: 1000, debtMaxMs: 500 };
const UNLIMITED = { intervalMs: 0, tauMs: 1000, debtMaxMs: 500 };
const CLOSED = { intervalMs: Infinity, tauMs: 1000, debtMaxMs: 500 };
/** 10 units a second, burst of two seconds. */
const TEN = { intervalMs: 100, tauMs: 2000, debtMaxMs: 500 };

interface Row {
  at: number;
  cost: number;
  delay: number;
}

const CHARGES: { name: string; node: typeof KILO; rows: Row[] }[] = [
  {
    name: 'lets a whole burst through at once and asks for the debt after it',
    node: KILO,
    rows: [
      { at: 0, cost: 1000, delay: 0 },
      { at: 0, cost: 1, delay: 1 },
      { at: 0, cost: 100, delay: 101 },
    ],
  },
  {
    name: 'is repaid by time and not before',
    node: KILO,
    rows: [
      { at: 0, cost: 1100, delay: 100 },
      { at: 99, cost: 1, delay: 2 },
      { at: 101, cost: 1, delay: 1 },
      { at: 1102, cost: 1000, delay: 0 },
    ],
  },
  {
    name: 'never saves up more than one burst',
    node: KILO,
    rows: [{ at: 1_000_000, cost: 1001, delay: 1 }],
  },
  {
    name: 'forgives debt past its bound',
    node: KILO,
    rows: [
      { at: 0, cost: 1_000_000, delay: 500 },
      { at: 500, cost: 1, delay: 1 },
    ],
  },
  {
    name: 'refunds nothing when the clock goes back, and never asks for more than the bound',
    node: KILO,
    rows: [
      { at: 5000, cost: 900, delay: 0 },
      { at: 4900, cost: 1, delay: 1 },
      { at: 4000, cost: 1, delay: 500 },
      { at: 0, cost: 1, delay: 500 },
      { at: 600, cost: 1, delay: 0 },
    ],
  },
  {
    name: 'does not starve when asked often: a fraction of a unit is kept',
    node: { intervalMs: 0.3, tauMs: 0.9, debtMaxMs: 500 },
    rows: Array.from({ length: 50 }, (_, i) => ({ at: i * 0.3, cost: 1, delay: 0 })),
  },
  {
    name: 'asks for ever where the rate is 0',
    node: CLOSED,
    rows: [
      { at: 0, cost: 1, delay: Infinity },
      { at: 1e9, cost: 1, delay: Infinity },
    ],
  },
  {
    name: 'never asks where there is no limit',
    node: UNLIMITED,
    rows: [{ at: 0, cost: 4e9, delay: 0 }],
  },
  {
    name: 'takes nothing for a cost of nothing, even in debt',
    node: KILO,
    rows: [
      { at: 0, cost: 1200, delay: 200 },
      { at: 0, cost: 0, delay: 0 },
      { at: 0, cost: 1, delay: 201 },
    ],
  },
];

/** What every implementation of the accounting does. */
export function describeAccounting(name: string, make: MakeAccounting): void {
  describe(`${name} accounting`, () => {
    describe('a charge', () => {
      for (const { name: rule, node, rows } of CHARGES) {
        it(rule, () => {
          const rig = new AccountingRig(make);
          rig.mode(0, 'THROTTLE');
          rig.set(0, 'bitrate', node);
          for (const { at, cost, delay } of rows) {
            expect(rig.accounting.account(0, cost, 0, 0, at), `at ${at} cost ${cost}`).toBeCloseTo(delay, 6);
          }
        });
      }

      it('counts every unit, and every charge that did not conform', () => {
        const rig = new AccountingRig(make);
        rig.set(0, 'bitrate', KILO);
        rig.set(0, 'client', UNLIMITED);
        rig.set(0, 'global', CLOSED);
        for (const at of [0, 1, 2]) rig.accounting.account(0, 600, 1, 0, at);
        expect(rig.node(0, 'bitrate', 'CHARGED')).toBe(1800);
        expect(rig.node(0, 'bitrate', 'VIOLATIONS')).toBe(2);
        expect(rig.node(0, 'client', 'CHARGED')).toBe(1800);
        expect(rig.node(0, 'client', 'VIOLATIONS')).toBe(0);
        expect(rig.node(0, 'global', 'CHARGED')).toBe(1800);
        expect(rig.node(0, 'global', 'TAT')).toBe(0);
        expect(rig.node(0, 'global', 'VIOLATIONS')).toBe(3);
        expect(rig.node(0, 'bitrate', 'LAST_AT')).toBe(2);
      });

      it('sees the violation even where no debt is remembered', () => {
        const rig = new AccountingRig(make);
        rig.mode(0, 'THROTTLE');
        rig.set(0, 'bitrate', { intervalMs: 1, tauMs: 100, debtMaxMs: 0 });
        expect(rig.accounting.account(0, 101, 1, 0, 0)).toBe(0);
        expect(rig.read(0, 'EXCEEDED')).toBe(bitOf('bitrate'));
      });
    });

    describe('a read', () => {
      it('counts its messages at once and is charged as one at its end', () => {
        const rig = new AccountingRig(make);
        rig.mode(0, 'THROTTLE');
        rig.set(0, 'bitrate', KILO);
        rig.accounting.admit(0, frame({ bytes: 800, keyframe: true }), 10);
        rig.accounting.admit(0, audio({ bytes: 300 }), 10);
        expect(rig.read(0, 'BYTES')).toBe(1100);
        expect(rig.node(0, 'bitrate', 'CHARGED')).toBe(0);
        expect(rig.accounting.settle(0, 10)).toBeCloseTo(100, 6);
        expect(rig.node(0, 'bitrate', 'CHARGED')).toBe(1100);
        expect(rig.read(0, 'VIOLATIONS')).toBe(1);
        expect(rig.accounting.settle(0, 10)).toBe(0);
        expect(rig.node(0, 'bitrate', 'CHARGED')).toBe(1100);
      });

      it('tells what it carried by kind', () => {
        const rig = new AccountingRig(make);
        rig.feed(
          0,
          42,
          frame({ header: true, frames: 0, keyframe: true, bytes: 40 }),
          frame({ keyframe: true, dts: 5 }),
          frame({ frames: 1, allFrames: 3, dts: 6 }),
          audio(),
          frame({ kind: KIND.DATA, frames: 0, bytes: 7, metadata: true }),
        );
        expect(rig.read(0, 'BYTES')).toBe(2147);
        expect(rig.read(0, 'OFFERED_BYTES')).toBe(2147);
        expect(rig.read(0, 'PACKETS')).toBe(5);
        expect(rig.read(0, 'OFFERED_PACKETS')).toBe(5);
        expect(rig.read(0, 'FRAMES')).toBe(4);
        expect(rig.read(0, 'KEYFRAMES')).toBe(1);
        expect(rig.read(0, 'VIDEO_PACKETS')).toBe(3);
        expect(rig.read(0, 'AUDIO_PACKETS')).toBe(1);
        expect(rig.read(0, 'DATA_PACKETS')).toBe(1);
        expect(rig.read(0, 'LAST_PACKET_AT')).toBe(42);
        expect(rig.read(0, 'LAST_DTS')).toBe(6);
        expect(rig.node(0, 'packets', 'CHARGED')).toBe(5);
        expect(rig.node(0, 'fpsWall', 'CHARGED')).toBe(2);
        expect(rig.node(0, 'fpsMedia', 'CHARGED')).toBe(2);
      });

      it('waits for the longest of its debts', () => {
        const rig = new AccountingRig(make);
        rig.mode(0, 'THROTTLE');
        rig.set(0, 'bitrate', { ...KILO, intervalMs: 0.1 });
        rig.set(0, 'packets', TEN);
        rig.set(0, 'ip', KILO);
        const packets = Array.from({ length: 22 }, () => audio({ bytes: 52 }));
        expect(rig.feed(0, 0, ...packets).delayMs).toBeCloseTo(200, 6);
        expect(rig.read(0, 'EXCEEDED')).toBe(bitOf('packets', 'ip'));
      });

      it('without a row or a node behind it is let through', () => {
        const rig = new AccountingRig(make);
        rig.mode(0, 'THROTTLE');
        rig.write(0, STREAM.NODE_BITRATE, -1);
        rig.write(0, STREAM.NODE_GLOBAL, 1e9);
        rig.write(0, STREAM.NODE_IP, Number.NaN);
        expect(rig.feed(0, 0, frame()).delayMs).toBe(0);
        expect(rig.feed(4_000_000_000, 0, frame())).toEqual({ admitted: [true], delayMs: 0 });
        expect(rig.accounting.account(4, 1, 1, 1, 0)).toBe(0);
      });
    });

    describe('modes', () => {
      const rows = [
        { mode: 'OBSERVE', own: 0, parent: 0 },
        { mode: 'THROTTLE', own: 200, parent: 200 },
        { mode: 'DROP', own: 0, parent: 0 },
        { mode: 'DISCONNECT', own: 0, parent: 200 },
      ] as const;
      for (const { mode, own, parent } of rows) {
        it(`${mode}: own debt is waited for ${own} ms, a parent's ${parent} ms, both are told`, () => {
          for (const [place, delayMs] of [
            ['bitrate', own],
            ['client', parent],
            ['global', parent],
          ] as const) {
            const rig = new AccountingRig(make);
            rig.mode(0, mode);
            rig.set(0, place, KILO);
            expect(rig.feed(0, 77, audio({ bytes: 1200 })).delayMs).toBeCloseTo(delayMs, 6);
            expect(rig.read(0, 'EXCEEDED')).toBe(bitOf(place));
            expect(rig.read(0, 'VIOLATIONS')).toBe(1);
            expect(rig.read(0, 'LAST_VIOLATION_AT')).toBe(77);
          }
        });
      }

      it('EXEMPT: charged and counted, never told, never waited for, never dropped', () => {
        for (const mode of ['THROTTLE', 'DROP'] as const) {
          const rig = new AccountingRig(make);
          rig.mode(0, mode);
          rig.exempt(0, true);
          for (const place of ['bitrate', 'fpsWall', 'fpsMedia', 'global'] as const)
            rig.set(0, place, CLOSED);
          rig.set(0, 'client', KILO);
          expect(rig.feed(0, 0, frame({ bytes: 5000 }))).toEqual({ admitted: [true], delayMs: 0 });
          expect(rig.node(0, 'client', 'CHARGED')).toBe(5000);
          expect(rig.node(0, 'client', 'TAT')).toBe(1500);
          expect(rig.node(0, 'client', 'VIOLATIONS')).toBe(0);
          expect(rig.read(0, 'EXCEEDED')).toBe(0);
          expect(rig.read(0, 'VIOLATIONS')).toBe(0);
        }
      });

      it('keeps constraints told until the control plane takes them', () => {
        const rig = new AccountingRig(make);
        rig.set(0, 'bitrate', KILO);
        rig.set(0, 'packets', TEN);
        rig.accounting.account(0, 1001, 1, 0, 0);
        rig.accounting.account(0, 0, 100, 0, 0);
        expect(rig.read(0, 'EXCEEDED')).toBe(bitOf('bitrate', 'packets'));
        rig.write(0, STREAM.EXCEEDED, 0);
        rig.accounting.account(0, 0, 1, 0, 0);
        expect(rig.read(0, 'EXCEEDED')).toBe(bitOf('packets'));
      });
    });

    it('charges a parent for all its streams, and each stream for itself', () => {
      const rig = new AccountingRig(make);
      for (const slot of [0, 1, 2]) {
        rig.mode(slot, 'THROTTLE');
        rig.set(slot, 'bitrate', KILO);
      }
      rig.set(0, 'client', KILO);
      expect(rig.feed(0, 0, audio({ bytes: 600 })).delayMs).toBe(0);
      expect(rig.feed(1, 0, audio({ bytes: 600 })).delayMs).toBeCloseTo(200, 6);
      expect(rig.feed(2, 0, audio({ bytes: 100 })).delayMs).toBeCloseTo(300, 6);
      expect(rig.read(0, 'EXCEEDED')).toBe(0);
      expect(rig.read(1, 'EXCEEDED')).toBe(bitOf('client'));
      expect(rig.node(1, 'bitrate', 'CHARGED')).toBe(600);
      expect(rig.node(1, 'client', 'CHARGED')).toBe(1300);
    });

    describeMediaClock(make);
    describeDropping(make);
  });
}

function describeMediaClock(make: MakeAccounting): void {
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

function describeDropping(make: MakeAccounting): void {
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
