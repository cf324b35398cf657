/**
 * The view of `headgate top`: a moment, what the reader chose, and a screen in;
 * lines of text out. Pure, so that a frame is tested as text.
 */

import { heldTo } from '../../core/held.ts';
import type { StreamSnapshot } from '../../core/stream.ts';
import { detailLines } from './detail.ts';
import type { Screen, TopMoment } from './moment.ts';
import { nodeLines } from './node-lines.ts';
import { SORTS, shownStreams } from './order.ts';
import { regionsOf } from './regions.ts';
import { INITIAL, type TopState } from './state.ts';
import { tableLines } from './table.ts';
import { joinFitting, type Line, paint, type Span, span } from './text.ts';

const HELP: readonly (readonly [keys: string, does: string])[] = [
  ['Up Down PgUp PgDn', 'choose a stream'],
  ['Home End', 'the first, the last'],
  ['b u f', 'sort by bitrate, utilization, frames per second'],
  ['n t d s', 'sort by name, uptime, dropped frames, squeeze'],
  ['r', 'turn the order round'],
  ['/', 'filter by path, client, id, address, protocol, state'],
  ['Esc', 'clear the filter'],
  ['q, Ctrl-C', 'quit'],
  ['live', 'within its limits'],
  ['throttled', 'slowed down to its limit; HELD is for how long'],
  ['exceeding', 'over a limit without being slowed'],
  ['dropping', 'losing frames; DROP counts them'],
  ['closing', 'told to go'],
  ['BY', 'holds it below its limit: fair share (global, client), shed'],
  ['! !!', 'elevated, critical; a bar is full where the gate closes'],
];

/** One frame: at most `screen.rows` lines, each at most `screen.columns` cells. */
export function renderFrame(moment: TopMoment, state: TopState, screen: Screen): string[] {
  const regions = regionsOf(screen);
  const shown = shownStreams(moment.streams, state);
  const inView = shown.slice(state.offset, state.offset + regions.table);
  const body = state.help ? helpLines() : tableLines(inView, state.selectedId, anySqueezed(shown), screen);
  if (!state.help && shown.length === 0) body.push({ spans: [span(emptiness(state), 'dim')] });
  const lines: Line[] = [
    ...nodeLines(moment, screen).slice(0, regions.header),
    ...filled(body, regions.table + 1),
    ...filled(detailLines(shown[state.selected], screen.columns), regions.detail),
    ...[footer(state, shown.length, screen)].slice(0, regions.footer),
  ];
  return lines.slice(0, screen.rows).map((line) => paint(line, screen.columns, screen.colour));
}

/** Everything once, for `--once` and for output that is no terminal: no selection, no keys. */
export function renderOnce(moment: TopMoment, screen: Screen): string[] {
  const streams = shownStreams(moment.streams, INITIAL);
  const lines = [...nodeLines(moment, screen), ...tableLines(streams, null, anySqueezed(streams), screen)];
  if (streams.length === 0) lines.push({ spans: [span(emptiness(INITIAL), 'dim')] });
  return lines.map((line) => paint(line, screen.columns, screen.colour));
}

/** Of all that are shown, so that scrolling moves no columns. */
function anySqueezed(streams: readonly StreamSnapshot[]): boolean {
  return streams.some((stream) => heldTo(stream).by !== null);
}

function emptiness({ filter }: TopState): string {
  return filter === '' ? '  no streams' : `  no stream matches ${filter}`;
}

function helpLines(): Line[] {
  return HELP.map(([keys, does]) => ({ spans: [span(`  ${keys.padEnd(19)}`, 'accent'), span(does)] }));
}

function footer(state: TopState, shown: number, screen: Screen): Line {
  if (state.typing) return { spans: [span('filter: ', 'bold'), span(state.filter), span('_', 'dim')] };
  const place = shown === 0 ? '0/0' : `${state.selected + 1}/${shown}`;
  const order = `by ${SORTS[state.sort].label}${state.reversed ? ' reversed' : ''}`;
  const filter: Span[][] = state.filter === '' ? [] : [[span(`/${state.filter}`, 'warn')]];
  const keys = ['q quit', '? help', '/ filter', 'b u f n t d s sort', 'r reverse'].map((key) => [
    span(key, 'dim'),
  ]);
  return { spans: joinFitting([[span(place)], [span(order)], ...filter, ...keys], screen.columns) };
}

/** Exactly `height` lines. */
function filled(lines: readonly Line[], height: number): Line[] {
  if (height === Number.POSITIVE_INFINITY) return [...lines];
  return Array.from({ length: height }, (_, index) => lines[index] ?? { spans: [] });
}
