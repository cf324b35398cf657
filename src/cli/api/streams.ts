import { nearest } from '../../config/nearest.ts';
import type { StreamSnapshot, StreamTotals } from '../../core/stream.ts';
import type { Receipt } from '../../core/verdict.ts';
import { pathIn, soughtIn } from '../../core/words/sought.ts';
import { HeadgateError } from '../../lib/errors.ts';
import { printable } from '../../telemetry/printable.ts';
import type { ApiClient } from './client.ts';
import { Refused } from './failures.ts';

/** Live streams as commands ask for them: all, or the one that was meant. */

/** `GET /api/v1/streams`. */
export interface StreamList {
  readonly streams: readonly StreamSnapshot[];
  readonly totals: StreamTotals;
  readonly next_cursor: string | null;
}

/** What it needs of `ApiClient`. */
type StreamSource = Pick<ApiClient, 'get'>;

/** Pages of 10,000 streams: ten times what one server is built for. */
const PAGES_MAX = 10;

/** Which streams, as the API takes it; undefined: any. */
export interface StreamFilter {
  readonly state?: string | undefined;
  readonly client?: string | undefined;
  readonly protocol?: string | undefined;
}

/** Every live stream in one list, oldest first. */
export async function allStreams(api: StreamSource, filter: StreamFilter = {}): Promise<StreamList> {
  const list = (cursor?: string): Promise<StreamList> =>
    api.get<StreamList>('/api/v1/streams', 'streams', { ...filter, cursor });
  let page = await list();
  const streams = [...page.streams];
  for (let pages = 1; page.next_cursor !== null && pages < PAGES_MAX; pages++) {
    page = await list(page.next_cursor);
    streams.push(...page.streams);
  }
  return { ...page, streams };
}

export function streamPath(id: string): string {
  return `/api/v1/streams/${encodeURIComponent(id)}`;
}

/**
 * The live stream that was meant: by id (`s-7k2f`), path (`/live/cam1`,
 * `live/cam1`) or name (`cam1`). Throws HG_USAGE when a name is that of
 * several, HG_API with a hint when there is none.
 */
export async function findStream(api: StreamSource, meant: string): Promise<StreamSnapshot> {
  const path = pathIn(meant);
  if (path !== null) {
    const { streams } = await api.get<StreamList>('/api/v1/streams', 'streams', { path });
    return streams[0] ?? (await absent(api, meant, (await allStreams(api)).streams));
  }
  if (/^s-[0-9a-z]+$/.test(meant)) {
    const found = await streamById(api, meant);
    if (found !== null) return found;
  }
  const { streams } = await allStreams(api);
  const named = streams.filter(({ name, id }) => name === meant || id === meant);
  if (named.length > 1) {
    const which = named.slice(0, 5).map(({ path: at, id }) => `${at} (${id})`);
    throw new HeadgateError(
      'HG_USAGE',
      `${printable(meant)} is the name of ${named.length} streams: ${which.join(', ')}; give a path or an id`,
    );
  }
  return named[0] ?? (await absent(api, meant, streams));
}

async function streamById(api: StreamSource, id: string): Promise<StreamSnapshot | null> {
  try {
    return await api.get<StreamSnapshot>(streamPath(id), 'id');
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}

async function absent(api: StreamSource, meant: string, streams: readonly StreamSnapshot[]): Promise<never> {
  const word = meant.slice(meant.lastIndexOf('/') + 1);
  const close = nearest(word, new Set(streams.flatMap(({ name, id }) => [name, id])));
  const like = streams.find(({ name, id }) => name === close || id === close);
  const hint =
    like === undefined
      ? streams.length === 0
        ? 'nothing is live'
        : '`headgate streams` lists what is live'
      : `did you mean ${like.path} (${like.id})?`;
  const shown = printable(meant);
  const story = (await isTold(api, meant)) ? `; \`headgate why ${shown}\` tells what became of it` : '';
  throw new HeadgateError('HG_API', `no live stream ${shown}: ${hint}${story}`);
}

/** Whether there is a receipt of that name. */
async function isTold(api: StreamSource, meant: string): Promise<boolean> {
  const query = { key: soughtIn(meant), limit: 1 };
  const { receipts } = await api.get<{ receipts: readonly Receipt[] }>('/api/v1/receipts', 'receipts', query);
  return receipts.length > 0;
}
