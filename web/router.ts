/** Which page is shown: the part of the address after `#`, so that every page has an address and the server none to know. */
import { useSyncExternalStore } from './hooks.ts';
import { parseRoute, type Route } from './route.ts';

export { href, PAGES, type PageName, type Route } from './route.ts';

/** Goes to `hash`, an answer of `href`. `replace` leaves no step to go back to: for filters that change as one types. */
export function go(hash: string, options: { replace?: boolean } = {}): void {
  if (options.replace === true) {
    history.replaceState(null, '', hash);
    window.dispatchEvent(new HashChangeEvent('hashchange'));
  } else {
    location.hash = hash;
  }
}

let current = parseRoute(location.hash);
const listeners = new Set<() => void>();

window.addEventListener('hashchange', () => {
  current = parseRoute(location.hash);
  for (const listener of listeners) listener();
});

export function useRoute(): Route {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
