import { describe, expect, it } from 'vitest';
import { type Key, keysOf } from '../../../../src/cli/top/keys.ts';
import { shownStreams } from '../../../../src/cli/top/order.ts';
import { INITIAL, reduce, settle, type TopState } from '../../../../src/cli/top/state.ts';
import { momentOf, screenOf, stream } from './samples.ts';

const SCREEN = screenOf(80, 24);
const MOMENT = momentOf([
  stream('a', {
    uptime_ms: 3,
    usage: { bitrate_bps: 10, fps: 25, dropped_frames: 5 },
    utilization: { bitrate: 0.1, packets: 0.9 },
  }),
  stream('b', {
    uptime_ms: 1,
    usage: { bitrate_bps: 30, fps: 60, dropped_frames: 0 },
    utilization: { bitrate: 0.8 },
  }),
  stream('c', {
    uptime_ms: 2,
    usage: { bitrate_bps: 20, fps: 30, dropped_frames: 9 },
    utilization: { bitrate: 0.2 },
    client: 'bob',
  }),
]);

function press(state: TopState, ...keys: (Key | string)[]): TopState {
  const decoded = keys.flatMap((key): Key[] =>
    typeof key === 'string' && key.length === 1 ? [{ character: key }] : [key as Key],
  );
  return decoded.reduce((before, key) => reduce(before, key, MOMENT, SCREEN), settle(state, MOMENT, SCREEN));
}

function names(state: TopState): string {
  return shownStreams(MOMENT.streams, state)
    .map(({ name }) => name)
    .join('');
}

describe('keys to state', () => {
  it.each([
    ['b', 'bca'],
    ['u', 'abc'],
    ['f', 'bca'],
    ['n', 'abc'],
    ['t', 'acb'],
    ['d', 'cab'],
  ])('%s sorts', (key, order) => {
    const sorted = press({ ...INITIAL, reversed: true }, key);
    expect(names(sorted)).toBe(order);
    expect(names(press(sorted, 'r'))).toBe([...order].reverse().join(''));
  });

  it('filters as one types, until Enter keeps or Escape clears it', () => {
    const typing = press(INITIAL, '/', 'B', 'O', 'q', 'backspace');
    expect(typing).toMatchObject({ typing: true, filter: 'BO', quit: false });
    expect(names(typing)).toBe('c');
    expect(press(typing, 'enter')).toMatchObject({ typing: false, filter: 'BO' });
    expect(press(typing, 'enter', 'escape').filter).toBe('');
    expect(press(typing, 'escape')).toMatchObject({ typing: false, filter: '' });
    expect(press(typing, 'clear').filter).toBe('');
  });

  it('bounds what is typed', () => {
    expect(press({ ...INITIAL, typing: true }, ...'x'.repeat(500)).filter).toHaveLength(64);
  });

  it('moves the selection and stops at the ends', () => {
    expect(press(INITIAL).selectedId).toBe('s-b');
    expect(press(INITIAL, 'down').selectedId).toBe('s-c');
    expect(press(INITIAL, 'down', 'down', 'down', 'down').selectedId).toBe('s-a');
    expect(press(INITIAL, 'end').selectedId).toBe('s-a');
    expect(press(INITIAL, 'end', 'home', 'up').selectedId).toBe('s-b');
    expect(press(INITIAL, 'page-down').selectedId).toBe('s-a');
    expect(press(INITIAL, 'end', 'page-up').selectedId).toBe('s-b');
  });

  it('the selection follows its stream as rows move, and keeps its place when the stream leaves', () => {
    const chosen = press(INITIAL, 'down');
    expect(press(chosen, 'n')).toMatchObject({ selectedId: 's-c', selected: 2 });
    const without = momentOf(MOMENT.streams.filter(({ name }) => name !== 'c'));
    expect(settle(chosen, without, SCREEN)).toMatchObject({ selectedId: 's-a', selected: 1 });
    expect(settle(chosen, momentOf([]), SCREEN)).toMatchObject({ selectedId: null, selected: 0, offset: 0 });
  });

  it('keeps the selection in view when the screen shrinks', () => {
    const many = momentOf(Array.from({ length: 50 }, (_, at) => stream(`s${at}`)));
    const last = reduce(INITIAL, 'end', many, screenOf(80, 60));
    const settled = settle(last, many, screenOf(80, 10));
    expect(settled.selected).toBe(49);
    expect(settled.offset).toBe(46);
    expect(settle(settled, many, screenOf(80, 60)).offset).toBe(0);
  });

  it('help covers the table until any key', () => {
    const helped = press(INITIAL, '?');
    expect(helped.help).toBe(true);
    expect(press(helped, 'b')).toMatchObject({ help: false });
  });

  it('quits on q, and on Ctrl-C wherever one is', () => {
    expect(press(INITIAL, 'q').quit).toBe(true);
    expect(press({ ...INITIAL, typing: true }, 'quit').quit).toBe(true);
    expect(press({ ...INITIAL, help: true }, 'quit').quit).toBe(true);
  });

  it('ignores keys without a meaning', () => {
    const before = settle(INITIAL, MOMENT, SCREEN);
    expect(press(before, 'z', 'enter', 'backspace')).toEqual(before);
  });
});

describe('input to keys', () => {
  it.each<[string, Key[]]>([
    ['\x1b[A\x1bOB', ['up', 'down']],
    ['\x1b[5~\x1b[6~', ['page-up', 'page-down']],
    ['\x1b[H\x1b[F', ['home', 'end']],
    ['\x1b', ['escape']],
    ['\x03', ['quit']],
    ['q', [{ character: 'q' }]],
    ['é舞🎥', [{ character: 'é' }, { character: '舞' }, { character: '🎥' }]],
    ['\x7f\r', ['backspace', 'enter']],
    ['\x1b[1;5C\x1b[200~a', [{ character: 'a' }]],
    ['\x01\x02\u202e', []],
  ])('%j', (chunk, keys) => {
    expect(keysOf(chunk)).toEqual(keys);
  });
});
