import { describe, expect, it } from 'vitest';
import { Handshake } from '../../../src/ingest/rtmp/handshake.ts';
import { type HandshakeKind, makeC1, verifyS1S2 } from '../../support/rtmp-wire.ts';

const C2 = Buffer.alloc(1536, 9);

describe('the handshake', () => {
  it.each<[HandshakeKind]>([['simple'], ['digest0'], ['digest1']])(
    'answers a %s C1 as its kind demands',
    (kind) => {
      const c1 = makeC1(kind);
      const step = new Handshake().push(Buffer.concat([Buffer.from([3]), c1]));
      expect(step).toMatchObject({ problem: null, done: false, consumed: 1537 });
      const output = step.output as Buffer;
      expect(output).toHaveLength(3073);
      expect(output[0]).toBe(3);
      expect(verifyS1S2(kind, c1, output.subarray(1, 1537), output.subarray(1537))).toBe(true);
    },
  );

  it('answers many clients that are half way at the same time, each its own', () => {
    const clients = Array.from({ length: 8 }, (_, i) => ({
      kind: (['simple', 'digest0', 'digest1'] as const)[i % 3] as HandshakeKind,
      c1: makeC1((['simple', 'digest0', 'digest1'] as const)[i % 3] as HandshakeKind),
      handshake: new Handshake(),
    }));
    for (const { handshake, c1 } of clients)
      handshake.push(Buffer.concat([Buffer.from([3]), c1.subarray(0, 700)]));
    for (const { handshake, c1, kind } of clients) {
      const output = handshake.push(c1.subarray(700)).output as Buffer;
      expect(verifyS1S2(kind, c1, output.subarray(1, 1537), output.subarray(1537))).toBe(true);
    }
  });

  it('gives the same answer wherever the input is split', () => {
    const c1 = makeC1('simple');
    const all = Buffer.concat([Buffer.from([3]), c1, C2, Buffer.from('chunks')]);
    for (const cut of [1, 2, 700, 1536, 1537, 1538, 2000, 3072, 3073, 3075]) {
      const handshake = new Handshake();
      const first = handshake.push(all.subarray(0, cut));
      const second = handshake.push(all.subarray(cut));
      const output = Buffer.concat([first.output ?? Buffer.alloc(0), second.output ?? Buffer.alloc(0)]);
      expect(output).toEqual(Buffer.concat([Buffer.from([3]), c1, c1]));
      expect(first.done || second.done).toBe(true);
      expect(first.consumed + second.consumed).toBe(3073);
    }
  });

  it('takes one byte at a time, and an input is not kept', () => {
    const c1 = makeC1('digest1');
    const all = Buffer.concat([Buffer.from([3]), c1, C2]);
    const handshake = new Handshake();
    const one = Buffer.alloc(1);
    let output: Buffer | null = null;
    let done = false;
    for (const byte of all) {
      expect(done).toBe(false);
      one[0] = byte;
      const step = handshake.push(one);
      output = step.output ?? output;
      done = step.done;
    }
    expect(done).toBe(true);
    expect(
      verifyS1S2('digest1', c1, (output as Buffer).subarray(1, 1537), (output as Buffer).subarray(1537)),
    ).toBe(true);
  });

  it('leaves what follows C2 to the chunk stream', () => {
    const step = new Handshake().push(
      Buffer.concat([Buffer.from([3]), makeC1('simple'), C2, Buffer.from('rest')]),
    );
    expect(step).toMatchObject({ done: true, consumed: 3073 });
  });

  it.each([
    ['RTMPE', 6, /RTMPE/],
    ['TLS on the plain port', 0x16, /not RTMP/],
    ['HTTP', 0x47, /not RTMP/],
    ['version 0', 0, /not RTMP/],
  ])('refuses %s at its first byte', (_what, version, problem) => {
    const step = new Handshake().push(Buffer.of(version));
    expect(step.problem).toMatch(problem);
    expect(step).toMatchObject({ output: null, done: false });
  });

  it('waits for nothing when nothing came', () => {
    expect(new Handshake().push(Buffer.alloc(0))).toEqual({
      problem: null,
      output: null,
      done: false,
      consumed: 0,
    });
  });
});
