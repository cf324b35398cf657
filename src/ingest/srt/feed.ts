import { SRT_MEDIA } from '../../native/srt.ts';
import type { Broadcast, MediaMessage, TransportStream } from '../playback/playback.ts';

/**
 * The payload of one SRT publisher on its way to its players: as packets to
 * those that take MPEG-TS, and through a demuxer to those that take messages.
 * Payload comes here only while the stream has players of either kind.
 *
 * The feed is what a broadcast is opened with (`transportStream`, and `replay`
 * goes to it), and is told of the broadcast right after (`playOn`). The
 * broadcast is ended by who opened it, the feed by its connection.
 */

/** Names as VIDEO_CODECS and AUDIO_CODECS have them; '' = none seen yet. */
export interface Codecs {
  readonly video: string;
  readonly audio: string;
}

/** Makes messages of a transport stream, for RTMP and FLV players. */
export interface MessageSource {
  /** False when messages cannot carry its codecs; true as long as that is not known. */
  readonly convertible: boolean;
  /** Reads whole packets; `sink` gets a message only for the duration of the call. */
  feed(packets: Uint8Array, sink: (message: MediaMessage) => void): void;
  /** The headers known so far, for a player that joins. */
  replay(sink: (message: MediaMessage) => void): void;
}

export interface SrtFeedOptions {
  /** The last PAT and PMT as whole packets; empty before they are known (or once the connection is gone). */
  tables(): Uint8Array;
  /** The codecs in it, as the stream's row names them. */
  codecs(): Codecs;
  /** A new demuxer: there is one from the first player that takes messages to the last. See `messageSources`. */
  demuxer(codecs: () => Codecs): MessageSource;
}

export class SrtFeed implements TransportStream {
  readonly #options: SrtFeedOptions;
  #broadcast: Broadcast | null = null;
  #demuxer: MessageSource | null = null;
  readonly #deliver = (message: MediaMessage): void => this.#broadcast?.deliver(message);

  constructor(options: SrtFeedOptions) {
    this.#options = options;
  }

  /** The stream is live: its players are reached through this. */
  playOn(broadcast: Broadcast): void {
    this.#broadcast = broadcast;
  }

  /** Takes whole packets of the stream; `flags` are bits of SRT_MEDIA. Keeps nothing of `payload`. */
  media(payload: Uint8Array, flags: number): void {
    const packets = this.#broadcast?.packets;
    if ((flags & SRT_MEDIA.GAP) !== 0) packets?.interrupt();
    packets?.deliver(payload, (flags & SRT_MEDIA.RANDOM_ACCESS) !== 0);
    // Delivering may drop the last player, and the field with it.
    const demuxer = this.#demuxer;
    if (demuxer === null) return;
    demuxer.feed(payload, this.#deliver);
    if (!demuxer.convertible) this.#broadcast?.endMessages();
  }

  /** Headers for a player of messages that joins; it starts at the next keyframe. */
  replay(sink: (message: MediaMessage) => void): void {
    this.#demuxer?.replay(sink);
  }

  /** The publisher is gone. Idempotent. */
  end(): void {
    this.#broadcast = null;
    this.#demuxer = null;
  }

  // -- TransportStream ------------------------------------------------------------------------------

  tables(): Uint8Array {
    return this.#options.tables();
  }

  convertible(): boolean {
    return (this.#demuxer ?? this.#makeDemuxer()).convertible;
  }

  messagePlayers(count: number): void {
    if (count === 0) this.#demuxer = null;
    else this.#demuxer ??= this.#makeDemuxer();
  }

  /** It knows the tables from the start: the stream repeats them when it likes. */
  #makeDemuxer(): MessageSource {
    const demuxer = this.#options.demuxer(() => this.#options.codecs());
    demuxer.feed(this.#options.tables(), () => {});
    return demuxer;
  }
}
