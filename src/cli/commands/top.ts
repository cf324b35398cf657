import { HeadgateError } from '../../lib/errors.ts';
import { follow } from '../api/follow.ts';
import { momentOf, watchMoments } from '../api/moments.ts';
import { nodeFacts } from '../api/node-facts.ts';
import { allStreams } from '../api/streams.ts';
import { type Context, printJson, printJsonLine, printLines } from '../context.ts';
import type { TopMoment } from '../top/moment.ts';

export interface TopOptions {
  /** one frame, then the end */
  readonly once: boolean;
  readonly json: boolean;
  /** from now on; ends `--json` without `--once` */
  readonly interrupted: () => AbortSignal;
}

/** Columns of a frame where there is no terminal to ask. */
const COLUMNS = 100;

/** `headgate top`: a live table of streams; one frame with `--once` and where nobody looks. */
export async function runTop({ once, json, interrupted }: TopOptions, context: Context): Promise<number> {
  const { terminal } = context;
  if (json) {
    if (once) printJson(terminal, await allStreams(context.api));
    else await printSnapshots(interrupted(), context);
    return 0;
  }
  if (once || !terminal.isTty) await printFrame(context);
  else await showLive(context);
  return 0;
}

async function printFrame({ api, terminal }: Context): Promise<void> {
  const { renderOnce } = await import('../top/view.ts');
  const { colour, unicode } = terminal;
  const columns = terminal.columns ?? COLUMNS;
  printLines(
    terminal,
    renderOnce(await momentNow(api), { columns, rows: Number.POSITIVE_INFINITY, colour, unicode }),
  );
}

/** One snapshot a second, each a line of JSON. */
async function printSnapshots(signal: AbortSignal, { api, terminal }: Context): Promise<void> {
  for await (const item of follow(api, { interval: '1s', signal })) {
    if (item.kind === 'event' && item.event === 'snapshot') printJsonLine(terminal, JSON.parse(item.data));
    else if (item.kind === 'lost') terminal.stderr.write(`headgate: ${item.why.message}; trying again\n`);
  }
}

async function showLive({ api, terminal }: Context): Promise<void> {
  const { stdin: input, stdout: output } = process;
  if (!input.isTTY) {
    throw new HeadgateError(
      'HG_USAGE',
      'top reads keys, and stdin is no terminal: use `headgate top --once`',
    );
  }
  const { runTerminal } = await import('../top/terminal.ts');
  // A server that is not there is told as an error, before the screen is taken over.
  const first = await momentNow(api);
  const stopped = new AbortController();
  let fault: unknown = null;
  await runTerminal({ input, output, colour: terminal.colour, unicode: terminal.unicode }, (tell) => {
    watchMoments(api, first, stopped.signal, tell).catch((error: unknown) => {
      fault = error;
      // The view ends as it does when it is told to.
      process.emit('SIGTERM', 'SIGTERM');
    });
    return () => stopped.abort();
  });
  if (fault !== null) throw fault;
}

async function momentNow(api: Context['api']): Promise<TopMoment> {
  const [list, facts] = await Promise.all([allStreams(api), nodeFacts(api)]);
  return momentOf(list, facts);
}
