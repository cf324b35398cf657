/**
 * Fewer, larger reads when there are many publishers.
 *
 * A paced encoder writes some sixty times a second, and each of its messages
 * wakes the server, which costs several times what the bytes in it cost: with
 * 200 publishers of 2.66 Mbit/s two thirds of all CPU. With a low-water mark
 * on the receive buffer (SO_RCVLOWAT) the kernel reports a socket readable only
 * once `SPAN_MS` worth of stream has come, or its end. Nothing is held back for
 * long: a socket that stays below its mark is asked for what it has.
 *
 * With few publishers the mark stays at one byte, and players are not made to wait.
 */

/** Stretch of stream to let come together, ms: not noticed behind a player's buffer of a second and more. */
const SPAN_MS = 40;

/** Live streams from which on reads are put together: below, the whole server costs a few per cent of a core. */
const STREAMS_MIN = 32;

/** A mark below this saves no wake-up: it is less than one video message. */
const BYTES_MIN = 2_048;

/** A mark must stay well below what one read takes in. */
const BYTES_MAX = 32_768;

/** How often sockets are looked at that have been quiet, ms; what is below the mark waits for twice as long at most. */
export const QUIET_ROUND_MS = 100;

export type SetLowWater = (fd: number, bytes: number) => boolean;

/** Bytes that a stream of this bitrate should gather before it is read, 1 = read at once. */
export function lowWaterBytes(bitrateBps: number, liveStreams: number): number {
  if (liveStreams < STREAMS_MIN) return 1;
  const bytes = Math.floor((bitrateBps / 8000) * SPAN_MS);
  return bytes < BYTES_MIN ? 1 : Math.min(bytes, BYTES_MAX);
}

/** The mark of one socket. */
export class LowWater {
  readonly #set: SetLowWater;
  /** -1 = this socket has no descriptor that could be set */
  readonly #fd: number;
  #now = 1;
  #wanted = 1;
  #quiet = false;

  constructor(set: SetLowWater, fd: number) {
    this.#set = set;
    this.#fd = fd;
  }

  /** Takes effect with the next read; 1 takes the mark away at once. */
  aim(bytes: number): void {
    // A system call for every small change of the bitrate would cost what is saved.
    if (bytes !== 1 && Math.abs(bytes - this.#wanted) < this.#wanted / 4) return;
    this.#wanted = bytes;
    if (bytes === 1) this.#apply(1);
  }

  /** Called for every read. */
  touched(): void {
    this.#quiet = false;
    if (this.#now !== this.#wanted) this.#apply(this.#wanted);
  }

  /** Called every `QUIET_ROUND_MS`: whoever has not been read since the last round is read whatever there is. */
  round(): void {
    if (this.#quiet) this.#apply(1);
    this.#quiet = true;
  }

  #apply(bytes: number): void {
    if (this.#fd < 0 || bytes === this.#now) return;
    // Where the system refuses, the mark stays as it is: reads are only less well put together.
    if (this.#set(this.#fd, bytes)) this.#now = bytes;
    else this.#wanted = this.#now;
  }
}
