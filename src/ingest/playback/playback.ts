import { onStatus, streamEof } from '../rtmp/replies.ts';
import { type Broadcast, type BroadcastOptions, type BroadcastOwner, Channel } from './broadcast.ts';
import type { Framing, Player, PlayerEnd, PlayerOutput, PlayerProtocol } from './player.ts';
import type { TsOutput, TsPlayer } from './ts-player.ts';

export type { Broadcast, BroadcastOptions } from './broadcast.ts';
export type { MediaMessage } from './media-message.ts';
export type { Player, PlayerEnd, PlayerOutput } from './player.ts';
export type { TransportStream } from './ts-channel.ts';
export type { TsOutput, TsPlayer } from './ts-player.ts';

/**
 * Everybody who watches: the streams that can be played, by path, and the
 * bounds that hold over all players.
 */

export interface PlaybackLimits {
  /** players at once, over all streams and protocols */
  readonly maxPlayers: number;
  /** bytes one player may leave unread before it is dropped */
  readonly maxQueueBytes: number;
}

/** Where playback says what happened. */
export interface PlaybackLog {
  info(fields: Record<string, unknown>, text: string): void;
}

/**
 * GOP copies that all joining players together may still have to read, bytes.
 * Without this bound, a thousand players that join a stream with a full GOP
 * and read nothing would cost a thousand GOPs of memory.
 */
const REPLAY_BYTES_MAX = 256 * 1024 * 1024;

/** The side of a player's RTMP connection that is written to: a `net.Socket`. */
export interface RtmpPlayerSocket {
  readonly writableLength: number;
  write(bytes: Buffer): boolean;
  destroy(): void;
}

/** What a player takes: messages, as FLV or on RTMP, or the packets of a transport stream. */
export type PlayedAs = 'messages' | 'packets';

/**
 * Why nobody can play now: nobody publishes there; what is published cannot be
 * put into messages (its codecs are not FLV's); it does not come as MPEG-TS;
 * all players' places are taken.
 */
export type PlayRefusal = 'not_published' | 'not_as_messages' | 'not_as_packets' | 'full';

/** What can be the matter with playing messages. */
export type MessageRefusal = Exclude<PlayRefusal, 'not_as_packets'>;

export interface PlaybackStats {
  readonly players: number;
  readonly byProtocol: Readonly<Record<PlayerProtocol, number>>;
  readonly broadcasts: number;
  /** since the start */
  readonly joined: number;
  readonly droppedSlow: number;
  /** GOP bytes handed to players that have not caught up yet */
  readonly replayBytes: number;
}

export class Playback implements BroadcastOwner {
  #limits: PlaybackLimits;
  readonly #log: PlaybackLog;
  readonly #replayBytesMax: number;
  readonly #channels = new Map<string, Channel>();
  readonly #players = { rtmp: 0, 'http-flv': 0, 'ws-flv': 0, 'http-ts': 0, srt: 0 };
  #joined = 0;
  #droppedSlow = 0;

  constructor(limits: PlaybackLimits, log: PlaybackLog, replayBytesMax = REPLAY_BYTES_MAX) {
    this.#limits = limits;
    this.#log = log;
    this.#replayBytesMax = replayBytesMax;
  }

  /** Takes new limits; players that are here stay. */
  configure(limits: PlaybackLimits): void {
    this.#limits = limits;
  }

  get maxPlayers(): number {
    return this.#limits.maxPlayers;
  }

  /** True while no player more is let in. */
  get full(): boolean {
    return this.#count() >= this.#limits.maxPlayers;
  }

  /** Why a player of `path` would be refused now; null = it would be let in. */
  refusal(path: string, as: 'messages'): MessageRefusal | null;
  refusal(path: string, as: PlayedAs): PlayRefusal | null;
  refusal(path: string, as: PlayedAs): PlayRefusal | null {
    const channel = this.#channels.get(path);
    if (channel === undefined) return 'not_published';
    if (as === 'packets' && channel.packets === null) return 'not_as_packets';
    if (as === 'messages' && !channel.playsMessages) return 'not_as_messages';
    return this.full ? 'full' : null;
  }

