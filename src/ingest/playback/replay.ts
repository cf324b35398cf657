import { VIDEO } from '../rtmp/message-types.ts';
import { isHeader, isKeyframe, type MediaMessage, playable, type Tracks, tracksOf } from './media-message.ts';

/**
 * What a player that joins mid-stream is given before live messages: headers,
 * and the GOP from its keyframe on, framed. It is all of the GOP or none of
 * it: live messages continue where the GOP ends, so a part would not decode.
 * Without it the player gets the headers and waits for a keyframe, like one
 * that came before the first.
 */
export class Replay {
  readonly #roomBytes: number;
  readonly #frame: (message: MediaMessage) => Buffer;
  readonly #headers: Buffer[] = [];
  /** headers and GOP in their order */
  #all: Buffer[] = [];
  #bytes = 0;
  #keyframe = false;
  #audio = false;
  #video = false;

  constructor(roomBytes: number, frame: (message: MediaMessage) => Buffer) {
    this.#roomBytes = roomBytes;
    this.#frame = frame;
  }

  add(message: MediaMessage): void {
    const told = playable(message);
    if (told === null) return;
    const tracks = tracksOf(told);
    this.#audio ||= tracks.audio;
    this.#video ||= tracks.video;
    const header = isHeader(told);
    if (!header) {
      if (isKeyframe(told)) this.#keyframe = true;
      if (told.type === VIDEO && !this.#keyframe) return;
      this.#bytes += told.payload.byteLength;
      if (!this.#fits) {
        this.#all = [];
        return;
      }
    }
    const framed = this.#frame(told);
    if (header) this.#headers.push(framed);
    if (this.#fits) this.#all.push(framed);
  }

  get empty(): boolean {
    return this.frames.length === 0;
  }

  get frames(): readonly Buffer[] {
    return this.#fits ? this.#all : this.#headers;
  }

  /** A player given these frames can decode what comes next. */
  get decodes(): boolean {
    return this.#keyframe && this.#fits;
  }

  get tracks(): Tracks {
    return { audio: this.#audio, video: this.#video };
  }

  get #fits(): boolean {
    return this.#bytes <= this.#roomBytes;
  }
}
