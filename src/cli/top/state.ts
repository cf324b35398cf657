/**
 * What the reader of `headgate top` has chosen, and how keys change it. Pure:
 * the terminal feeds keys in and draws what comes out.
 */
import type { StreamSnapshot } from '../../core/stream.ts';
import type { Key } from './keys.ts';
import type { Screen, TopMoment } from './moment.ts';
import { type Ordering, SORTS, type Sort, shownStreams } from './order.ts';
import { tableHeight } from './regions.ts';

export interface TopState extends Ordering {
  /** keys go into the filter */
  readonly typing: boolean;
  readonly help: boolean;
  /** the chosen stream, followed as rows move; null when there is none */
  readonly selectedId: string | null;
  /** its place among the shown streams */
  readonly selected: number;
  /** the first shown stream that is on the screen */
  readonly offset: number;
  readonly quit: boolean;
}

export const INITIAL: TopState = {
  sort: 'bitrate',
  reversed: false,
  filter: '',
  typing: false,
  help: false,
  selectedId: null,
  selected: 0,
  offset: 0,
  quit: false,
};

/** Characters of a filter: more than any path that a row could show. */
const FILTER_MAX = 64;

/** The state after a key. */
export function reduce(state: TopState, key: Key, moment: TopMoment, screen: Screen): TopState {
  if (key === 'quit') return { ...state, quit: true };
  const next = state.typing ? typed(state, key) : state.help ? helped(state) : commanded(state, key, screen);
  return settle(next, moment, screen);
}

/**
 * The state fitted to a new moment or screen: the selection follows its stream,
 * or keeps its place when the stream is gone, and stays in view.
 */
export function settle(state: TopState, moment: TopMoment, screen: Screen): TopState {
  const shown = shownStreams(moment.streams, state);
  const selected = placeOf(shown, state);
  const height = tableHeight(screen);
  const offsetMax = Math.max(0, shown.length - height);
  const offset = Math.min(offsetMax, Math.max(Math.min(state.offset, selected), selected - height + 1));
  return { ...state, selected, offset: Math.max(0, offset), selectedId: shown[selected]?.id ?? null };
}

function placeOf(shown: readonly StreamSnapshot[], state: TopState): number {
  const place = shown.findIndex(({ id }) => id === state.selectedId);
  if (place >= 0) return place;
  return Math.max(0, Math.min(state.selected, shown.length - 1));
}

function typed(state: TopState, key: Key): TopState {
  if (typeof key === 'object') {
    return { ...state, filter: [...state.filter, key.character].slice(0, FILTER_MAX).join('') };
  }
  if (key === 'enter') return { ...state, typing: false };
  if (key === 'escape') return { ...state, typing: false, filter: '' };
  if (key === 'backspace') return { ...state, filter: [...state.filter].slice(0, -1).join('') };
  if (key === 'clear') return { ...state, filter: '' };
  return state;
}

function helped(state: TopState): TopState {
  return { ...state, help: false };
}

function commanded(state: TopState, key: Key, screen: Screen): TopState {
  const page = Math.max(1, tableHeight(screen) - 1);
  switch (key) {
    case 'up':
      return moved(state, -1);
    case 'down':
      return moved(state, 1);
    case 'page-up':
      return moved(state, -page);
    case 'page-down':
      return moved(state, page);
    case 'home':
      return moved(state, Number.NEGATIVE_INFINITY);
    case 'end':
      return moved(state, Number.POSITIVE_INFINITY);
    case 'escape':
      return { ...state, filter: '' };
    default:
      return typeof key === 'object' ? lettered(state, key.character) : state;
  }
}

/** The place wins over the stream: `settle` brings it into range and finds whose it is. */
function moved(state: TopState, by: number): TopState {
  return { ...state, selectedId: null, selected: state.selected + by };
}

function lettered(state: TopState, character: string): TopState {
  if (character === 'q') return { ...state, quit: true };
  if (character === '?') return { ...state, help: true };
  if (character === '/') return { ...state, typing: true };
  if (character === 'r') return { ...state, reversed: !state.reversed };
  const sort = (Object.keys(SORTS) as Sort[]).find((name) => SORTS[name].key === character);
  return sort === undefined ? state : { ...state, sort, reversed: false };
}
