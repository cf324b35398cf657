/**
 * Long lists go out as they are read: one batch is serialised, the event loop
 * turns, then the next. So a list of 10,000 streams holds one batch in memory,
 * stops when its reader stops, and never keeps the loop from the media.
 */
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Batches } from './ports.ts';

/** Characters serialised in one turn of the loop: well under a millisecond, whatever the size of a batch. */
const TURN_CHARS = 64 * 1024;

/** Lets everything that waits for the event loop run once. */
export function turnOfTheLoop(): Promise<void> {
  return nextTurn();
}

/**
 * A JSON object `{"<name>":[...items],<tail>}`. `keep` chooses items and may
 * end the list (`stop`). `tail` is asked after the last batch for the members
 * that follow, without braces.
 */
export function jsonList<T>(
  name: string,
  batches: Batches<T>,
  keep: (item: T) => 'take' | 'skip' | 'stop',
  tail: () => Record<string, unknown>,
): Readable {
  return Readable.from(chunks(name, batches, keep, tail), { objectMode: true, highWaterMark: 1 });
}

async function* chunks<T>(
  name: string,
  batches: Batches<T>,
  keep: (item: T) => 'take' | 'skip' | 'stop',
  tail: () => Record<string, unknown>,
): AsyncGenerator<string> {
  let chunk = `{"${name}":[`;
  let separator = '';
  let stopped = false;
  for (const batch of batches) {
    for (const item of batch) {
      const verdict = keep(item);
      if (verdict === 'stop') {
        stopped = true;
        break;
      }
      if (verdict === 'skip') continue;
      chunk += separator + JSON.stringify(item);
      separator = ',';
      if (chunk.length < TURN_CHARS) continue;
      yield chunk;
      chunk = '';
      await turnOfTheLoop();
    }
    if (stopped) break;
    if (chunk !== '') yield chunk;
    chunk = '';
    await turnOfTheLoop();
  }
  yield `${chunk}],${JSON.stringify(tail()).slice(1)}`;
}
