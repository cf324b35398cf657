import { VIDEO } from '../rtmp/message-types.ts';
import { flvHeader } from '../rtmp/nms.ts';
import { isHeader, isKeyframe, type MediaMessage, type Tracks } from './media-message.ts';

/** How a player is attached. */
export type PlayerProtocol = 'rtmp' | 'http-flv' | 'ws-flv' | 'http-ts' | 'srt';

/** Where a player's bytes go. Declared here, filled by HTTP, WebSocket, RTMP and SRT. */
export interface PlayerOutput {
  readonly protocol: PlayerProtocol;
  write(bytes: Buffer): void;
  /** bytes written that the peer has not taken yet */
  queuedBytes(): number;
  /** The publisher is gone: say so, flush, close. */
  finish(): void;
  /** Close at once; what is queued is lost. */
  destroy(): void;
}

/** How messages are written for a player: FLV tags, or RTMP chunks on a message stream. */
export type Framing = 'flv' | { readonly rtmpStreamId: number };

/** `unpublished`: the publisher ended; `slow`: too much queued; `left`: the player or its connection is gone. */
export type PlayerEnd = 'unpublished' | 'slow' | 'left';

/** What a player asks of the broadcast it belongs to. */
export interface PlayerOwner {
  /** bytes a player may leave queued */
  maxQueueBytes(): number;
  /** The player is done; called once. */
  left(player: Player, end: PlayerEnd): void;
}

/** A player with less than this queued has caught up with the replay it was given, bytes. */
const CAUGHT_UP_BYTES = 64 * 1024;

/** Somebody who watches one stream: an output, its queue bound, and whether it can decode yet. */
export class Player {
  readonly framing: Framing;
  readonly #output: PlayerOutput;
  readonly #owner: PlayerOwner;
  /** replay bytes given at the start, tolerated in the queue until it has caught up */
  #replayBytes = 0;
  #ended = false;
  /** without a keyframe, nothing after it decodes */
  #waitsForKeyframe = true;
  #audioWaits = false;
  #begun: boolean;

  constructor(framing: Framing, output: PlayerOutput, owner: PlayerOwner) {
    this.framing = framing;
    this.#begun = framing !== 'flv';
    this.#output = output;
    this.#owner = owner;
  }

  /** False while the FLV file header is owed: it waits for the first message, which tells what the stream has. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Writes the FLV file header; a stream of which nothing is known is promised to have both kinds. */
  begin(tracks: Tracks): void {
    if (this.#begun) return;
    this.#begun = true;
    const unknown = !tracks.audio && !tracks.video;
    this.#output.write(flvHeader(tracks.audio || unknown, tracks.video || unknown));
  }

  /** The replay bytes it may still hold in its queue. */
  get replayBytes(): number {
    return this.#replayBytes;
  }

  /** False for video before the first keyframe. Headers and metadata always make sense, and so does audio unless it waits too. */
  wants(message: MediaMessage): boolean {
    if (isHeader(message)) return true;
    if (isKeyframe(message)) this.#waitsForKeyframe = false;
    return !this.#waitsForKeyframe || (message.type !== VIDEO && !this.#audioWaits);
  }

  /**
   * Audio begins with the first keyframe as well. Of a stream without a kept
   * GOP, players would otherwise hear seconds of audio first, and FFmpeg gives
   * up on video that it has not seen by then.
   */
  holdAudio(): void {
    this.#audioWaits = true;
  }

  /**
   * Gives it the framed headers and GOP it starts with, whatever its queue bound is.
   * @param decodes a keyframe is among them
   */
  replay(frames: readonly Buffer[], decodes: boolean): void {
    if (decodes) this.#waitsForKeyframe = false;
    for (const frame of frames) {
      this.#replayBytes += frame.length;
      this.#output.write(frame);
    }
  }

  /** Sends a frame, and drops the player when it does not keep up. */
  send(frame: Buffer): void {
    if (this.#ended) return;
    this.#output.write(frame);
    const queued = this.#output.queuedBytes();
    if (queued <= CAUGHT_UP_BYTES) this.#replayBytes = 0;
    else if (queued > this.#owner.maxQueueBytes() + this.#replayBytes) this.#end('slow');
  }

  /** The publisher ended. */
  finish(): void {
    this.#end('unpublished');
  }

  /** The player's connection is gone or wants no more; idempotent. */
  end(): void {
    this.#end('left');
  }

  #end(end: PlayerEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    if (end === 'unpublished') this.#output.finish();
    else if (end === 'slow') this.#output.destroy();
    this.#owner.left(this, end);
  }
}
