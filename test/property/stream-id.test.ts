import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadNative } from '../../src/native/binding.ts';

/** The parser of SRT stream ids, native as it is, from outside: whatever is sent, and everything that is meant. */

const { parseStreamId } = loadNative();

const parse = (text: string) => parseStreamId(Buffer.from(text, 'latin1'));

const PUBLIC = 'abcxyzABCXYZ0189_-';
const UNRESERVED = `${PUBLIC}.~`;
const name = (alphabet: string, maxLength: number) =>
  fc
    .array(fc.constantFrom(...alphabet), { minLength: 1, maxLength })
    .map((characters) => characters.join(''));

const app = name(PUBLIC, 32);
const stream = name(UNRESERVED, 64);
const key = fc.option(name(UNRESERVED, 64), { nil: '' });

/** Pieces that stream ids are made of, so that random ones get past the first check. */
const pieces = fc.constantFrom(
  ...[
    '#!::',
    '#!',
    'r=',
    'm=',
    's=',
    'u=',
    't=',
    'h=',
    'publish',
    'request',
    'bidirectional',
    'stream',
    'srt://',
  ],
  ...[',', '&', ':', '/', '?', '=', 'key=', 'live', 'cam1', '.', '~', ' ', '%41', '\0', '\n', 'é', '"', '{'],
);
const texts = fc.oneof(
  fc.array(pieces, { maxLength: 24 }).map((parts) => parts.join('')),
  fc.string({ maxLength: 600 }),
);

describe('any bytes', () => {
  it('parse to names that are safe to use, or to an error that repeats none of them', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 700 }),
          texts.map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          const parsed = parseStreamId(bytes);
          if (parsed.error !== undefined) {
            expect(Object.keys(parsed)).toEqual(['error']);
            expect(parsed.error).toMatch(/^[a-z]+(_[a-z]+)*$/);
            return;
          }
          expect(parsed.app).toMatch(/^[A-Za-z0-9_-]{1,128}$/);
          expect(parsed.name).toMatch(/^[A-Za-z0-9._~-]{1,256}$/);
          for (const text of [parsed.key, parsed.user]) expect(text).toMatch(/^[\x20-\x7e]*$/);
          expect(bytes.length).toBeLessThanOrEqual(512);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('over 512, or with one that is not printable ASCII, are refused', () => {
    expect(parse('a'.repeat(513))).toEqual({ error: 'too_long' });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 255 }).filter((byte) => byte < 0x20 || byte > 0x7e),
        fc.nat({ max: 9 }),
        (byte, at) => {
          const bytes = Buffer.from('live/cam1?');
          bytes[at] = byte;
          expect(parseStreamId(bytes)).toEqual({ error: 'bad_byte' });
        },
      ),
    );
  });
});

describe('what is meant is understood', () => {
  const meant = fc.record({ app, stream, key, play: fc.boolean() });
  type Meant = typeof meant extends fc.Arbitrary<infer T> ? T : never;

  const forms: Record<string, (meant: Meant) => string> = {
    'the standard': ({ app, stream, key, play }) =>
      `#!::r=${app}/${stream},m=${play ? 'request' : 'publish'}${key === '' ? '' : `,s=${key}`}`,
    'the standard, in another order': ({ app, stream, key, play }) =>
      `#!::${key === '' ? '' : `s=${key},`}t=stream,m=${play ? 'request' : 'publish'},r=/${app}/${stream}`,
    'pairs by &': ({ app, stream, key, play }) =>
      `r=${app}/${stream}&m=${play ? 'request' : 'publish'}${key === '' ? '' : `&s=${key}`}`,
    'a verb': ({ app, stream, key, play }) =>
      `${play ? 'read' : 'publish'}:${app}/${stream}${key === '' ? '' : `:user:${key}`}`,
    'a path with a query': ({ app, stream, key, play }) =>
      `${app}/${stream}?mode=${play ? 'request' : 'publish'}${key === '' ? '' : `&key=${key}`}`,
    'a whole address': ({ app, stream, key, play }) =>
      `srt://example.com:8890/${app}/${stream}?key=${key}&m=${play ? 'request' : 'publish'}`,
  };

  it.each(Object.entries(forms))('as %s', (_, write) => {
    fc.assert(
      fc.property(meant, (wanted) => {
        const parsed = parse(write(wanted));
        const { app, stream, key, play } = wanted;
        expect(parsed).toMatchObject({ app, name: stream, key, play, modeGiven: true });
      }),
    );
  });

  it('as a name alone, which is published under live', () => {
    fc.assert(
      fc.property(stream, (name) => {
        expect(parse(name)).toEqual({ app: 'live', name, key: '', user: '', play: false, modeGiven: false });
      }),
    );
  });

  it('in the standard form without a mode as a request, in every other as a publish', () => {
    expect(parse('#!::r=live/cam1')).toMatchObject({ play: true, modeGiven: false });
    for (const text of [
      'live/cam1',
      '/live/cam1',
      'r=live/cam1',
      'live/cam1?key=k',
      'srt://host/live/cam1',
    ]) {
      expect(parse(text)).toMatchObject({ play: false, modeGiven: false });
    }
  });
});

it('what is not bytes is a mistake of the caller', () => {
  expect(() => parseStreamId('live/cam1' as never)).toThrow(TypeError);
  expect(() => parseStreamId(new Float64Array(1) as never)).toThrow(TypeError);
});
