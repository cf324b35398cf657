/**
 * The live feed: Server-Sent Events read with fetch, because an EventSource cannot send a token. It connects again by
 * itself, each time after a longer and slightly random wait, so that many dashboards do not come back in one instant.
 * While the tab is hidden nothing is read.
 */
import { SseParser } from '../../src/cli/api/sse.ts';
import { ApiError, open } from './api.ts';
import { Cell } from './cell.ts';
import { token, tokenWanted } from './session.ts';

/** First and longest wait before connecting again, ms. */
const WAIT_MS = 500;
const WAIT_MS_MAX = 8_000;

/** Without a word for so long a connection counts as dead, ms: snapshots come every second or two. */
const SILENCE_MS_MAX = 10_000;

/** How the feed stands. */
export type Link =
  | { readonly phase: 'connecting' }
  | { readonly phase: 'live' }
  /** the tab is hidden */
  | { readonly phase: 'paused' }
  /** waits for a token */
  | { readonly phase: 'locked' }
  /** tries again at `retryAtMs` (performance.now) */
  | { readonly phase: 'down'; readonly error: ApiError; readonly retryAtMs: number };

export const link = new Cell<Link>({ phase: 'connecting' });

/** Told each event; the first text of a connection is told as `open`. */
export type FeedListener = (event: string, data: unknown) => void;

class Feed {
  readonly #listener: FeedListener;
  readonly #interval: () => string;
  #connection: AbortController | null = null;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #failures = 0;

  constructor(listener: FeedListener, interval: () => string) {
    this.#listener = listener;
    this.#interval = interval;
  }

  /** Connects anew, now. */
  restart(): void {
    this.stop();
    if (document.hidden) {
      link.set({ phase: 'paused' });
      return;
    }
    const connection = new AbortController();
    this.#connection = connection;
    if (link.get().phase !== 'down') link.set({ phase: 'connecting' });
    void this.#read(connection);
  }

  stop(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    this.#connection?.abort();
    this.#connection = null;
  }

  async #read(connection: AbortController): Promise<void> {
    let silence: ReturnType<typeof setTimeout> | undefined;
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(() => connection.abort('silence'), SILENCE_MS_MAX);
    };
    try {
      listen();
      const answer = await open(`/api/v1/events?interval=${this.#interval()}`, { signal: connection.signal });
      const parser = new SseParser();
      const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) throw new ApiError(0, 'network', 'the server closed the connection');
        listen();
        for (const { event, data } of parser.push(value)) this.#tell(event, data);
      }
    } catch (error) {
      if (this.#connection === connection) this.#failed(error, connection.signal);
    } finally {
      clearTimeout(silence);
    }
  }

  #tell(event: string, data: string): void {
    this.#failures = 0;
    link.set({ phase: 'live' });
    this.#listener(event, JSON.parse(data));
  }

  #failed(error: unknown, signal: AbortSignal): void {
    this.#connection?.abort();
    this.#connection = null;
    if (error instanceof ApiError && error.status === 401) {
      link.set({ phase: 'locked' });
      return;
    }
    const known = error instanceof ApiError;
    const words = signal.reason === 'silence' ? 'the server says nothing any more' : 'the connection broke';
    const longest = Math.min(WAIT_MS_MAX, WAIT_MS * 2 ** this.#failures++);
    const waitMs = Math.max(longest * (0.5 + Math.random() / 2), known ? (error.retryAfterMs ?? 0) : 0);
    link.set({
      phase: 'down',
      error: known ? error : new ApiError(0, 'network', words),
      retryAtMs: performance.now() + waitMs,
    });
    this.#retry = setTimeout(() => this.restart(), waitMs);
  }
}

/** Runs for as long as the page. `interval`: `?interval=` of the next connection. Answers the way to connect anew. */
export function startFeed(listener: FeedListener, interval: () => string): () => void {
  const feed = new Feed(listener, interval);
  const restart = () => feed.restart();
  document.addEventListener('visibilitychange', restart);
  window.addEventListener('online', restart);
  // While one is asked for, the answer to that is waited for; it may be the same token once more.
  token.subscribe(() => {
    if (tokenWanted.get() === 'no') restart();
  });
  tokenWanted.subscribe(() => {
    if (tokenWanted.get() === 'no') {
      restart();
      return;
    }
    // Somebody else's 401 locks the feed too: its token is the same.
    feed.stop();
    link.set({ phase: 'locked' });
  });
  restart();
  return restart;
}
