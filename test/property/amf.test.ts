import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AmfValue, decodeCommand, decodeMetadata, encodeAmf0 } from '../../src/ingest/rtmp/amf.ts';

const leaf: fc.Arbitrary<AmfValue> = fc.oneof(
  fc.double({ noNaN: true }),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
);

const value: fc.Arbitrary<AmfValue> = fc.letrec<{ value: AmfValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 6 }),
    fc
      .array(fc.tuple(fc.string({ minLength: 1, maxLength: 12 }), tie('value')), { maxLength: 6 })
      .map((entries) => new Map(entries)),
  ),
})).value;

/** Bytes that look like AMF more often than noise does: markers, small lengths, ends. */
const almostAmf = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '02000161',
        '00',
        '03',
        '000009',
        '08',
        '0a',
        '00000003',
        '07',
        '0000',
        '11',
        '0903',
        '0a0b',
        '0a13',
        '01',
        '0c',
        '10',
      ),
      fc.integer({ min: 0, max: 255 }).map((byte) => byte.toString(16).padStart(2, '0')),
    ),
    { maxLength: 400 },
  )
  .map((parts) => Buffer.from(`0200046361${'6c'.repeat(2)}${parts.join('')}`, 'hex'));

/** Walks a value as any consumer might, counting nodes; must end soon whatever was decoded. */
function sizeOf(decoded: AmfValue): number {
  if (Array.isArray(decoded)) return decoded.reduce<number>((total, item) => total + sizeOf(item), 1);
  if (decoded instanceof Map) return sizeOf([...decoded.values()]);
  return 1;
}

describe('AMF', () => {
  it('round-trips whatever can be encoded', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), fc.array(value, { maxLength: 4 }), (id, args) => {
        const decoded = decodeCommand(encodeAmf0(['call', id, ...args]), 20);
        if (!decoded.ok) {
          // the generator may exceed the bounds, and nothing else
          expect(['too_deep', 'too_many_values']).toContain(decoded.problem);
          return;
        }
        expect(decoded.transactionId).toBe(id);
        expect(decoded.args).toEqual(args);
      }),
      { numRuns: 300 },
    );
  });

  it('never throws, and never yields more than its bounds, on any bytes', () => {
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 600 }), almostAmf);
    fc.assert(
      fc.property(bytes, fc.constantFrom<17 | 20>(17, 20), (payload, type) => {
        const decoded = decodeCommand(payload, type);
        decodeMetadata(payload, type === 17 ? 15 : 18);
        if (decoded.ok) expect(sizeOf([...decoded.args])).toBeLessThanOrEqual(1_025);
      }),
      { numRuns: 3_000 },
    );
  });

  it('gives a failure or a shorter command for every prefix of a message, never an exception', () => {
    const message = encodeAmf0([
      'connect',
      1,
      new Map<string, AmfValue>([
        ['app', 'live'],
        ['list', [1, 'two', null, new Map([['three', 3]])]],
      ]),
    ]);
    for (let length = 0; length < message.length; length += 1) {
      const decoded = decodeCommand(message.subarray(0, length), 20);
      if (decoded.ok) expect(decoded.args).toHaveLength(0);
    }
    expect(decodeCommand(message, 20)).toMatchObject({ ok: true });
  });
});
