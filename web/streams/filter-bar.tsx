import { useEffect, useRef } from 'preact/hooks';
import { STREAM_STATES, type StreamSnapshot } from '../../src/core/stream.ts';
import { count } from '../format.ts';
import type { Ordering, SortKey } from './order.ts';
import { descendsFirst } from './order.ts';
import { hasToken, toggleToken } from './query.ts';
import { mostUsed, NEAR } from './use.ts';

/** What is pressed most often: a token of the filter each, with how many streams it would show. */
function quickTokens(streams: readonly StreamSnapshot[]): { token: string; label: string; count: number }[] {
  const near = streams.filter((stream) => mostUsed(stream) > NEAR).length;
  const squeezed = streams.filter(({ share }) => share.by !== null).length;
  const states = STREAM_STATES.filter((state) => state !== 'live').map((state) => ({
    token: `state:${state}`,
    label: state,
    count: streams.filter((stream) => stream.state === state).length,
  }));
  return [
    { token: `>${NEAR * 100}%`, label: 'near or over a limit', count: near },
    ...states,
    { token: '-by:none', label: 'squeezed', count: squeezed },
  ];
}

const SORT_WORDS: Readonly<Partial<Record<SortKey, string>>> = {
  use: 'nearest to a limit',
  bitrate: 'bitrate',
  fps: 'frames',
  packets: 'packets',
  state: 'state',
  path: 'name',
  client: 'client',
  dropped: 'dropped frames',
  held: 'time held back',
  uptime: 'time up',
};

export interface FilterBarProps {
  /** all live streams */
  readonly streams: readonly StreamSnapshot[];
  readonly shown: number;
  readonly total: number;
  readonly ordering: Ordering;
  onOrder(ordering: Ordering): void;
}

export function FilterBar({ streams, shown, total, ordering, onOrder }: FilterBarProps) {
  const input = useRef<HTMLInputElement>(null);
  const { query } = ordering;
  const filter = (text: string) => onOrder({ ...ordering, query: text });
  useEffect(() => focusOnSlash(input.current!), []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      if (query === '') input.current?.blur();
      else filter('');
    } else if (event.key === 'ArrowDown' || event.key === 'Enter') {
      document.getElementById('streams-table')?.focus();
    } else return;
    event.preventDefault();
  };
  return (
    <div class="filter-bar">
      <input
        ref={input}
        type="search"
        aria-label="Filter streams"
        aria-keyshortcuts="/"
        placeholder="Filter: cam1 client:alice >80%"
        title="Words, state:, protocol:, client:, tier:, by:, ip:, app:, codec:, >80%, fps>80%; a leading - turns a term around"
        spellcheck={false}
        autocomplete="off"
        value={query}
        onInput={(event) => filter(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <fieldset class="quick" aria-label="Show only">
        {quickTokens(streams).map(({ token, label, count: many }) => {
          const pressed = hasToken(query, token);
          return many === 0 && !pressed ? null : (
            <button
              key={token}
              type="button"
              class="chip"
              aria-pressed={pressed}
              onClick={() => filter(toggleToken(query, token))}
            >
              {label} <b>{count(many)}</b>
            </button>
          );
        })}
      </fieldset>
      <label class="sort">
        Order
        <select
          value={ordering.sort}
          onChange={(event) => {
            const sort = event.currentTarget.value as SortKey;
            onOrder({ ...ordering, sort, descending: descendsFirst(sort) });
          }}
        >
          {Object.entries(SORT_WORDS).map(([sort, words]) => (
            <option key={sort} value={sort}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <span class="soft shown" role="status">
        {shown === total ? `${count(total)} streams` : `${count(shown)} of ${count(total)} streams`}
      </span>
    </div>
  );
}

/** `/` anywhere but where somebody types. */
function focusOnSlash(input: HTMLInputElement): () => void {
  const onKey = (event: KeyboardEvent) => {
    const typing = (event.target as Element).closest('input, textarea, select, dialog') !== null;
    if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
    input.select();
  };
  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
}
