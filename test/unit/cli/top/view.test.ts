import { describe, expect, it } from 'vitest';
import { gateReading } from '../../../../src/app/governance-view.ts';
import { INITIAL, reduce, settle, type TopState } from '../../../../src/cli/top/state.ts';
import { widthOf } from '../../../../src/cli/top/text.ts';
import { renderFrame, renderOnce } from '../../../../src/cli/top/view.ts';
import { calmGovernor, pressedGovernor } from '../../../support/governor-snapshot.ts';
import { machineOf, momentOf, STREAMS, screenOf, stream } from './samples.ts';

const MOMENT = momentOf(STREAMS);

const PRESSED = machineOf(pressedGovernor());
const ELEVATED = machineOf(
  calmGovernor({
    gate: { ...calmGovernor().gate, state: 'elevated', pressure: 0.4 },
    resources: {
      ...calmGovernor().resources,
      cpu: { ...calmGovernor().resources.cpu, value: 0.84, state: 'elevated', pressure: 0.4 },
    },
  }),
);

/** A machine whose CPU burns, and streams that are held below their limits for it. */
const TROUBLE = momentOf(
  [
    stream('guest', {
      priority: 50,
      state: 'throttled',
      usage: { bitrate_bps: 640_000 },
      share: { ceiling_bps: 650_000, by: 'shed' },
    }),
    stream('greedy', {
      state: 'throttled',
      usage: { bitrate_bps: 1_090_000 },
      share: { ceiling_bps: 1_100_000, by: 'global' },
    }),
    stream('second', {
      client: 'bob',
      usage: { bitrate_bps: 1_500_000 },
      limits: { max_bitrate_bps: null },
      share: { ceiling_bps: 2_000_000, by: 'client' },
    }),
    stream('modest', { usage: { bitrate_bps: 600_000 }, utilization: { bitrate: 0.1 } }),
  ],
  { machine: PRESSED, ready: false, reasons: ['resource_cpu'] },
);

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

  it.each([40, 80])('a machine in trouble, %d columns', async (columns) => {
    const lines = frame(columns, 24, { ...INITIAL, sort: 'squeeze' }, TROUBLE);
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`golden/trouble-${columns}.txt`);
  });

  it.each([110, 120])('once, in ASCII, as a pipe gets it, %d columns', async (columns) => {
    const lines = renderOnce(MOMENT, screenOf(columns, Number.POSITIVE_INFINITY, { unicode: false }));
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`golden/once-${columns}.txt`);
  });

  it('show the codecs from 99 columns on, and before that what is wanted more', () => {
    const titles = (columns: number): string => frame(columns, 24)[5] ?? '';
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
      for (const rows of [1, 2, 5, 9, 10, 15, 16, 40]) {
        for (const [colour, moment] of [
          [true, MOMENT],
          [false, MOMENT],
          [true, TROUBLE],
        ] as const) {
          const screen = screenOf(columns, rows, { colour });
          const lines = renderFrame(moment, settle(INITIAL, moment, screen), screen);
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
    expect(first({})).toContain('ready, gate open');
    expect(first({ machine: ELEVATED })).toContain('ready, gate degraded: resource_cpu');
    expect(first({ machine: PRESSED, ready: false, reasons: ['resource_cpu'] })).toContain(
      'GATE CLOSED: resource_cpu, opens in 4.2s',
    );
    const draining = { ...PRESSED, gate: gateReading(pressedGovernor(), '2026-11-20T22:00:00.000Z') };
    expect(first({ machine: draining, ready: false, reasons: ['draining'] })).toContain(
      'NOT READY: draining',
    );
    expect(first({ problem: 'connection refused' })).toContain('NO ANSWER: connection refused');
    expect(first({ configError: 'line 3' })).toContain('config not reloaded');
    expect(frame(100, 24, INITIAL, momentOf([], { denied: null }))[4]).toContain('not known');
  });

  const line = (at: number, change: Parameters<typeof calmGovernor>[0], columns = 100): string =>
    frame(columns, 24, INITIAL, momentOf([], { machine: machineOf(calmGovernor(change)) }))[at]!;

  it('put what presses in front, hardest first, and say it without colours, too', () => {
    expect(frame(30, 24, INITIAL, TROUBLE)[1]).toBe('cpu █████ 93%!!');
    expect(frame(100, 24, INITIAL, TROUBLE)[1]).toMatch(
      /^cpu \S+ 93%!! {2}event_loop \S+ 92ms! {2}heap \S+ 41% {2}memory \S+ 55% {2}reserved for 3: 12% cpu$/,
    );
  });

  it('tell a resource that is off from one of which nothing is known', () => {
    const { resources } = calmGovernor();
    const off = { ...resources.heap, value: null, degrade: null, close: null };
    const blind = { ...resources.memory, value: null, state: 'elevated', cause: 'no sample' } as const;
    const shown = line(1, { resources: { ...resources, heap: off, memory: blind } });
    expect(shown).not.toContain('heap');
    expect(shown).toMatch(/^memory not known!/);
    const none = { cpu: off, heap: off, memory: off, event_loop: off };
    expect(line(1, { resources: none })).toBe('resources are not looked at');
    const reservations = { ...calmGovernor().reservations, pending: 2, cpu: 0.01 };
    expect(line(1, { resources: none, reservations })).toBe('resources are not looked at');
  });

  it('tell what streams may send together, and why that is less than is configured', () => {
    const { shares, adaptive } = pressedGovernor();
    expect(line(2, { shares, adaptive })).toContain('0 bps of 1.28 Gbps in  factor 64% for cpu');
    expect(line(2, { shares: { ...shares, budget_bps: null } })).toMatch(/^0 bps in {2}0 streams/);
    expect(line(2, { adaptive: { ...adaptive, enabled: false } })).not.toContain('factor');
  });

  it('tell who is squeezed by what, who is shed, and by whose order', () => {
    expect(line(3, {})).toBe('nobody squeezed');
    const { shares, shedding } = pressedGovernor();
    expect(line(3, { shares, shedding })).toBe(
      'shed p10: 2 cut, p50: 1 at 25%  squeezed 4 global 1 client 2 shed',
    );
    expect(line(3, { shedding })).toBe('shed p10: 2 cut, p50: 1 at 25%');
    const order = { mode: 'shed', below_priority: 50, until: '2026-11-20T21:50:00.000Z' } as const;
    expect(line(3, { shedding: { ...shedding, order } })).toMatch(
      /^ordered: shed below 50 until 11-20 21:50Z {2}shed p10/,
    );
    const off = { mode: 'off', below_priority: null, until: null } as const;
    expect(line(3, { shedding: { ...shedding, order: off } })).toMatch(/^ordered: no shedding {2}/);
  });

  it('never hide who is cut, however many and however narrow the screen', () => {
    const { shares } = pressedGovernor();
    const cohorts = [10, 50, 90].flatMap((priority) =>
      Array.from({ length: 8 }, (_, cohort) => ({ priority, cohort, ceiling: 0 })),
    );
    const shedding = { ...calmGovernor().shedding, active: true, cohorts };
    const machine = { ...MOMENT.machine, shares, shedding };
    for (const columns of [40, 80]) {
      const told = frame(columns, 24, INITIAL, { ...MOMENT, machine })[3];
      expect(told).toMatch(/^shed p10: 8 cut, p50: 8 cut/);
    }
  });

  it('show a share only while it is below the own limit, and BY only while somebody is held', () => {
    const shown = (change: Parameters<typeof stream>[1]): string =>
      frame(80, 24, INITIAL, momentOf([stream('one', change)]))
        .slice(5, 7)
        .join('\n');
    expect(shown({})).not.toContain(' BY ');
    expect(shown({ share: { ceiling_bps: 7_000_000, by: 'global' } })).not.toContain(' BY ');
    expect(shown({ share: { ceiling_bps: 3_000_000, by: 'client' } })).toMatch(/87% 3\.00 Mbps client/);
    const unlimited = { limits: { max_bitrate_bps: null }, utilization: { bitrate: 0 } };
    expect(shown({ ...unlimited, share: { ceiling_bps: 5_220_000, by: 'shed' } })).toMatch(
      /50% 5\.22 Mbps shed/,
    );
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
