/** An answer of the API, asked again at an interval while it is shown and the tab is seen. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useInterval } from '../hooks.ts';
import { ApiError, ask } from './api.ts';
import { useCell } from './cell.ts';
import { tokensGiven, tokenWanted } from './session.ts';

export interface Asked<T> {
  /** the last answer; null before the first. It stays while later ones fail. */
  readonly answer: T | null;
  /** what went wrong last; null after an answer */
  readonly error: ApiError | null;
  /** Asks again now. */
  again(): void;
}

/** ms after which no answer is waited for any more: a list of thousands over a bad line takes a few seconds. */
const ANSWER_MS_MAX = 15_000;

/** `path` null asks nothing. `everyMs` Infinity asks once. */
export function useAsk<T>(path: string | null, everyMs: number): Asked<T> {
  const [state, setState] = useState<{ path: string | null; answer: T | null; error: ApiError | null }>({
    path,
    answer: null,
    error: null,
  });
  const running = useRef<AbortController | null>(null);
  /** what was asked for while an answer was awaited */
  const owed = useRef(false);
  /** who asks again later, does so for the path of then */
  const wanted = useRef(path);
  /** the path that the last answer was of */
  const answered = useRef<string | null>(null);
  wanted.current = path;
  const asGiven = useCell(tokensGiven);
  const again = (): void => {
    const asked = wanted.current;
    if (asked === null || document.hidden || tokenWanted.get() !== 'no') return;
    // An answer that takes longer than the next question is waited for: broken off each time, none would ever come.
    if (running.current !== null) {
      owed.current = true;
      return;
    }
    const control = new AbortController();
    running.current = control;
    const signal = AbortSignal.any([control.signal, AbortSignal.timeout(ANSWER_MS_MAX)]);
    const settle = (answer: T | null, error: ApiError | null): void => {
      if (running.current !== control) return;
      running.current = null;
      if (error === null) answered.current = asked;
      setState((last) => ({
        path: asked,
        answer: answer ?? (last.path === asked ? last.answer : null),
        error,
      }));
      if (!owed.current) return;
      owed.current = false;
      again();
    };
    ask<T>(asked, { signal }).then(
      (answer) => settle(answer, null),
      (error: unknown) => {
        const words = signal.aborted ? 'the server takes too long to answer' : 'the answer broke off';
        settle(null, error instanceof ApiError ? error : new ApiError(0, 'network', words));
      },
    );
  };
  useEffect(() => {
    again();
    return () => {
      running.current?.abort();
      running.current = null;
      owed.current = false;
    };
  }, [path, asGiven]);
  const repeated = Number.isFinite(everyMs);
  useInterval(
    () => {
      if (repeated && running.current === null) again();
    },
    repeated ? everyMs : 60_000,
  );
  useEffect(() => {
    // What is shown is as old as the tab was hidden, and in one that was opened behind another nothing is shown yet.
    const seen = () => {
      if (repeated || answered.current !== wanted.current) again();
    };
    document.addEventListener('visibilitychange', seen);
    return () => document.removeEventListener('visibilitychange', seen);
  }, [repeated]);
  const current = state.path === path;
  return { answer: current ? state.answer : null, error: current ? state.error : null, again };
}
