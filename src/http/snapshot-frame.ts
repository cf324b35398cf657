/**
 * What is sent at an interval, as the bytes that go out: the `node` event and the `snapshot` event. They are built once
 * for all subscribers that want them at about the same time, batch by batch so that the loop turns in between.
 */
import type { StreamTotals } from '../core/stream.ts';
import { monotonicMs, wallMs } from '../lib/clock.ts';
import { turnOfTheLoop } from './batches.ts';
import type { AdminPort, NodeSnapshot } from './ports.ts';

/** Streams told in one snapshot: as many as a dashboard is made for; more are counted in `omitted`. */
const STREAMS_MAX = 2_000;

/** Age up to which a frame serves another subscriber, ms: the shortest interval is longer. */
const FRESH_MS = 200;

export class SnapshotFrame {
  readonly #port: AdminPort;
  /** Infinity while one is being built, which serves whoever asks meanwhile */
  #builtAtMs = Number.NEGATIVE_INFINITY;
  #building: Promise<Buffer> | null = null;

  constructor(port: AdminPort) {
    this.#port = port;
  }

  /** Both events, begun not longer than `FRESH_MS` ago or still being built: one build at a time, however long it takes. */
  current(): Promise<Buffer> {
    const now = monotonicMs();
    if (this.#building === null || now - this.#builtAtMs >= FRESH_MS) {
      this.#builtAtMs = Number.POSITIVE_INFINITY;
      this.#building = this.#build().finally(() => {
        this.#builtAtMs = now;
      });
    }
    return this.#building;
  }

  async #build(): Promise<Buffer> {
    const at = new Date(wallMs()).toISOString();
    let streams = '';
    let told = 0;
    for (const batch of this.#port.streams.batches()) {
      for (const stream of batch) {
        if (told >= STREAMS_MAX) break;
        streams += (told++ === 0 ? '' : ',') + JSON.stringify(stream);
      }
      await turnOfTheLoop();
      if (told >= STREAMS_MAX) break;
    }
    const totals = this.#port.streams.totals();
    const omitted = Math.max(0, totals.streams - told);
    const snapshot = `{"at":"${at}","streams":[${streams}],"omitted":${omitted},"totals":${JSON.stringify(totals)}}`;
    const node = JSON.stringify(nodeSnapshot(this.#port, totals, at));
    return Buffer.from(`event: node\ndata: ${node}\n\nevent: snapshot\ndata: ${snapshot}\n\n`);
  }
}

function nodeSnapshot({ server }: AdminPort, totals: StreamTotals, at: string): NodeSnapshot {
  return {
    at,
    about: server.about(),
    readiness: server.readiness(),
    totals,
    limits: server.globalLimits(),
    resources: server.resources(),
    denied: server.denied(),
  };
}
