/** Receipts that answer a question, live at the top, and older ones on demand. */
import { useReducer, useRef } from 'preact/hooks';
import type { Receipt } from '../../src/core/verdict.ts';
import { ApiError, ask } from '../live/api.ts';
import { useFreshAsk } from '../live/use-fresh-ask.ts';
import { meets, merged } from './merged.ts';

/** Stories shown at first, and added by each "older". */
const PAGE = 100;

/** At most so many are kept here: past that one searches. */
export const RECEIPTS_MAX = 500;

interface Page {
  readonly receipts: readonly Receipt[];
  readonly next_cursor: string | null;
}

interface Known {
  readonly question: string;
  readonly receipts: readonly Receipt[];
  /** of the page after the oldest that was asked for; null = there is none */
  readonly cursor: string | null;
}

export interface Receipts {
  /** newest first; null before the first answer */
  readonly receipts: readonly Receipt[] | null;
  /** there may be older ones */
  readonly more: boolean;
  readonly error: ApiError | null;
  /** Asks for older ones. The server looks through so many at a time, so an answer may hold none and not be the last. */
  older(): void;
  again(): void;
}

/** `question`: the query of the API without `limit` and `cursor`. */
export function useReceipts(question: string): Receipts {
  const path = `/api/v1/receipts?limit=${PAGE}&${question}`;
  const asked = useFreshAsk<Page>(path);
  const known = useRef<Known | null>(null);
  const taken = useRef<Page | null>(null);
  const failed = useRef<ApiError | null>(null);
  const [, draw] = useReducer((turn: number) => turn + 1, 0);
  if (asked.answer !== null && asked.answer !== taken.current) {
    taken.current = asked.answer;
    const { receipts, next_cursor } = asked.answer;
    const before = known.current?.question === question ? known.current : null;
    known.current =
      before !== null && meets(before.receipts, receipts)
        ? { ...before, receipts: merged(before.receipts, receipts, RECEIPTS_MAX) }
        : { question, receipts, cursor: next_cursor };
  }
  const current = known.current?.question === question ? known.current : null;
  const older = async (): Promise<void> => {
    if (current === null || current.cursor === null) return;
    try {
      const page = await ask<Page>(`${path}&cursor=${encodeURIComponent(current.cursor)}`);
      // Meanwhile something else may be asked for.
      if (known.current?.cursor !== current.cursor || known.current.question !== question) return;
      const receipts = merged(known.current.receipts, page.receipts, RECEIPTS_MAX);
      known.current = { question, receipts, cursor: page.next_cursor };
      failed.current = null;
    } catch (error) {
      failed.current = error instanceof ApiError ? error : new ApiError(0, 'network', 'the answer broke off');
    }
    draw(0);
  };
  return {
    receipts: current?.receipts ?? null,
    more: current !== null && current.cursor !== null && current.receipts.length < RECEIPTS_MAX,
    error: asked.error ?? failed.current,
    older: () => void older(),
    again: asked.again,
  };
}
