import { frameFlv, frameRtmpMedia } from '../rtmp/nms.ts';
import { type MediaMessage, playable, tracksOf } from './media-message.ts';
import { type Framing, Player, type PlayerEnd, type PlayerOutput, type PlayerOwner } from './player.ts';
import { Replay } from './replay.ts';
import { type PacketBroadcast, type TransportStream, TsChannel, type TsChannelOwner } from './ts-channel.ts';
import type { TsOutput, TsPlayer } from './ts-player.ts';

/**
 * One stream's way from its publisher to its players.
 *
 * A message is framed once for each framing that has a player now, and the
 * same buffer is queued on all of their sockets, so a message costs its framing
 * and a write per player. With no player it costs nothing: `onPlayers` lets
 * the publisher's side stop handing messages over. A stream that comes as
 * MPEG-TS has a second way beside this one, see `TsChannel`.
 */

/** What the publisher's side does for its players. */
export interface BroadcastOptions {
  /** Hands headers and GOP to `sink`, oldest first, before it returns; payloads need to live only during the call. */
  replay(sink: (message: MediaMessage) => void): void;
  /** The number of players of all kinds changed. Not called any more after `end`. */
  onPlayers(count: number): void;
  /** Of a stream that comes as MPEG-TS; without it, it is not played as such. */
  readonly transportStream?: TransportStream | null;
}

/** The publisher's handle on its players. */
export interface Broadcast {
  readonly path: string;
  /** of all kinds */
  readonly players: number;
  /** the players that take MPEG-TS; null when the stream does not come as such */
  readonly packets: PacketBroadcast | null;
  /** Sends a message to all who can use it. Copies what it keeps. */
  deliver(message: MediaMessage): void;
  /** No messages can be made of the stream any more: players that wait for them are told the end and closed. */
  endMessages(): void;
  /** The publisher is gone: its players are told and closed. Idempotent. */
  end(): void;
}

/** What a broadcast asks of the playback it belongs to. */
export interface BroadcastOwner {
  maxQueueBytes(): number;
  /** replay bytes that a player joining now may be given */
  replayRoom(): number;
  playerLeft(path: string, end: PlayerEnd): void;
  ended(channel: Channel): void;
}

export class Channel implements Broadcast, PlayerOwner, TsChannelOwner {
  readonly path: string;
  readonly packets: TsChannel | null;
  readonly #options: BroadcastOptions;
  readonly #owner: BroadcastOwner;
  readonly #players = new Map<Player, (end: PlayerEnd) => void>();
  #ended = false;

  constructor(path: string, options: BroadcastOptions, owner: BroadcastOwner) {
    this.path = path;
    this.#options = options;
    this.#owner = owner;
    const source = options.transportStream ?? null;
    this.packets = source === null ? null : new TsChannel(source, this);
  }

  get players(): number {
    return this.#players.size + (this.packets?.players ?? 0);
  }

  /** Players that want messages can be given some, or that is not known yet. */
  get playsMessages(): boolean {
    return this.#options.transportStream?.convertible() ?? true;
  }

  /** Replay bytes that its players may still hold in their queues. */
  get replayBytes(): number {
    let bytes = 0;
    for (const player of this.#players.keys()) bytes += player.replayBytes;
    return bytes;
  }

  maxQueueBytes(): number {
    return this.#owner.maxQueueBytes();
  }

  deliver(message: MediaMessage): void {
    if (this.#players.size === 0) return;
    const told = playable(message);
    if (told === null) return;
    const frames = new SharedFrames(told);
    for (const player of this.#players.keys()) {
      if (!player.wants(told)) continue;
      if (!player.begun) player.begin(tracksOf(told));
      player.send(frames.in(player.framing));
    }
  }

  /** Seats a player: headers and GOP at once, live messages from the next one on. */
  join(framing: Framing, output: PlayerOutput, onEnd: (end: PlayerEnd) => void): Player {
    const player = new Player(framing, output, this);
    const replay = new Replay(this.#owner.replayRoom(), (message) => frame(message, framing));
    this.#options.replay((message) => replay.add(message));
    if (!replay.empty) {
      player.begin(replay.tracks);
      player.replay(replay.frames, replay.decodes);
    }
    // What comes as MPEG-TS has no GOP kept: a keyframe is a while away.
    if (this.packets !== null && replay.tracks.video) player.holdAudio();
    this.#players.set(player, onEnd);
    this.#playersChanged();
    return player;
  }

  /** Seats a player that takes MPEG-TS; null when the stream does not come as such. */
  joinPackets(output: TsOutput, onEnd: (end: PlayerEnd) => void): TsPlayer | null {
    const player = this.packets?.join(output, onEnd) ?? null;
    if (player !== null) this.#playersChanged();
    return player;
  }

  endMessages(): void {
    for (const player of [...this.#players.keys()]) player.finish();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.endMessages();
    this.packets?.finish();
    this.#owner.ended(this);
  }

  left(player: Player, end: PlayerEnd): void {
    const onEnd = this.#players.get(player);
    if (onEnd === undefined) return;
    this.#players.delete(player);
    this.#owner.playerLeft(this.path, end);
    this.#playersChanged();
    onEnd(end);
  }

  packetPlayerLeft(end: PlayerEnd): void {
    this.#owner.playerLeft(this.path, end);
    this.#playersChanged();
  }

  #playersChanged(): void {
    if (this.#ended) return;
    this.#options.transportStream?.messagePlayers(this.#players.size);
    this.#options.onPlayers(this.players);
  }
}

function frame(message: MediaMessage, framing: Framing): Buffer {
  return framing === 'flv'
    ? frameFlv(message.type, message.timestamp, message.payload)
    : frameRtmpMedia(message.type, message.timestamp, framing.rtmpStreamId, message.payload);
}

/** A message in every framing that was asked for, made once each. */
class SharedFrames {
  readonly #message: MediaMessage;
  #flv: Buffer | null = null;
  /** by message stream id: players choose it, nearly all have 1 */
  #rtmp: Map<number, Buffer> | null = null;

  constructor(message: MediaMessage) {
    this.#message = message;
  }

  in(framing: Framing): Buffer {
    if (framing === 'flv') {
      this.#flv ??= frame(this.#message, framing);
      return this.#flv;
    }
    this.#rtmp ??= new Map();
    const known = this.#rtmp.get(framing.rtmpStreamId);
    if (known !== undefined) return known;
    const made = frame(this.#message, framing);
    this.#rtmp.set(framing.rtmpStreamId, made);
    return made;
  }
}
