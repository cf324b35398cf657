import { HeadgateError } from '../../lib/errors.ts';
import { pause, Silence } from '../pause.ts';
import { type ServerSentEvent, SseParser } from './sse.ts';

/**
 * The events of a server for as long as one listens: when the connection is
 * lost it is tried again, ever more slowly, and the listener is told both.
 */

export type Followed =
  /** subscribed, for the first time or again; what happened before must be asked for */
  | { readonly kind: 'open' }
  | ({ readonly kind: 'event' } & ServerSentEvent)
  /** nothing is heard any more; tried again in `retryMs` */
  | { readonly kind: 'lost'; readonly why: HeadgateError; readonly retryMs: number };

/** What it needs of `ApiClient`. */
export interface EventSource {
  readonly url: string;
  subscribe(interval: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
}

/** The first pause before a new try, and the longest, ms: quick after a restart, cheap in a long outage. */
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 10_000;

/** Three heartbeats of the server: it has gone without a word, or the network has, ms. */
const SILENCE_MS = 45_000;

export interface FollowOptions {
  /** pause between two snapshots (`1s`); `never` for decisions alone */
  readonly interval: string;
  /** ends it */
  readonly signal: AbortSignal;
  /** true: it was there a moment ago, so that the first try may fail like any other */
  readonly patient?: boolean;
  /** see RETRY_MS_MIN; tests pass less */
  readonly retryMs?: number;
}

/** Ends when `signal` is aborted. Throws when the first try fails, unless `patient`: later ones are told as `lost`. */
export async function* follow(api: EventSource, options: FollowOptions): AsyncGenerator<Followed, void> {
  const { signal } = options;
  const first = options.retryMs ?? RETRY_MS_MIN;
  let retryMs = first;
  let opened = options.patient ?? false;
  while (!signal.aborted) {
    let why: HeadgateError = new HeadgateError('HG_API', `${api.url} closed the connection`);
    try {
      for await (const item of subscription(api, options)) {
        opened = true;
        retryMs = first;
        yield item;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!opened || !(error instanceof HeadgateError)) throw error;
      why = error;
    }
    if (signal.aborted) return;
    yield { kind: 'lost', why, retryMs };
    await pause(retryMs, signal);
    retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
  }
}

/** One connection, until it ends; a fault on the way is an `HG_API`. */
async function* subscription(api: EventSource, options: FollowOptions): AsyncGenerator<Followed, void> {
  const silent = new AbortController();
  const body = await api.subscribe(options.interval, AbortSignal.any([options.signal, silent.signal]));
  const silence = new Silence(SILENCE_MS, () => silent.abort());
  const decoder = new TextDecoder();
  const parser = new SseParser();
  try {
    yield { kind: 'open' };
    for await (const chunk of body) {
      silence.touch();
      for (const event of parser.push(decoder.decode(chunk, { stream: true })))
        yield { kind: 'event', ...event };
    }
  } catch (error) {
    const what = silent.signal.aborted ? 'has fallen silent' : 'cut the connection';
    throw new HeadgateError('HG_API', `${api.url} ${what}`, { cause: error });
  } finally {
    silence.close();
  }
}
