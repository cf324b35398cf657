/**
 * A list that grows at its top, newest first, without losing the reader's place: while somebody reads further down, or
 * has the focus in it, what is shown stays, and what came meanwhile is only counted.
 */
import type { RefObject } from 'preact';
import { useEffect, useReducer, useRef } from 'preact/hooks';
import { grown } from './steady.ts';

/** CSS pixels scrolled from which on somebody is reading further down. */
const SCROLLED_PX = 80;

export interface Steady<T> {
  readonly shown: readonly T[];
  /** how many are held back */
  readonly fresh: number;
  /** put it on the element around the list */
  readonly area: RefObject<HTMLDivElement | null>;
  /** Shows all, from the top. */
  release(): void;
}

/** `question`: what the list answers; another question is another list. Items are taken as they are now, by key. */
export function useSteady<T>(items: readonly T[], keyOf: (item: T) => string, question: string): Steady<T> {
  const area = useRef<HTMLDivElement>(null);
  const kept = useRef<{ question: string; items: readonly T[] }>({ question, items });
  const [, again] = useReducer((turn: number) => turn + 1, 0);
  useEffect(() => {
    let was = isReading(area.current);
    const look = () => {
      const is = isReading(area.current);
      if (was && !is) again(0);
      was = is;
    };
    window.addEventListener('scroll', look, { passive: true });
    document.addEventListener('focusout', look);
    return () => {
      window.removeEventListener('scroll', look);
      document.removeEventListener('focusout', look);
    };
  }, []);
  const reading =
    kept.current.question === question && kept.current.items.length > 0 && isReading(area.current);
  if (!reading) {
    kept.current = { question, items };
    return { shown: items, fresh: 0, area, release };
  }
  const { shown, fresh } = grown(kept.current.items, items, keyOf);
  kept.current = { question, items: shown };
  return { shown, fresh, area, release };

  function release(): void {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    window.scrollTo({ top: 0 });
    kept.current = { question: '', items: [] };
    again(0);
  }
}

function isReading(area: HTMLElement | null): boolean {
  return window.scrollY > SCROLLED_PX || (area?.contains(document.activeElement) ?? false);
}
