/**
 * The `snapshot` event's text, built once for all subscribers that ask at about
 * the same time, batch by batch so that the loop turns in between.
 */
import { turnOfTheLoop } from './batches.ts';
import type { StreamsPort } from './ports.ts';

/** Streams told in one snapshot: a screenful many times over; more are counted in `omitted`. */
const STREAMS_MAX = 1_000;

/** Age up to which a snapshot serves another subscriber, ms: the shortest interval is longer. */
const FRESH_MS = 200;

export class SnapshotCache {
  readonly #streams: StreamsPort;
  #builtAt = Number.NEGATIVE_INFINITY;
  #building: Promise<string> | null = null;

  constructor(streams: StreamsPort) {
    this.#streams = streams;
  }

  /** `{"streams":[...],"omitted":n,"totals":{...}}`, not older than `FRESH_MS` at `now` (monotonic ms). */
  at(now: number): Promise<string> {
    if (this.#building === null || now - this.#builtAt >= FRESH_MS) {
      this.#builtAt = now;
      this.#building = this.#build();
    }
    return this.#building;
  }

  async #build(): Promise<string> {
    let streams = '';
    let told = 0;
    let omitted = 0;
    for (const batch of this.#streams.batches()) {
      for (const stream of batch) {
        if (told >= STREAMS_MAX) break;
        streams += (told++ === 0 ? '' : ',') + JSON.stringify(stream);
      }
      await turnOfTheLoop();
      if (told >= STREAMS_MAX) break;
    }
    const totals = this.#streams.totals();
    omitted = Math.max(0, totals.streams - told);
    return `{"streams":[${streams}],"omitted":${omitted},"totals":${JSON.stringify(totals)}}`;
  }
}
