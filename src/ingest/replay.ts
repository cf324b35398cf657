import { IO } from '../native/binding.ts';
import type { EngineSet } from '../native/engine.ts';
import type { MediaMessage } from './playback/playback.ts';

/** Reads a stream's headers and GOP out of the native store, for a player that joins. */
export function replayGop(
  { engine, io, outbox }: Pick<EngineSet, 'engine' | 'io' | 'outbox'>,
  slot: number,
  sink: (message: MediaMessage) => void,
): void {
  for (let cursor = 0; cursor >= 0; ) {
    cursor = engine.gop(slot, cursor);
    outbox.rewind(io[IO.EVENTS] as number);
    while (outbox.next()) sink(outbox.message());
  }
}
