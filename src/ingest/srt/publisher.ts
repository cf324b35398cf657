import type { ConnectionLease } from '../../core/admission/admission.ts';
import { AUDIO_CODECS, STREAM, VIDEO_CODECS } from '../../core/meter/slab-layout.ts';
import { type NativeSrtListener, SRT_STATS } from '../../native/srt.ts';
import type { LiveStream } from '../live-stream.ts';
import type { StreamConnection, StreamSource, TransportFigures } from '../ports.ts';
import type { PublishRequest } from '../publish-desk.ts';
import { SrtFeed } from './feed.ts';
import { addCounts, type SrtCounts, transportOf } from './figures.ts';
import type { SrtServices } from './services.ts';

/** Who came in, as the listener told it. */
export interface SrtOrigin {
  readonly id: number;
  readonly ip: string;
  readonly port: number;
  readonly app: string;
  /** in keys mode a secret, unless `key` is given */
  readonly name: string;
  /** stream key, a secret; '' = none */
  readonly key: string;
}

/** What a publisher or player needs of the listener it came to. */
export type SrtSide = Pick<NativeSrtListener, 'attach' | 'detach' | 'close' | 'send' | 'stats' | 'tables'>;

/**
 * How long somebody who comes back waits for the stream that he left behind to
 * fall silent, ms, beside its latency: half a second of silence makes a ghost,
 * and a killed publisher's last packets are on their way for a while.
 */
const RETURN_WAIT_MS = 1_500;

/** Figures are asked for at most this often, ms: each costs a lock and a walk through libsrt. */
const FIGURES_INTERVAL_MS = 500;

/** One publisher over SRT, from its acceptance to its end. The socket is read only while it is attached to a stream. */
export class SrtPublisher implements StreamConnection {
  readonly origin: SrtOrigin;
  readonly lease: ConnectionLease;
  readonly #services: SrtServices;
  readonly #side: SrtSide;
  readonly #waitsUntil: number;
  readonly #stats = new Float64Array(SRT_STATS.LENGTH);
  #figuresAt = Number.NEGATIVE_INFINITY;
  #feed: SrtFeed | null = null;
  #stream: LiveStream | null = null;
  #gone = false;

  /** `latencyMs` of its listener. */
  constructor(
    services: SrtServices,
    side: SrtSide,
    origin: SrtOrigin,
    lease: ConnectionLease,
    latencyMs: number,
    now: number,
  ) {
    this.#services = services;
    this.#side = side;
    this.origin = origin;
    this.lease = lease;
    this.#waitsUntil = now + RETURN_WAIT_MS + latencyMs;
  }

  /** True while it waits for the stream that it left behind to fall silent: publish again in a moment. */
  get waits(): boolean {
    return this.#stream === null && !this.#gone;
  }

  /** Asks to be let in; refused, it is closed. Nothing is read from the socket before. `beganMs`: see `PublishDesk.publish`. */
  publish(now: number, beganMs: number): void {
    const { desk } = this.#services;
    this.#feed ??= this.#makeFeed();
    const feed = this.#feed;
    const request = this.#request(feed);
    if (now < this.#waitsUntil && desk.mayReturnSoon(request, now)) return;
    const answer = desk.publish(request, now, beganMs);
    if (!answer.ok) {
      this.#leave();
      return;
    }
    const { stream } = answer;
    this.#stream = stream;
    if (stream.broadcast !== null) feed.playOn(stream.broadcast);
    if (this.#side.attach(this.origin.id, stream.slot)) return;
    // It went while it was being let in; that it is closed is still on its way here.
    this.#end('gone before it began', now);
  }

  /** Payload that has been admitted, while somebody plays. */
  media(payload: Uint8Array, flags: number): void {
    this.#feed?.media(payload, flags);
  }

  /** The connection is gone; everything it held is given back. */
  closed(how: string, now: number): void {
    this.#gone = true;
    this.#end(how, now);
    this.lease.release(now);
  }

  /** Reads figures that are not asked for all the time: the size of the picture, and counts for the metrics. */
  refresh(now: number): void {
    if (now - this.#figuresAt < FIGURES_INTERVAL_MS) return;
    this.#figuresAt = now;
    if (!this.#side.stats(this.origin.id, this.#stats) || this.#stream === null) return;
    const width = this.#stats[SRT_STATS.WIDTH] as number;
    const height = this.#stats[SRT_STATS.HEIGHT] as number;
    if (width > 0 && height > 0) this.#stream.describe(width, height);
  }

  /** Adds what was last read of its counts. */
  countInto(sum: SrtCounts): void {
    addCounts(sum, this.#stats);
  }

  // -- StreamConnection ---------------------------------------------------------------------------

  /** SRT has no words for a live publisher: the connection is closed, and the receipt says why. */
  cut(): void {
    this.#stream = null;
    this.#leave();
  }

  /** Nothing is held back, so there is nothing to look at again. */
  recheck(): void {}

  throttledMs(): number {
    return 0;
  }

  transport(): TransportFigures {
    return transportOf(this.#stats);
  }

  get paused(): boolean {
    return false;
  }

  get orphaned(): boolean {
    return this.#gone;
  }

  /** libsrt finds out by itself, with keepalives of its own. */
  probe(): void {}

  #request(feed: SrtFeed): PublishRequest {
    const { ip, port, app, name, key } = this.origin;
    const source: StreamSource = {
      replay: (_slot, sink) => feed.replay(sink),
      transportStream: feed,
    };
    return {
      protocol: 'srt',
      ip,
      port,
      app,
      name: key === '' ? name : `${name}?key=${encodeURIComponent(key)}`,
      connection: this,
      lease: this.lease,
      source,
    };
  }

  #makeFeed(): SrtFeed {
    return new SrtFeed({
      tables: () => this.#side.tables(this.origin.id),
      codecs: () => ({
        video: VIDEO_CODECS[this.#stream?.read(STREAM.VIDEO_CODEC) ?? 0] ?? '',
        audio: AUDIO_CODECS[this.#stream?.read(STREAM.AUDIO_CODEC) ?? 0] ?? '',
      }),
      demuxer: (codecs) => this.#services.demuxer(codecs),
    });
  }

  #end(how: string, now: number): void {
    const stream = this.#stream;
    this.#stream = null;
    this.#leave();
    if (stream !== null) this.#services.desk.ended(stream, how, now);
  }

  /** From here on the receive thread leaves the stream's row alone. */
  #leave(): void {
    this.#gone = true;
    this.#side.detach(this.origin.id);
    this.#side.close(this.origin.id);
    this.#feed?.end();
    this.#feed = null;
  }
}
