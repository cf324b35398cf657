import type { Broadcast, MediaMessage, Playback } from '../../src/ingest/playback/playback.ts';
import { type FlvTag, flagsOf, isKeyframe, isSequenceHeader } from './flv.ts';

/**
 * A publisher made by hand: feeds tags to a broadcast as the demuxer would,
 * from one reused buffer, and keeps headers and GOP for players that join.
 */
export class HandPublisher {
  readonly broadcast: Broadcast;
  /** what `onPlayers` said, in order */
  readonly counts: number[] = [];
  /** tags that are still in the GOP */
  gop: FlvTag[] = [];
  readonly #headers = new Map<string, FlvTag>();
  readonly #arena = Buffer.alloc(2 ** 21);

  constructor(playback: Playback, path: string) {
    this.broadcast = playback.open(path, {
      replay: (sink) => {
        for (const tag of [...this.#headers.values(), ...this.gop]) this.#hand(tag, sink);
      },
      onPlayers: (count) => this.counts.push(count),
    });
  }

  /** Sends tags to all players now. */
  send(tags: readonly FlvTag[]): void {
    for (const tag of tags) {
      this.#keep(tag);
      this.#hand(tag, (message) => this.broadcast.deliver(message));
    }
  }

  /** Sends tags at their own pace, from the first's timestamp on, `speed` times as fast. */
  async play(tags: readonly FlvTag[], speed = 1, stopped: () => boolean = () => false): Promise<void> {
    const began = performance.now();
    const start = tags[0]?.timestamp ?? 0;
    for (const tag of tags) {
      const dueMs = (tag.timestamp - start) / speed - (performance.now() - began);
      if (dueMs > 1) await new Promise((resolve) => setTimeout(resolve, dueMs));
      if (stopped()) return;
      this.send([tag]);
    }
  }

  #keep(tag: FlvTag): void {
    if (tag.type === 18) this.#headers.set('metadata', tag);
    else if (isSequenceHeader(tag)) this.#headers.set(String(tag.type), tag);
    else if (isKeyframe(tag)) this.gop = [tag];
    else if (this.gop.length > 0) this.gop.push(tag);
  }

  /** The payload lives in a buffer that is overwritten right after the call. */
  #hand(tag: FlvTag, sink: (message: MediaMessage) => void): void {
    tag.payload.copy(this.#arena);
    const payload = this.#arena.subarray(0, tag.payload.length);
    sink({ type: tag.type, timestamp: tag.timestamp, payload, flags: flagsOf(tag) });
    payload.fill(0xee);
  }
}
