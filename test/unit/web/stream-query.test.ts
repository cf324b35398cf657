import { describe, expect, test } from 'vitest';
import type { StreamSnapshot } from '../../../src/core/stream.ts';
import { fieldToken, hasToken, parseQuery, predicateOf, toggleToken } from '../../../web/streams/query.ts';
import { stream } from '../cli/top/samples.ts';

const CAM = stream('cam1', { client: 'alice', tier: 'pro', state: 'live' });
const STAGE = stream('stage', { client: 'bob', tier: null, state: 'throttled', protocol: 'srt' });
const FULL = stream('full', { client: '2001:db8::/64', state: 'dropping', utilization: { bitrate: 0.95 } });
const ALL = [CAM, STAGE, FULL];

function found(query: string, streams: readonly StreamSnapshot[] = ALL): string[] {
  return streams.filter(predicateOf(parseQuery(query))).map(({ name }) => name);
}

test.each<[query: string, names: string[]]>([
  ['', ['cam1', 'stage', 'full']],
  ['CAM', ['cam1']],
  ['live alice', ['cam1']],
  ['state:throttled', ['stage']],
  ['state:throttled state:dropping', ['stage', 'full']],
  ['state:throttled protocol:rtmp', []],
  ['client:alice', ['cam1']],
  ['client:al', []],
  ['client:2001:db8::/64', ['full']],
  ['tier:none -full', ['stage']],
  ['-state:live', ['stage', 'full']],
  ['>80%', ['full']],
  ['bitrate>80%', ['full']],
  ['fps>80%', []],
  ['-bitrate>80% protocol:rtmp', ['cam1']],
  ['bitrate<90% codec:h264', ['cam1', 'stage']],
])('%s finds what it says', (query, names) => {
  expect(found(query)).toEqual(names);
});

describe('what cannot be read as a term', () => {
  test.each(['>80', 'sort:up', 'constructor:x', 'toString>3%', ':', '-', '"', 'state:'])(
    '%s is a word',
    (text) => {
      const terms = parseQuery(text);
      expect(terms.every(({ kind }) => kind === 'word')).toBe(true);
      expect(() => found(text)).not.toThrow();
    },
  );

  test('is read no further than a box is long', () => {
    expect(parseQuery('x '.repeat(100_000)).length).toBeLessThanOrEqual(200);
  });
});

test('a share below the own limit is what counts as the limit', () => {
  const squeezed = stream('low', {
    usage: { bitrate_bps: 1_000_000 },
    limits: { max_bitrate_bps: 6_000_000 },
    share: { ceiling_bps: 1_000_000, by: 'global' },
    utilization: { bitrate: 0.17 },
  });
  expect(found('>99%', [squeezed])).toEqual(['low']);
  expect(found('by:global', [squeezed])).toEqual(['low']);
});

test('a value with spaces is written so that it is read back', () => {
  const token = fieldToken('client', 'big room');
  expect(token).toBe('client:"big room"');
  expect(parseQuery(`cam ${token}`)).toEqual([
    { not: false, kind: 'word', text: 'cam' },
    { not: false, kind: 'field', field: 'client', value: 'big room' },
  ]);
});

test('a token goes in at the end and out where it stands', () => {
  expect(toggleToken('cam', 'state:live')).toBe('cam state:live');
  expect(toggleToken('a State:Live b', 'state:live')).toBe('a b');
  expect(hasToken('a >80%', '>80%')).toBe(true);
  expect(hasToken('a >80', '>80%')).toBe(false);
});