  /** Makes `path` playable. A broadcast that is still open there is ended first: its publisher was replaced. */
  open(path: string, options: BroadcastOptions): Broadcast {
    this.#channels.get(path)?.end();
    const channel = new Channel(path, options, this);
    this.#channels.set(path, channel);
    return channel;
  }

  /** The broadcast of `path`, or null when nobody publishes there. */
  get(path: string): Broadcast | null {
    return this.#channels.get(path) ?? null;
  }

  /**
   * Plays `path` on an RTMP connection whose play command has been answered.
   * `onEnd` is called once, whoever ended it; closing the connection (flushed,
   * unless it was destroyed for being slow) is left to it.
   * @returns null when `refusal` says why not
   */
  playRtmp(
    path: string,
    socket: RtmpPlayerSocket,
    streamId: number,
    onEnd: (end: PlayerEnd) => void,
  ): Player | null {
    const output: PlayerOutput = {
      protocol: 'rtmp',
      write: (bytes) => socket.write(bytes),
      queuedBytes: () => socket.writableLength,
      finish: () => {
        socket.write(streamEof(streamId));
        socket.write(
          onStatus(
            streamId,
            'status',
            'NetStream.Play.UnpublishNotify',
            `headgate: ${path} is no longer published`,
          ),
        );
      },
      destroy: () => socket.destroy(),
    };
    return this.#join(path, { rtmpStreamId: streamId }, output, onEnd);
  }

  /** Plays `path` as FLV. Same answers as `playRtmp`. */
  playFlv(path: string, output: PlayerOutput, onEnd: (end: PlayerEnd) => void): Player | null {
    return this.#join(path, 'flv', output, onEnd);
  }

  /** Plays `path` as MPEG-TS, over HTTP or SRT. Same answers as `playRtmp`. */
  playTs(path: string, output: TsOutput, onEnd: (end: PlayerEnd) => void): TsPlayer | null {
    if (this.refusal(path, 'packets') !== null) return null;
    const leave = this.#enter(output.protocol, onEnd);
    return this.#channels.get(path)?.joinPackets(output, leave) ?? null;
  }

  stats(): PlaybackStats {
    return {
      players: this.#count(),
      byProtocol: { ...this.#players },
      broadcasts: this.#channels.size,
      joined: this.#joined,
      droppedSlow: this.#droppedSlow,
      replayBytes: this.#replayBytes(),
    };
  }

  // -- BroadcastOwner -----------------------------------------------------------------------------

  maxQueueBytes(): number {
    return this.#limits.maxQueueBytes;
  }

  replayRoom(): number {
    return Math.max(0, this.#replayBytesMax - this.#replayBytes());
  }

  playerLeft(path: string, end: PlayerEnd): void {
    if (end !== 'slow') return;
    this.#droppedSlow += 1;
    this.#log.info({ path, queued_bytes_max: this.#limits.maxQueueBytes }, 'a slow player was dropped');
  }

  ended(channel: Channel): void {
    if (this.#channels.get(channel.path) === channel) this.#channels.delete(channel.path);
  }

  #join(
    path: string,
    framing: Framing,
    output: PlayerOutput,
    onEnd: (end: PlayerEnd) => void,
  ): Player | null {
    if (this.refusal(path, 'messages') !== null) return null;
    return this.#channels.get(path)?.join(framing, output, this.#enter(output.protocol, onEnd)) ?? null;
  }

  /** Counts a player in; what it returns counts it out. */
  #enter(protocol: PlayerProtocol, onEnd: (end: PlayerEnd) => void): (end: PlayerEnd) => void {
    this.#players[protocol] += 1;
    this.#joined += 1;
    return (end) => {
      this.#players[protocol] -= 1;
      onEnd(end);
    };
  }

  #count(): number {
    let count = 0;
    for (const players of Object.values(this.#players)) count += players;
    return count;
  }

  #replayBytes(): number {
    let bytes = 0;
    for (const channel of this.#channels.values()) bytes += channel.replayBytes;
    return bytes;
  }
}
