import type { StreamSnapshot, StreamTotals } from '../../core/stream.ts';
import { HeadgateError } from '../../lib/errors.ts';
import type { TopMoment } from '../top/moment.ts';
import type { ApiClient } from './client.ts';
import { Refused } from './failures.ts';
import { follow } from './follow.ts';
import { type NodeFacts, nodeFacts } from './node-facts.ts';

/** The moments that `headgate top` shows, out of the server's events and what it says about itself. */

/** Streams and sums, as `snapshot` events and `GET /api/v1/streams` have them. */
export interface Snapshot {
  readonly streams: readonly StreamSnapshot[];
  readonly totals: StreamTotals;
}

export function momentOf({ streams, totals }: Snapshot, facts: NodeFacts): TopMoment {
  return { ...facts, streams, totals, problem: null };
}

/** Snapshots between two questions about the node itself: it changes slowly, and its metrics cost a scrape. */
const SNAPSHOTS_PER_FACTS = 2;

/**
 * Tells a moment with every snapshot, one a second, until `signal` is aborted.
 * While the server is away the last moment is told again with its `problem`.
 */
export async function watchMoments(
  api: ApiClient,
  first: TopMoment,
  signal: AbortSignal,
  tell: (moment: TopMoment) => void,
): Promise<void> {
  let moment = first;
  let facts: NodeFacts = first;
  let count = 0;
  const refresh = async (): Promise<void> => {
    try {
      facts = await nodeFacts(api);
    } catch (error) {
      // The subscription tells what is wrong with the server; the last facts stand until then.
      if (!(error instanceof HeadgateError)) throw error;
    }
  };
  tell(moment);
  for await (const item of follow(api, { interval: '1s', signal, patient: true })) {
    if (item.kind === 'lost') moment = { ...moment, problem: problemOf(item.why) };
    else if (item.kind === 'event' && item.event === 'snapshot') {
      if (count++ % SNAPSHOTS_PER_FACTS === 0) await refresh();
      moment = momentOf(JSON.parse(item.data) as Snapshot, facts);
    } else continue;
    tell(moment);
  }
}

/** In few words: they share a line of the screen with the name of the node. */
function problemOf(why: HeadgateError): string {
  return why instanceof Refused ? `refused (${why.status}), trying again` : 'trying again';
}
