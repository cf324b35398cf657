import { isIP } from 'node:net';
import { REASONS } from '../../core/reasons.ts';
import type { Receipt } from '../../core/verdict.ts';
import { instant } from '../../core/words/limits.ts';
import { pathIn, soughtIn } from '../../core/words/sought.ts';
import type { ResourcesSnapshot } from '../../http/ports.ts';
import { HeadgateError } from '../../lib/errors.ts';
import { printable } from '../../telemetry/printable.ts';
import type { ApiClient } from '../api/client.ts';
import { allStreams } from '../api/streams.ts';
import { type Context, printJson } from '../context.ts';
import { printView } from '../render/print.ts';
import { receiptStory } from '../render/receipt-story.ts';
import { checkWord } from '../words.ts';

export interface WhyOptions {
  /** receipt, stream id, path, name, client, address, or the line an encoder was told */
  readonly key: string;
  /** receipts shown, 1..1000 */
  readonly limit: number;
  readonly reason: string | undefined;
  readonly json: boolean;
}

/** `headgate why KEY`: the last decisions against somebody, newest first, told to people. */
export async function runWhy(options: WhyOptions, { api, terminal }: Context): Promise<number> {
  const key = soughtIn(options.key);
  const { limit, reason } = options;
  checkWord('reason', reason, REASONS);
  const answer = await api.get<{ receipts: Receipt[] }>('/api/v1/receipts', 'receipts', {
    key,
    reason,
    limit,
  });
  if (answer.receipts.length === 0) throw await nothingFound(api, options.key, reason);
  if (options.json) {
    printJson(terminal, answer);
    return 0;
  }
  const now = terminal.wallMs();
  const stories = answer.receipts.map((receipt) => receiptStory(receipt, now));
  printView(
    terminal,
    stories.flatMap((lines, index) => (index === 0 ? lines : [{ spans: [] }, ...lines])),
  );
  return 0;
}

async function nothingFound(api: ApiClient, key: string, reason: string | undefined): Promise<HeadgateError> {
  const shown = printable(key, 100);
  const path = pathIn(key);
  const { streams } = await allStreams(api);
  const live = streams.find((stream) => [stream.id, stream.name, stream.path].includes(path ?? key));
  const state =
    live === undefined ? '' : `; ${live.path} (${live.id}) is live and nothing was decided against it`;
  const kind = reason === undefined ? '' : ` for ${reason}`;
  const unnamed = live === undefined && !isAddress(key) ? await unnamedWords(api) : '';
  return new HeadgateError(
    'HG_API',
    `nothing found about ${shown}${kind} among the receipts that the server keeps: searched for a receipt, stream id, path, stream name, client and address of exactly that name${state}` +
      (live === undefined
        ? `; secret stream keys are never kept, so search for the public name; \`headgate events\` shows the latest${unnamed}`
        : ''),
  );
}

/** IPv4 or IPv6, or the network that stands for a client. */
function isAddress(text: string): boolean {
  return isIP(text.replace(/\/\d{1,3}$/, '')) !== 0;
}

/** Who is turned away at the door has not said a name yet, as all are while the gate is closed. */
async function unnamedWords(api: ApiClient): Promise<string> {
  const hint = '; refused before its name was known? try its address';
  const { gate } = await api.get<ResourcesSnapshot>('/api/v1/resources', 'resources');
  if (gate.open) return hint;
  const why = gate.reasons.length === 0 ? '' : ` for ${gate.reasons.join(', ')}`;
  return `${hint}: the gate is closed since ${instant(gate.since)}${why}`;
}
