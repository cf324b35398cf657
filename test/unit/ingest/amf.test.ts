import { describe, expect, it } from 'vitest';
import { type AmfProblem, decodeCommand, decodeMetadata, encodeAmf0 } from '../../../src/ingest/rtmp/amf.ts';
import { amf, be, Ecma } from '../../support/rtmp-wire.ts';

const problemOf = (payload: Buffer, type: 17 | 20 = 20): AmfProblem | null => {
  const decoded = decodeCommand(payload, type);
  return decoded.ok ? null : decoded.problem;
};

const command = (...args: Parameters<typeof amf>): Buffer => amf('call', 1, ...args);

const firstArgument = (payload: Buffer, type: 17 | 20 = 20): unknown => {
  const decoded = decodeCommand(payload, type);
  if (!decoded.ok) throw new Error(decoded.problem);
  return decoded.args[0];
};

describe('AMF 0 commands', () => {
  it('decodes the connect of an encoder', () => {
    const decoded = decodeCommand(
      amf('connect', 1, { app: 'live', tcUrl: 'rtmp://h/live', objectEncoding: 0 }),
      20,
    );
    expect(decoded).toEqual({
      ok: true,
      name: 'connect',
      transactionId: 1,
      args: [
        new Map<string, unknown>([
          ['app', 'live'],
          ['tcUrl', 'rtmp://h/live'],
          ['objectEncoding', 0],
        ]),
      ],
    });
  });

  it.each([
    ['long string', amf('x'.repeat(65_536 - 40)), 'x'.repeat(65_536 - 40)],
    ['strict array', amf([1, 'a', null]), [1, 'a', null]],
    ['date', Buffer.concat([Buffer.from([0x0b]), amf(1234.5).subarray(1), be(0, 2)]), 1234.5],
    ['xml document', Buffer.concat([Buffer.from([0x0f]), be(4, 4), Buffer.from('<a/>')]), '<a/>'],
    ['unsupported', Buffer.from([0x0d]), null],
    ['undefined', Buffer.from([0x06]), undefined],
    [
      'typed object',
      Buffer.concat([Buffer.from([0x10]), be(1, 2), Buffer.from('T'), amf({ a: 1 }).subarray(1)]),
      new Map([['a', 1]]),
    ],
    ['ECMA array', amf(new Ecma({ a: 1 })), new Map([['a', 1]])],
    ['ECMA array without its end', amf(new Ecma({ a: 1 })).subarray(0, -3), new Map([['a', 1]])],
    ['object with an empty key', amf({ '': 1 }), new Map([['', 1]])],
  ])('decodes %s', (_what, bytes, expected) => {
    expect(firstArgument(Buffer.concat([command(), bytes]))).toEqual(expected);
  });

  it('keeps keys like __proto__ as plain keys', () => {
    const hostile = amf({ ['__proto__']: { polluted: true }, constructor: 1, toString: 2 });
    const decoded = firstArgument(Buffer.concat([command(), hostile])) as Map<string, unknown>;
    expect([...decoded.keys()]).toEqual(['__proto__', 'constructor', 'toString']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each([['constructor'], ['__proto__'], ['toString']])('decodes a command called %s', (name) => {
    expect(decodeCommand(amf(name, 1, null), 20)).toMatchObject({ ok: true, name });
  });

  it.each<[string, Buffer, AmfProblem]>([
    ['nothing', Buffer.alloc(0), 'no_name'],
    ['a name that is a number', amf(1, 2), 'no_name'],
    ['an empty name', amf('', 2), 'no_name'],
    ['a string cut short', amf('connect').subarray(0, 6), 'truncated'],
    ['a number cut short', command(1).subarray(0, -1), 'truncated'],
    ['an object without end', Buffer.concat([command(), Buffer.from([3])]), 'truncated'],
    ['an unknown marker', Buffer.concat([command(), Buffer.from([0x33])]), 'unsupported_marker'],
    ['an object end out of place', Buffer.concat([command(), Buffer.from([9])]), 'unsupported_marker'],
    [
      'an array whose count lies',
      Buffer.concat([command(), Buffer.from([10]), be(0xffffffff, 4)]),
      'truncated',
    ],
    [
      'a long string whose length lies',
      Buffer.concat([command(), Buffer.from([12]), be(0xffffffff, 4)]),
      'truncated',
    ],
    ['a reference to nothing', Buffer.concat([command(), Buffer.from([7, 0, 9])]), 'bad_reference'],
    [
      'an object that holds itself',
      Buffer.concat([command(), Buffer.from([3, 0, 1, 0x61, 7, 0, 0, 0, 0, 9])]),
      'bad_reference',
    ],
    ['more than 64 KiB', Buffer.concat([command(), Buffer.alloc(65_536, 5)]), 'too_large'],
    ['two thousand values', Buffer.concat([command(), Buffer.alloc(2_000, 5)]), 'too_many_values'],
    ['two thousand array items', command(new Array(2_000).fill(null)), 'too_many_values'],
    ['seventeen levels', command(nested(17)), 'too_deep'],
    ['a thousand levels', Buffer.concat([command(), Buffer.alloc(60_000, '03000161', 'hex')]), 'too_deep'],
  ])('refuses %s', (_what, payload, problem) => {
    expect(problemOf(payload)).toBe(problem);
  });

  it('accepts sixteen levels', () => {
    expect(problemOf(command(nested(16)))).toBeNull();
  });

  it('counts what references stand for, so that none can stand for billions of values', () => {
    const refs = (object: number): Buffer =>
      Buffer.concat([Buffer.from([10]), be(40, 4), ...new Array(40).fill(Buffer.from([7, 0, object]))]);
    const bomb = Buffer.concat([command(), amf([1, 2]), refs(0), refs(1), refs(2), refs(3)]);
    expect(bomb.length).toBeLessThan(600);
    expect(problemOf(bomb)).toBe('too_many_values');
    expect(problemOf(Buffer.concat([command(), amf([1, 2]), refs(0)]))).toBeNull();
  });

  it('counts the levels behind a reference', () => {
    const inner = amf(nested(10));
    const outer = (levels: number): Buffer =>
      Buffer.concat([...new Array(levels).fill(Buffer.from([10, 0, 0, 0, 1])), Buffer.from([7, 0, 0])]);
    expect(problemOf(Buffer.concat([command(), inner, outer(6)]))).toBeNull();
    expect(problemOf(Buffer.concat([command(), inner, outer(7)]))).toBe('too_deep');
  });

  it.each([
    ['missing', amf('call'), 0],
    ['a string', amf('call', 'x'.repeat(1000)), 0],
    ['not a number', amf('call', Number.NaN), 0],
    ['ordinary', amf('call', 7), 7],
  ])('takes a transaction id that is %s as a finite number', (_what, payload, expected) => {
    expect(decodeCommand(payload, 20)).toMatchObject({ ok: true, transactionId: expected });
  });

  it('refuses 16 MB in no time', () => {
    const huge = Buffer.concat([command(), Buffer.from([10]), be(3_000_000, 4), Buffer.alloc(16_000_000, 5)]);
    const began = performance.now();
    expect(problemOf(huge)).toBe('too_large');
    expect(performance.now() - began).toBeLessThan(50);
  });
});

function nested(levels: number): Parameters<typeof amf>[0] {
  return levels === 0 ? null : [nested(levels - 1) as null];
}

describe('AMF 3 commands (type 17)', () => {
  const amf3 = (hex: string): Buffer =>
    Buffer.concat([Buffer.from([0]), command(), Buffer.from(`11${hex.replaceAll(' ', '')}`, 'hex')]);

  it('skips the leading zero, and lives without it', () => {
    const plain = amf('connect', 1, { app: 'live' });
    const decoded = decodeCommand(plain, 20);
    expect(decodeCommand(Buffer.concat([Buffer.from([0]), plain]), 17)).toEqual(decoded);
    expect(decodeCommand(plain, 17)).toEqual(decoded);
  });

  it.each([
    ['undefined', '00', undefined],
    ['null', '01', null],
    ['false', '02', false],
    ['true', '03', true],
    ['integer', '0405', 5],
    ['negative integer', '04ffffffff', -1],
    ['integer of two bytes', '048100', 128],
    ['integer of four bytes', '0480c08000', 1 << 21],
    ['double', '053ff8000000000000', 1.5],
    ['string', '060568 69', 'hi'],
    ['empty string', '0601', ''],
    ['date', '0801 4093480000000000', 1234],
    ['byte array', '0c05abcd', null],
    ['array', '0905010401 0402', [1, 2]],
    [
      'array with names',
      '0903 0361 0407 01 0402',
      new Map([
        ['a', 7],
        ['0', 2],
      ]),
    ],
    ['dynamic object', '0a0b01 0361 0401 01', new Map([['a', 1]])],
    ['object with traits', '0a13 01 0361 0409', new Map([['a', 9]])],
  ])('decodes %s', (_what, hex, expected) => {
    expect(firstArgument(amf3(hex), 17)).toEqual(expected);
  });

  it('follows references to strings, objects and traits', () => {
    const twice = '0905 01 0a1301 0361 0401 0a02';
    expect(firstArgument(amf3(twice), 17)).toEqual([new Map([['a', 1]]), new Map([['a', 1]])]);
    const sameTraits = '0905 01 0a1301 0361 0401 0a01 0402';
    expect(firstArgument(amf3(sameTraits), 17)).toEqual([new Map([['a', 1]]), new Map([['a', 2]])]);
    const sameString = '0905 01 060568 69 0600';
    expect(firstArgument(amf3(sameString), 17)).toEqual(['hi', 'hi']);
  });

  it.each<[string, string, AmfProblem]>([
    ['an externalizable object', '0a0701', 'unsupported_marker'],
    ['a vector', '0d0300', 'unsupported_marker'],
    ['a string reference to nothing', '0602', 'bad_reference'],
    ['an object reference to nothing', '0a02', 'bad_reference'],
    ['an array that holds itself', '09030109 00', 'bad_reference'],
    ['a count that lies', '09fffffffd01', 'truncated'],
    ['traits whose count lies', '0afffffff301', 'truncated'],
    ['a cut integer', '0480', 'truncated'],
    ['arrays in arrays', '090301'.repeat(40), 'too_deep'],
  ])('refuses %s', (_what, hex, problem) => {
    expect(problemOf(amf3(hex), 17)).toBe(problem);
  });
});

describe('metadata', () => {
  const fields = {
    width: 1280,
    height: 720,
    framerate: 30,
    videocodecid: 7,
    audiocodecid: 10,
    videodatarate: 2500,
  };
  const expected = {
    width: 1280,
    height: 720,
    framerate: 30,
    videoCodec: 7,
    audioCodec: 10,
    videoRateKbps: 2500,
    audioRateKbps: null,
  };

  it('is read behind @setDataFrame, alone, and in AMF 3 data', () => {
    expect(decodeMetadata(amf('@setDataFrame', 'onMetaData', new Ecma(fields)), 18)).toEqual(expected);
    expect(decodeMetadata(amf('onMetaData', fields), 18)).toEqual(expected);
    expect(decodeMetadata(Buffer.concat([Buffer.from([0]), amf('onMetaData', fields)]), 15)).toEqual(
      expected,
    );
  });

  it('understands codecs told by FourCC, as number or text', () => {
    const hvc1 = 0x68766331;
    expect(decodeMetadata(amf('onMetaData', { videocodecid: hvc1 }), 18)?.videoCodec).toBe(hvc1);
    expect(decodeMetadata(amf('onMetaData', { videocodecid: 'hvc1' }), 18)?.videoCodec).toBe(hvc1);
  });

  it('gives null for values that are no finite numbers', () => {
    const odd = {
      width: '1280',
      height: Number.NaN,
      framerate: Infinity,
      videocodecid: [1],
      audiocodecid: 'x',
    };
    expect(decodeMetadata(amf('onMetaData', odd), 18)).toEqual({
      width: null,
      height: null,
      framerate: null,
      videoCodec: null,
      audioCodec: null,
      videoRateKbps: null,
      audioRateKbps: null,
    });
  });

  it.each([
    ['another data message', amf('onTextData', {})],
    ['no object', amf('onMetaData', 1)],
    ['nothing', Buffer.alloc(0)],
    ['a name cut short', Buffer.from([2, 0, 10, 0x6f])],
    ['a name called __proto__', amf('__proto__', {})],
  ])('is null for %s', (_what, payload) => {
    expect(decodeMetadata(payload, 18)).toBeNull();
  });
});

describe('encoding', () => {
  it('writes what the specification says', () => {
    const values = ['_result', 1, null, undefined, true, false, 'é', [1, 'a']];
    const object = new Map<string, number | string>([
      ['level', 'status'],
      ['objectEncoding', 3],
    ]);
    expect(encodeAmf0([...values, object])).toEqual(amf(...values, { level: 'status', objectEncoding: 3 }));
  });

  it('switches to long strings past 65,535 bytes', () => {
    const text = 'x'.repeat(70_000);
    expect(encodeAmf0([text])).toEqual(amf(text));
  });

  it('refuses a key that AMF 0 cannot express', () => {
    expect(() => encodeAmf0([new Map([['k'.repeat(65_536), 1]])])).toThrow(RangeError);
  });
});
