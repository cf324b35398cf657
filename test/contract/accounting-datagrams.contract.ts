import { describe, expect, it } from 'vitest';
import { AccountingRig, audio, bitOf, frame, KILO, type MakeAccounting } from '../support/accounting-rig.ts';

/** What differs for a transport of datagrams: a frame arrives in several of them, and its sender cannot be slowed. */
export function describeDatagrams(make: MakeAccounting): void {
  describe('frames in several parts', () => {
    it('a datagram in two parts is one packet, to the counters and to the packet rate', () => {
      const rig = new AccountingRig(make);
      rig.set(0, 'packets', KILO);
      rig.feed(0, 5, audio({ bytes: 188 }), frame({ bytes: 1128, packets: 0 }));
      expect(rig.read(0, 'PACKETS')).toBe(1);
      expect(rig.read(0, 'OFFERED_PACKETS')).toBe(1);
      expect(rig.read(0, 'AUDIO_PACKETS')).toBe(1);
      expect(rig.read(0, 'VIDEO_PACKETS')).toBe(0);
      expect(rig.read(0, 'BYTES')).toBe(1316);
      expect(rig.node(0, 'packets', 'CHARGED')).toBe(1);
      expect(rig.node(0, 'bitrate', 'CHARGED')).toBe(1316);
    });

    it('the rest of a refused frame is counted as dropped, once, and charged to nobody', () => {
      const rig = new AccountingRig(make);
      rig.mode(0, 'DROP');
      rig.set(0, 'bitrate', KILO);
      rig.admit(0, 0, frame({ bytes: 990 }));
      expect(rig.admit(0, 0, frame({ bytes: 20 }))).toBe(false);
      const before = [...rig.nodes];
      rig.accounting.refuse(0, 1316, 1, 7);
      expect([...rig.nodes]).toEqual(before);
      expect(rig.read(0, 'DROPPED_BYTES')).toBe(1336);
      expect(rig.read(0, 'DROPPED_PACKETS')).toBe(2);
      expect(rig.read(0, 'DROPPED_FRAMES')).toBe(1);
      expect(rig.read(0, 'VIOLATIONS')).toBe(1);
      expect(rig.read(0, 'OFFERED_BYTES')).toBe(2326);
      expect(rig.read(0, 'OFFERED_PACKETS')).toBe(3);
      expect(rig.read(0, 'LAST_PACKET_AT')).toBe(7);
      rig.accounting.refuse(99, 1, 1, 8);
    });
  });

  describe('a stream that cannot be slowed', () => {
    function lossyRig(place: 'bitrate' | 'client'): AccountingRig {
      const rig = new AccountingRig(make);
      rig.mode(0, 'DISCONNECT');
      rig.lossy(0, true);
      rig.set(0, place, KILO);
      return rig;
    }

    it('drops video for a budget that it shares, though its own excess would have it cut', () => {
      const rig = lossyRig('client');
      expect(rig.feed(0, 0, frame({ bytes: 990, keyframe: true }))).toEqual({ admitted: [true], delayMs: 0 });
      expect(rig.admit(0, 0, frame({ bytes: 20 }))).toBe(false);
      expect(rig.admit(0, 0, audio({ bytes: 20 }))).toBe(true);
      expect(rig.read(0, 'DROP_CAUSE')).toBe(bitOf('client'));
      expect(rig.admit(0, 900, frame({ bytes: 20 }))).toBe(false);
      expect(rig.admit(0, 900, frame({ bytes: 20, keyframe: true }))).toBe(true);
    });

    it('drops nothing for its own limits, and goes on exceeding them', () => {
      const rig = lossyRig('bitrate');
      expect(rig.feed(0, 0, frame({ bytes: 5000 }), frame({ bytes: 10, disposable: true })).admitted).toEqual(
        [true, true],
      );
      expect(rig.read(0, 'EXCEEDED')).toBe(bitOf('bitrate'));
      expect(rig.read(0, 'DROPPED_PACKETS')).toBe(0);
    });

    it('always lets audio pass under drop, until audio itself is the flood; then holds that to the limit', () => {
      const rig = lossyRig('bitrate');
      rig.mode(0, 'DROP');
      expect(rig.admit(0, 0, frame({ bytes: 1440 }))).toBe(false);
      for (const at of [0, 0, 0]) expect(rig.admit(0, at, audio({ bytes: 480 }))).toBe(true);
      expect(rig.admit(0, 0, audio({ bytes: 20 }))).toBe(true);
      expect(rig.admit(0, 0, audio({ bytes: 1 }))).toBe(false);
      expect(rig.read(0, 'DROP_CAUSE')).toBe(bitOf('bitrate'));
      expect(rig.read(0, 'DROPPING')).toBe(1);
      expect(rig.admit(0, 0, audio({ bytes: 1, header: true }))).toBe(true);
      expect(rig.admit(0, 20, audio({ bytes: 1 }))).toBe(true);
      rig.lossy(0, false);
      expect(rig.admit(0, 20, audio({ bytes: 5000 }))).toBe(true);
      expect(rig.admit(0, 20, audio({ bytes: 5000 }))).toBe(true);
    });

    it('observing, it drops nothing', () => {
      const rig = lossyRig('client');
      rig.mode(0, 'OBSERVE');
      expect(rig.feed(0, 0, frame({ bytes: 5000 }), frame({ bytes: 10 })).admitted).toEqual([true, true]);
      expect(rig.read(0, 'EXCEEDED')).toBe(bitOf('client'));
    });
  });
}
