import type { PlayerEnd } from './player.ts';
import { type TsOutput, TsPlayer, type TsPlayerOwner } from './ts-player.ts';

/**
 * The MPEG-TS side of a broadcast, which only a stream that comes as MPEG-TS
 * has: packets go to players as they came, copied once for all of them.
 *
 * No GOP is kept: it would be a second copy of every stream on its way through
 * JavaScript, watched or not. A player that joins starts at the next random
 * access unit.
 */

/** What the publisher's side tells of its transport stream. */
export interface TransportStream {
  /** The last PAT and PMT as whole packets; empty before they are known. */
  tables(): Uint8Array;
  /** False when RTMP and FLV cannot carry what is in it; true as long as that is not known. */
  convertible(): boolean;
  /** So many players want messages now: made of the packets only while somebody does. Not called after the end. */
  messagePlayers(count: number): void;
}

/** The publisher's handle on its MPEG-TS players. */
export interface PacketBroadcast {
  /** Sends whole packets to all. `randomAccess`: they begin with a unit that a decoder can start at. Copies what it keeps. */
  deliver(packets: Uint8Array, randomAccess: boolean): void;
  /** Packets before the next ones were lost. */
  interrupt(): void;
}

/** What it asks of the broadcast it belongs to. */
export interface TsChannelOwner {
  maxQueueBytes(): number;
  /** A player has left, and is no longer counted. */
  packetPlayerLeft(end: PlayerEnd): void;
}

export class TsChannel implements PacketBroadcast, TsPlayerOwner {
  readonly #source: TransportStream;
  readonly #owner: TsChannelOwner;
  readonly #players = new Map<TsPlayer, (end: PlayerEnd) => void>();

  constructor(source: TransportStream, owner: TsChannelOwner) {
    this.#source = source;
    this.#owner = owner;
  }

  get players(): number {
    return this.#players.size;
  }

  maxQueueBytes(): number {
    return this.#owner.maxQueueBytes();
  }

  join(output: TsOutput, onEnd: (end: PlayerEnd) => void): TsPlayer {
    const player = new TsPlayer(output, this);
    this.#players.set(player, onEnd);
    return player;
  }

  deliver(packets: Uint8Array, randomAccess: boolean): void {
    if (this.#players.size === 0 || packets.byteLength === 0) return;
    const shared = Buffer.from(packets);
    let tables: Buffer | null = null;
    const tablesOnce = (): Buffer => {
      tables ??= Buffer.from(this.#source.tables());
      return tables;
    };
    for (const player of this.#players.keys()) {
      if (randomAccess) player.start(tablesOnce);
      player.send(shared);
    }
  }

  interrupt(): void {
    for (const player of this.#players.keys()) player.interrupt();
  }

  /** The publisher ended. */
  finish(): void {
    for (const player of [...this.#players.keys()]) player.finish();
  }

  left(player: TsPlayer, end: PlayerEnd): void {
    const onEnd = this.#players.get(player);
    if (onEnd === undefined) return;
    this.#players.delete(player);
    this.#owner.packetPlayerLeft(end);
    onEnd(end);
  }
}
