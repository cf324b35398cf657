import type { Socket } from 'node:net';
import type { ConnectionLease } from '../../core/admission/admission.ts';
import type { Protocol } from '../../core/stream.ts';
import { monotonicMs } from '../../lib/clock.ts';
import type { OutboxReader } from '../../native/outbox.ts';
import type { LiveStream } from '../live-stream.ts';
import type { MessageRefusal, Player } from '../playback/playback.ts';
import type { StreamConnection } from '../ports.ts';
import { appName } from '../publish-name.ts';
import { replayGop } from '../replay.ts';
import { type AmfValue, decodeCommand, decodeMetadata, isAmfObject } from './amf.ts';
import { Handover } from './handover.ts';
import {
  AUDIO,
  COMMAND_AMF0,
  COMMAND_AMF3,
  DATA_AMF0,
  DATA_AMF3,
  PEER_BANDWIDTH,
  USER_CONTROL,
  VIDEO,
  WINDOW_ACK_SIZE,
} from './message-types.ts';
import * as replies from './replies.ts';
import type { RtmpServices } from './services.ts';

/**
 * The conversation on one RTMP connection: connect, createStream, publish or
 * play, and goodbye (RTMP 1.0 section 7.2). One publish or one play per
 * connection; anything out of order ends it.
 */

/** createStream answers given on one connection; encoders ask once, a few ask twice. */
const STREAMS_MAX = 8;

/** onMetaData messages looked into per stream and second; encoders send one in a session. */
const METADATA_INTERVAL_MS = 1_000;

/** Bytes a peer may leave unread and still have its pings answered. */
const PONGS_UNREAD_MAX = 32 * 1024;

/** User control event types (RTMP 1.0 section 7.1.7). */
const PING_REQUEST = 6;

/** What a player is told that cannot play now: code and reason of its onStatus. */
const PLAY_REFUSALS: Readonly<Record<MessageRefusal, readonly [code: string, why: string]>> = {
  not_published: ['NetStream.Play.StreamNotFound', 'nobody publishes this stream'],
  not_as_messages: [
    'NetStream.Play.Failed',
    'RTMP cannot carry the codecs of this stream; play it over SRT, or as .ts over HTTP',
  ],
  full: ['NetStream.Play.Failed', 'too many players'],
};

interface Command {
  readonly name: string;
  readonly transactionId: number;
  readonly args: readonly AmfValue[];
  /** message stream id it came on */
  readonly streamId: number;
}

type CommandStep = (session: CommandSession, command: Command, now: number) => void;

const STEPS: ReadonlyMap<string, CommandStep> = new Map<string, CommandStep>([
  ['connect', (session, command) => session.connect(command)],
  ['createStream', (session, command) => session.createStream(command)],
  ['releaseStream', (session, command) => session.acknowledge(command)],
  ['FCPublish', (session, command) => session.acknowledge(command)],
  ['publish', (session, command, now) => session.publish(command, now)],
  ['play', (session, command) => session.play(command)],
  ['FCUnpublish', (session, _command, now) => session.unpublish(now)],
  ['closeStream', (session, _command, now) => session.unpublish(now)],
  ['deleteStream', (session, command, now) => session.deleteStream(command, now)],
]);

/** What the conversation asks of the connection that it takes place on. */
export interface CommandPeer extends StreamConnection {
  readonly origin: { readonly ip: string; readonly port: number; readonly protocol: Protocol };
  readonly lease: ConnectionLease;
  /** number of its demuxer, -1 once the connection is over */
  readonly demuxer: number;
  readonly socket: Socket | null;
  /** bytes that the peer has not taken yet */
  readonly unread: number;
  reply(bytes: Uint8Array): void;
  published(stream: LiveStream): void;
  playing(): void;
  unpublish(now: number): void;
  setAckWindow(bytes: number): void;
  farewell(...messages: Uint8Array[]): void;
  violate(detail: string): void;
}

export class CommandSession {
  readonly #connection: CommandPeer;
  readonly #services: RtmpServices;
  /** null before connect */
  #app: string | null = null;
  #streams = 0;
  #stream: LiveStream | null = null;
  #player: Player | null = null;
  /** null where no server is behind this one */
  readonly #handover: Handover | null;
  #metadataAt = Number.NEGATIVE_INFINITY;
  /** message stream id of the publish, for status messages */
  publishStreamId = 0;
  /** published and then said goodbye: the connection has nothing left to do */
  finished = false;

