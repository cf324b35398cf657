/** An answer of the API, asked again at an interval while it is shown and the tab is seen. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useInterval } from '../hooks.ts';
import { ApiError, ask } from './api.ts';
import { useCell } from './cell.ts';
import { token, tokenWanted } from './session.ts';

export interface Asked<T> {
  /** the last answer; null before the first. It stays while later ones fail. */
  readonly answer: T | null;
  /** what went wrong last; null after an answer */
  readonly error: ApiError | null;
  /** Asks again now. */
  again(): void;
}

/** `path` null asks nothing. `everyMs` Infinity asks once. */
export function useAsk<T>(path: string | null, everyMs: number): Asked<T> {
  const [state, setState] = useState<{ path: string | null; answer: T | null; error: ApiError | null }>({
    path,
    answer: null,
    error: null,
  });
  const running = useRef<AbortController | null>(null);
  const asToken = useCell(token);
  const again = (): void => {
    if (path === null || document.hidden || tokenWanted.get() !== 'no') return;
    running.current?.abort();
    const control = new AbortController();
    running.current = control;
    ask<T>(path, { signal: control.signal }).then(
      (answer) => setState({ path, answer, error: null }),
      (error: unknown) => {
        if (control.signal.aborted) return;
        const known = error instanceof ApiError ? error : new ApiError(0, 'network', 'the answer broke off');
        setState((last) => ({ path, answer: last.path === path ? last.answer : null, error: known }));
      },
    );
  };
  useEffect(() => {
    again();
    return () => running.current?.abort();
  }, [path, asToken]);
  useInterval(
    () => {
      if (Number.isFinite(everyMs)) again();
    },
    Number.isFinite(everyMs) ? everyMs : 60_000,
  );
  const current = state.path === path;
  return { answer: current ? state.answer : null, error: current ? state.error : null, again };
}
