/** Hooks that the library keeps in its larger half, which nothing else here needs. */
import { useEffect, useReducer, useRef } from 'preact/hooks';

/** Shows what `read` says, and again whenever `subscribe` tells and it says something else (compared by identity). */
export function useSyncExternalStore<T>(
  subscribe: (listener: () => void) => () => unknown,
  read: () => T,
): T {
  const [, again] = useReducer((count: number) => count + 1, 0);
  const reading = useRef(read);
  const value = read();
  const shown = useRef(value);
  reading.current = read;
  shown.current = value;
  useEffect(() => {
    const look = () => {
      if (!Object.is(reading.current(), shown.current)) again(0);
    };
    // What changed between drawing and now was told to nobody.
    look();
    const stop = subscribe(look);
    return () => void stop();
    // A subscription lasts as long as what is shown: all ours are of one store for ever.
  }, []);
  return value;
}

/** Runs `tick` every `everyMs` while the component is shown. */
export function useInterval(tick: () => void, everyMs: number): void {
  const latest = useRef(tick);
  latest.current = tick;
  useEffect(() => {
    const timer = setInterval(() => latest.current(), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
}