  constructor(connection: CommandPeer, services: RtmpServices) {
    this.#connection = connection;
    this.#services = services;
    const { relay, desk } = services;
    this.#handover = relay === null ? null : new Handover(connection, relay, desk);
  }

  /** Hands out the messages of one feed. */
  dispatch(outbox: OutboxReader, count: number, now: number): void {
    outbox.rewind(count);
    while (outbox.next()) {
      switch (outbox.type) {
        case VIDEO:
        case AUDIO:
          if (this.#stream !== null) this.#deliver(this.#stream, outbox);
          break;
        case DATA_AMF0:
        case DATA_AMF3:
          this.#onDataMessage(outbox, now);
          break;
        case COMMAND_AMF0:
        case COMMAND_AMF3:
          this.#onCommand(outbox, now);
          break;
        case USER_CONTROL:
          this.#onUserControl(outbox.payload());
          break;
        case WINDOW_ACK_SIZE:
          this.#connection.setAckWindow(readUint32(outbox.payload(), 0));
          break;
        case PEER_BANDWIDTH:
          break;
      }
      if (this.#connection.demuxer < 0) return;
    }
  }

  /** The socket is gone. */
  closed(): void {
    this.#stream = null;
    this.#player?.end();
    this.#player = null;
    this.leaveRelay();
  }

  /** The server behind hears that this client has gone. Idempotent. */
  leaveRelay(): void {
    this.#handover?.close();
  }

  connect(command: Command): void {
    const properties = command.args[0];
    const app = isAmfObject(properties) ? properties.get('app') : undefined;
    if (this.#app !== null || typeof app !== 'string' || !isAmfObject(properties)) {
      this.#connection.violate(this.#app !== null ? 'connect was sent twice' : 'connect names no app');
      return;
    }
    this.#app = app;
    this.#handover?.connected(app, properties.get('tcUrl'));
    const encoding = properties.get('objectEncoding');
    this.#connection.reply(replies.windowAckSize());
    this.#connection.reply(replies.setPeerBandwidth());
    this.#connection.reply(replies.setChunkSize());
    this.#connection.reply(replies.connectResult(command.transactionId, encoding === 3 ? 3 : 0));
  }

  createStream(command: Command): void {
    if (this.#app === null || this.#streams >= STREAMS_MAX) {
      this.#connection.violate(this.#app === null ? 'createStream before connect' : 'too many createStream');
      return;
    }
    this.#streams++;
    this.#connection.reply(replies.createStreamResult(command.transactionId, this.#streams));
  }

  acknowledge(command: Command): void {
    if (command.transactionId > 0) this.#connection.reply(replies.emptyResult(command.transactionId));
  }

  publish(command: Command, now: number): void {
    const name = this.#streamName(command, 'publish');
    if (name === null) return;
    this.publishStreamId = command.streamId;
    const began = monotonicMs();
    const answer = this.#services.desk.publish(
      {
        protocol: this.#connection.origin.protocol,
        ip: this.#connection.origin.ip,
        port: this.#connection.origin.port,
        app: this.#app ?? '',
        name,
        connection: this.#connection,
        lease: this.#connection.lease,
        source: { replay: (slot, sink) => replayGop(this.#services, slot, sink) },
      },
      now,
      began,
    );
    if (!answer.ok) {
      this.#connection.farewell(
        replies.onStatus(command.streamId, 'error', rejectionCode(answer.reason), answer.notice),
      );
      return;
    }
    if (this.#handover?.publish(answer.stream, name, command.streamId) === false) return;
    this.#stream = answer.stream;
    this.#services.engine.attach(this.#connection.demuxer, answer.stream.slot, command.streamId);
    this.#connection.published(answer.stream);
    this.#connection.reply(replies.streamBegin(command.streamId));
    this.#connection.reply(
      replies.onStatus(
        command.streamId,
        'status',
        'NetStream.Publish.Start',
        `${answer.stream.identity.path} is now published.`,
      ),
    );
  }

  play(command: Command): void {
    const name = this.#streamName(command, 'play');
    if (name === null) return;
    if (this.#handover !== null) {
      this.#handover.play(name, command.streamId);
      return;
    }
    const path = `/${appName(this.#app ?? '')}/${name.split('?')[0]}`;
    const socket = this.#connection.socket;
    if (socket === null) return;
    const { playback } = this.#services;
    const refusal = playback.refusal(path, 'messages');
    if (refusal !== null) {
      const [code, why] = PLAY_REFUSALS[refusal];
      this.#connection.farewell(replies.onStatus(command.streamId, 'error', code, `headgate: ${why}`));
      return;
    }
    this.#connection.playing();
    this.#connection.reply(replies.streamBegin(command.streamId));
    this.#connection.reply(
      replies.onStatus(command.streamId, 'status', 'NetStream.Play.Reset', 'Playing and resetting stream.'),
    );
    this.#connection.reply(
      replies.onStatus(command.streamId, 'status', 'NetStream.Play.Start', 'Started playing stream.'),
    );
    this.#connection.reply(replies.sampleAccess(command.streamId));
    this.#player = playback.playRtmp(path, socket, command.streamId, () => {
      this.#player = null;
      this.#connection.farewell();
    });
  }

  /** FCUnpublish and closeStream. */
  unpublish(now: number): void {
    this.#player?.end();
    if (this.#stream === null) return;
    this.#stream = null;
    this.leaveRelay();
    this.finished = true;
    this.#connection.unpublish(now);
    this.#connection.reply(
      replies.onStatus(
        this.publishStreamId,
        'status',
        'NetStream.Unpublish.Success',
        'The stream was unpublished.',
      ),
    );
  }

  deleteStream(command: Command, now: number): void {
    // Encoders of the field send odd ids here; there is only one publish, so any id but another stream's means it.
    const id = command.args[1];
    if (
      typeof id === 'number' &&
      this.#stream !== null &&
      id !== this.publishStreamId &&
      id <= this.#streams &&
      id > 0
    )
      return;
    this.unpublish(now);
  }

  /** The stream name of a publish or play that is in order; null when the connection was ended instead. */
  #streamName(command: Command, verb: 'publish' | 'play'): string | null {
    const name = command.args[1];
    const problem =
      this.#app === null
        ? `${verb} before connect`
        : command.streamId < 1 || command.streamId > this.#streams
          ? `${verb} before createStream`
          : this.#stream !== null || this.#player !== null || this.#handover?.active === true || this.finished
            ? `a second publish or play on one connection`
            : typeof name !== 'string' || name === ''
              ? `${verb} names no stream`
              : null;
    if (problem === null && typeof name === 'string') return name;
    this.#connection.violate(problem ?? '');
    return null;
  }

  #onCommand(outbox: OutboxReader, now: number): void {
    const decoded = decodeCommand(
      outbox.payload(),
      outbox.type === COMMAND_AMF3 ? COMMAND_AMF3 : COMMAND_AMF0,
    );
    if (!decoded.ok) {
      this.#connection.violate(`malformed command: ${decoded.problem}`);
      return;
    }
    // Commands nobody knows are ignored: encoders send vendor ones, and a log line each would be a weapon.
    STEPS.get(decoded.name)?.(this, { ...decoded, streamId: outbox.streamId }, now);
  }

  #onDataMessage(outbox: OutboxReader, now: number): void {
    const stream = this.#stream;
    if (stream === null) return;
    if (outbox.isMetadata && now - this.#metadataAt >= METADATA_INTERVAL_MS) {
      this.#metadataAt = now;
      const metadata = decodeMetadata(outbox.payload(), outbox.type === DATA_AMF3 ? DATA_AMF3 : DATA_AMF0);
      if (metadata !== null) stream.describe(metadata.width, metadata.height);
    }
    this.#deliver(stream, outbox);
  }

  #deliver(stream: LiveStream, outbox: OutboxReader): void {
    stream.deliver(outbox);
    this.#handover?.deliver(outbox);
  }

  #onUserControl(payload: Uint8Array): void {
    if (payload.length >= 6 && ((payload[0] as number) << 8) + (payload[1] as number) === PING_REQUEST) {
      // A peer that asks and never reads is not answered for ever.
      if (this.#connection.unread > PONGS_UNREAD_MAX) return;
      this.#connection.reply(replies.pong(readUint32(payload, 2)));
    }
  }
}

/** What a publisher is told that may not publish, or not any more. */
export function rejectionCode(reason: string): string {
  if (reason === 'auth_failed') return 'NetStream.Publish.Denied';
  if (reason === 'stream_duplicate') return 'NetStream.Publish.BadName';
  return 'NetStream.Publish.Rejected';
}

function readUint32(bytes: Uint8Array, at: number): number {
  if (bytes.length < at + 4) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at);
}
