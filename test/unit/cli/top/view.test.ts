import { describe, expect, it } from 'vitest';
import { INITIAL, reduce, settle, type TopState } from '../../../../src/cli/top/state.ts';
import { widthOf } from '../../../../src/cli/top/text.ts';
import { renderFrame, renderOnce } from '../../../../src/cli/top/view.ts';
import { momentOf, STREAMS, screenOf, stream } from './samples.ts';

const MOMENT = momentOf(STREAMS);

function frame(columns: number, rows: number, state: TopState = INITIAL, moment = MOMENT): string[] {
  const screen = screenOf(columns, rows);
  return renderFrame(moment, settle(state, moment, screen), screen);
}

/** Select Graphic Rendition, the only escape that colours need. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what is looked for
const COLOURS = /\x1b\[[0-9;]*m/g;

describe('frames', () => {
  it.each([
    [40, 16],
    [80, 24],
    [140, 24],
  ])('%d columns by %d rows', async (columns, rows) => {
    await expect(`${frame(columns, rows).join('\n')}\n`).toMatchFileSnapshot(`golden/frame-${columns}.txt`);
  });

  it.each([110, 120])('once, in ASCII, as a pipe gets it, %d columns', async (columns) => {
    const lines = renderOnce(MOMENT, screenOf(columns, Number.POSITIVE_INFINITY, { unicode: false }));
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`golden/once-${columns}.txt`);
  });

  it('show the codecs from 99 columns on, and before that what is wanted more', () => {
    const titles = (columns: number): string => frame(columns, 24)[3] ?? '';
    expect(titles(99)).toContain('CODEC');
    expect(titles(98)).not.toContain('CODEC');
    for (const title of ['CLIENT', 'LIMIT', 'FPS', 'DROP', 'UP']) expect(titles(98)).toContain(title);
  });

  it('help', async () => {
    await expect(`${frame(80, 24, { ...INITIAL, help: true }).join('\n')}\n`).toMatchFileSnapshot(
      'golden/help-80.txt',
    );
  });

  it('fit every size of screen, in lines and in cells, with colours and without', () => {
    for (let columns = 1; columns <= 200; columns += 7) {
      for (const rows of [1, 2, 5, 8, 9, 13, 14, 40]) {
        for (const colour of [true, false]) {
          const screen = screenOf(columns, rows, { colour });
          const lines = renderFrame(MOMENT, settle(INITIAL, MOMENT, screen), screen);
          expect(lines.length).toBeLessThanOrEqual(rows);
          for (const line of lines)
            expect(widthOf(line.replaceAll(COLOURS, ''))).toBeLessThanOrEqual(columns);
        }
      }
    }
  });

  it('say the same with colours as without', () => {
    const screen = screenOf(100, 24, { colour: true });
    const coloured = renderFrame(MOMENT, settle(INITIAL, MOMENT, screen), screen);
    expect(coloured.join('')).toContain('\x1b[31mdropping');
    expect(coloured.map((line) => line.replaceAll(COLOURS, '').trimEnd())).toEqual(frame(100, 24));
  });

  it('never pass on an escape sequence out of a name, a reason or an error', () => {
    const evil = '\x1b]0;pwned\x07\x1b[2J';
    const moment = momentOf(
      [stream(evil, { client: evil, ip: evil, limits: { sources: { max_fps: evil } } })],
      {
        node: { id: evil, version: evil, uptimeMs: 0 },
        ready: false,
        reasons: [evil],
        problem: evil,
        configError: evil,
        denied: { [evil]: 3 },
      },
    );
    const state = { ...INITIAL, filter: '' };
    for (const typing of [true, false]) {
      expect(frame(140, 24, { ...state, typing }, moment).join('')).not.toMatch(/\p{Cc}/u);
      expect(frame(140, 24, { ...state, filter: evil, typing }, moment).join('')).not.toMatch(/\p{Cc}/u);
    }
  });

  it('say how the node is', () => {
    const first = (change: Parameters<typeof momentOf>[1]): string =>
      frame(100, 24, INITIAL, momentOf([], change))[0]!;
    expect(first({})).toContain('ready');
    expect(first({ gate: 'degraded', reasons: ['resource_cpu'] })).toContain(
      'ready, gate degraded: resource_cpu',
    );
    expect(first({ ready: false, reasons: ['draining'] })).toContain('NOT READY: draining');
    expect(first({ problem: 'connection refused' })).toContain('NO ANSWER: connection refused');
    expect(first({ configError: 'line 3' })).toContain('config not reloaded');
    expect(frame(100, 24, INITIAL, momentOf([], { denied: null }))[2]).toContain('not known');
  });

  it('say that there is nothing to show, or nothing that matches', () => {
    expect(frame(80, 24, INITIAL, momentOf([])).join('\n')).toContain('no streams');
    expect(frame(80, 24, { ...INITIAL, filter: 'zzz' }).join('\n')).toContain('no stream matches zzz');
  });

  it('scroll with the selection when rows overflow', () => {
    const moment = momentOf(
      Array.from({ length: 200 }, (_, at) => stream(`cam${String(at).padStart(3, '0')}`)),
    );
    const screen = screenOf(80, 24);
    let state = settle({ ...INITIAL, sort: 'name' }, moment, screen);
    for (let press = 0; press < 50; press += 1) state = reduce(state, 'down', moment, screen);
    const lines = renderFrame(moment, state, screen);
    expect(lines.filter((line) => line.startsWith('> '))).toHaveLength(1);
    expect(lines.find((line) => line.startsWith('> '))).toContain('/live/cam050');
    expect(lines.at(-1)).toContain('51/200');
  });
});
