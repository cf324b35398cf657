import type { Receipt } from '../../core/verdict.ts';
import type { ClientSnapshot } from '../../http/ports.ts';
import type { ApiClient } from '../api/client.ts';
import { Refused } from '../api/failures.ts';
import { findStream } from '../api/streams.ts';
import { type Context, printJson } from '../context.ts';
import { printView } from '../render/print.ts';
import { streamPage } from '../render/stream-page.ts';

/** Receipts on the page: what happened of late; `headgate why` has more. */
const RECEIPTS_SHOWN = 5;

export interface StreamOptions {
  /** id, path or name */
  readonly stream: string;
  readonly json: boolean;
}

/** `headgate stream ID`: everything about one live stream. */
export async function runStream(options: StreamOptions, { api, terminal }: Context): Promise<number> {
  const stream = await findStream(api, options.stream);
  if (options.json) {
    printJson(terminal, stream);
    return 0;
  }
  const [client, { receipts }] = await Promise.all([
    clientOf(api, stream.client),
    api.get<{ receipts: Receipt[] }>('/api/v1/receipts', 'receipts', {
      key: stream.id,
      limit: RECEIPTS_SHOWN,
    }),
  ]);
  printView(terminal, streamPage({ stream, client, receipts }, terminal.unicode));
  return 0;
}

/** Null when its last stream has ended in the meantime. */
async function clientOf(api: ApiClient, id: string): Promise<ClientSnapshot | null> {
  try {
    return await api.get<ClientSnapshot>(`/api/v1/clients/${encodeURIComponent(id)}`, 'id');
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}
