import { durationWords } from '../../core/words/limits.ts';
import type { KickOutcome } from '../../http/ports.ts';
import { findStream, streamPath } from '../api/streams.ts';
import { type Context, printJson } from '../context.ts';
import { printView } from '../render/print.ts';
import { span } from '../top/text.ts';

export interface KickOptions {
  /** id, path or name */
  readonly stream: string;
  /** `30s`; undefined: the stream's own */
  readonly cooldown: string | undefined;
  readonly reason: string | undefined;
  readonly json: boolean;
}

/** `headgate kick ID`: disconnects a publisher. */
export async function runKick(options: KickOptions, { api, terminal }: Context): Promise<number> {
  const { cooldown, reason } = options;
  const { id } = await findStream(api, options.stream);
  const outcome = await api.delete<KickOutcome>(streamPath(id), 'receipt', { cooldown, reason });
  if (options.json) {
    printJson(terminal, outcome);
    return 0;
  }
  const { stream, cooldown_ms: cooldownMs, receipt } = outcome;
  const back =
    cooldownMs === 0
      ? 'it may publish again at once'
      : `its stream key and address are refused for ${durationWords(cooldownMs)}`;
  printView(terminal, [
    { spans: [span(`kicked ${stream.path} (${stream.id}) of ${stream.client} from ${stream.ip}: ${back}`)] },
    { spans: [span(`receipt ${receipt}: \`headgate why ${receipt}\` tells it again`, 'dim')] },
  ]);
  return 0;
}
