import type { PlayerEnd, PlayerOutput } from './player.ts';

/** Where the packets of an MPEG-TS player go: HTTP or SRT. */
export interface TsOutput extends Omit<PlayerOutput, 'write'> {
  /** False: there is no room, and not a byte of it was taken. */
  write(packets: Buffer): boolean;
}

/** What a player asks of the channel it belongs to. */
export interface TsPlayerOwner {
  /** bytes a player may leave queued, or miss in a row */
  maxQueueBytes(): number;
  /** The player is done; called once. */
  left(player: TsPlayer, end: PlayerEnd): void;
}

/**
 * Somebody who watches one stream as MPEG-TS. It starts at a random access
 * unit with the tables in front, and starts again like this after a gap.
 *
 * Two kinds of output are slow in two ways. HTTP takes everything, and queues
 * it: the player is dropped when too much waits. SRT refuses what its send
 * buffer has no room for: the player misses the rest up to the next random
 * access unit, and is dropped when it missed too much without one whole
 * stretch in between.
 */
export class TsPlayer {
  readonly #output: TsOutput;
  readonly #owner: TsPlayerOwner;
  #waits = true;
  /** bytes refused by the output since it last took all from one random access unit to the next */
  #missedBytes = 0;
  #refusedSinceStart = false;
  #ended = false;

  constructor(output: TsOutput, owner: TsPlayerOwner) {
    this.#output = output;
    this.#owner = owner;
  }

  /** True until it has been started, and again after a gap. */
  get waits(): boolean {
    return this.#waits;
  }

  /** Packets of the stream are missing from here on: what follows them decodes only from the next random access unit. */
  interrupt(): void {
    this.#waits = true;
  }

  /** A random access unit comes next: the tables go in front of it when the player waited for one. */
  start(tables: () => Buffer): void {
    if (!this.#waits) {
      if (!this.#refusedSinceStart) this.#missedBytes = 0;
      this.#refusedSinceStart = false;
      return;
    }
    this.#waits = false;
    this.#refusedSinceStart = false;
    this.#write(tables());
  }

  /** Sends whole packets, unless it waits; drops the player when it does not keep up. */
  send(packets: Buffer): void {
    if (this.#ended) return;
    const maxBytes = this.#owner.maxQueueBytes();
    if (!this.#waits) this.#write(packets);
    else if (this.#missedBytes > 0) this.#missedBytes += packets.length;
    if (this.#missedBytes > maxBytes || this.#output.queuedBytes() > maxBytes) this.#end('slow');
  }

  /** The publisher ended. */
  finish(): void {
    this.#end('unpublished');
  }

  /** The player's connection is gone or wants no more; idempotent. */
  end(): void {
    this.#end('left');
  }

  #write(packets: Buffer): void {
    if (this.#ended || this.#output.write(packets)) return;
    this.#missedBytes += packets.length;
    this.#refusedSinceStart = true;
    this.#waits = true;
  }

  #end(end: PlayerEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    if (end === 'unpublished') this.#output.finish();
    else if (end === 'slow') this.#output.destroy();
    this.#owner.left(this, end);
  }
}
