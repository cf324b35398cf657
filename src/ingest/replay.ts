import { IO } from '../native/binding.ts';
import type { EngineSet } from '../native/engine.ts';
import type { MediaMessage } from './playback/playback.ts';

/** Reads a stream's headers and GOP out of the native store, for a player that joins. */
export function replayOf(set: EngineSet, slot: number): (sink: (message: MediaMessage) => void) => void {
  return (sink) => {
    for (let cursor = 0; cursor >= 0; ) {
      cursor = set.engine.gop(slot, cursor);
      set.outbox.rewind(set.io[IO.EVENTS] as number);
      while (set.outbox.next()) sink(set.outbox.message());
    }
  };
}
