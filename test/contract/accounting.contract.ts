import { describe, expect, it } from 'vitest';
import { KIND } from '../../src/core/meter/accounting.ts';
import { STREAM } from '../../src/core/meter/slab-layout.ts';
import {
  AccountingRig,
  audio,
  bitOf,
  CLOSED,
  frame,
  KILO,
  type MakeAccounting,
  TEN,
  UNLIMITED,
} from '../support/accounting-rig.ts';
import { describeDatagrams } from './accounting-datagrams.contract.ts';
import { describeDropping } from './accounting-dropping.contract.ts';
import { describeMediaClock } from './accounting-media-clock.contract.ts';

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

      it('is owed until it is repaid, and goes on being exceeded', () => {
        const rig = new AccountingRig(make);
        rig.mode(0, 'THROTTLE');
        rig.set(0, 'bitrate', KILO);
        rig.accounting.account(0, 1300, 1, 0, 0);
        rig.write(0, STREAM.EXCEEDED, 0);
        const before = [...rig.nodes];
        expect(rig.accounting.owed(0, 100)).toBe(200);
        expect(rig.read(0, 'EXCEEDED')).toBe(bitOf('bitrate'));
        rig.write(0, STREAM.EXCEEDED, 0);
        expect(rig.accounting.owed(0, 300)).toBe(0);
        expect(rig.read(0, 'EXCEEDED')).toBe(0);
        expect([...rig.nodes]).toEqual(before);
        expect(rig.read(0, 'LAST_PACKET_AT')).toBe(0);
      });

      it('is owed by those it slows alone', () => {
        const rig = new AccountingRig(make);
        rig.set(0, 'bitrate', KILO);
        rig.set(0, 'client', KILO);
        rig.set(0, 'global', CLOSED);
        rig.accounting.account(0, 1300, 1, 0, 0);
        const owed = (['OBSERVE', 'THROTTLE', 'DROP', 'DISCONNECT'] as const).map((mode) => {
          rig.mode(0, mode);
          return rig.accounting.owed(0, 0);
        });
        expect(owed).toEqual([0, Infinity, 0, Infinity]);
        rig.set(0, 'global', UNLIMITED);
        rig.set(0, 'client', UNLIMITED);
        expect(rig.accounting.owed(0, 0)).toBe(0);
        rig.mode(0, 'THROTTLE');
        expect(rig.accounting.owed(0, 0)).toBe(300);
        rig.exempt(0, true);
        expect(rig.accounting.owed(0, 0)).toBe(0);
      });

      it('of nothing owes nothing, even to a limit of rate 0', () => {
        const rig = new AccountingRig(make);
        rig.mode(0, 'THROTTLE');
        rig.set(0, 'packets', CLOSED);
        rig.set(0, 'bitrate', KILO);
        expect(rig.accounting.owed(0, 0)).toBe(0);
        expect(rig.accounting.owed(4, 0)).toBe(0);
        expect(rig.accounting.owed(-1 >>> 0, 0)).toBe(0);
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
    describeDatagrams(make);
    describeDropping(make);
  });
}
