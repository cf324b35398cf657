import net from 'node:net';
import tls from 'node:tls';
import type { FlvTag } from './flv.ts';
import {
  type Amf,
  amf,
  be,
  ChunkReader,
  chunksOf,
  decodeAmf,
  type Ecma,
  type HandshakeKind,
  type MessageToSend,
  makeC1,
  type ReceivedMessage,
  verifyS1S2,
} from './rtmp-wire.ts';

/**
 * A scriptable RTMP client for tests: as polite as an encoder, or as rude as
 * the test wants (`write` sends any bytes). Waiting is always for a message or
 * the close, under a deadline.
 */

/** How long a test waits for an answer, ms. */
const DEADLINE_MS = 5_000;

export interface ClientOptions {
  readonly port: number;
  readonly host?: string;
  readonly localAddress?: string;
  /** speak TLS (rtmps), certificate not verified */
  readonly tls?: boolean;
  /** `none` connects and says nothing */
  readonly handshake?: HandshakeKind | 'none';
  readonly allowHalfOpen?: boolean;
}

/** A decoded command: `_result`, `_error`, `onStatus`, ... */
export interface ReceivedCommand {
  readonly name: string;
  readonly transactionId: number;
  readonly args: readonly unknown[];
  readonly streamId: number;
}

export interface Status {
  readonly level: string;
  readonly code: string;
  readonly description: string;
}

export class RtmpClient {
  readonly socket: net.Socket;
  /** every message received so far, in order */
  readonly messages: ReceivedMessage[] = [];
  /** chunk size of what we send */
  chunkSize = 128;
  bytesIn = 0;
  /** what the server broke, if it did */
  violation: Error | null = null;
  closed = false;
  /** where it connected from; stays known after the close */
  readonly localAddress: string;
  /** resolves when the socket is closed, by whomever */
  readonly whenClosed: Promise<void>;
  /** null before a handshake; whether S1 and S2 were right after it */
  handshakeVerified: boolean | null = null;
  #transactionId = 0;
  #reader: ChunkReader | null = null;
  #raw: Buffer = Buffer.alloc(0);
  readonly #waiting = new Set<() => void>();

  /** Connects and, unless told otherwise, does the simple handshake. */
  static async open(options: ClientOptions): Promise<RtmpClient> {
    const { host = '127.0.0.1', port } = options;
    const target = {
      host,
      port,
      allowHalfOpen: options.allowHalfOpen ?? false,
      ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
    };
    const socket = options.tls ? tls.connect({ ...target, rejectUnauthorized: false }) : net.connect(target);
    const client = new RtmpClient(socket, options.localAddress ?? host);
    await new Promise<void>((resolve, reject) => {
      socket.once(options.tls ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
    });
    const handshake = options.handshake ?? 'simple';
    if (handshake !== 'none') await client.shakeHands(handshake);
    return client;
  }

  private constructor(socket: net.Socket, localAddress: string) {
    this.socket = socket;
    this.localAddress = localAddress;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => this.#received(bytes));
    this.whenClosed = new Promise((resolve) => {
      socket.once('close', () => {
        this.closed = true;
        this.#wake();
        resolve();
      });
    });
  }

  async shakeHands(kind: HandshakeKind = 'simple'): Promise<void> {
    const c1 = makeC1(kind);
    this.write(Buffer.from([3]), c1);
    const reply = await this.#until(
      () => (this.#raw.length >= 3073 ? this.#raw : null),
      'the handshake reply',
    );
    const s1 = reply.subarray(1, 1537);
    this.handshakeVerified = reply[0] === 3 && verifyS1S2(kind, c1, s1, reply.subarray(1537, 3073));
    this.write(s1);
    this.#reader = new ChunkReader();
    const rest = reply.subarray(3073);
    this.#raw = Buffer.alloc(0);
    if (rest.length > 0) this.#parse(rest);
  }

  // -- sending --------------------------------------------------------------------------------------

  /** Any bytes, as they are. False when the socket's buffer is full. */
  write(...parts: Buffer[]): boolean {
    return this.socket.writable ? this.socket.write(Buffer.concat(parts)) : false;
  }

  /** Resolves when what was written has left the process, or the socket closed. */
  async drained(deadlineMs = DEADLINE_MS): Promise<void> {
    if (this.socket.writableLength === 0 || this.closed) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the server takes no bytes')), deadlineMs);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.socket.once('drain', done);
      this.socket.once('close', done);
    });
  }

  send(message: MessageToSend): boolean {
    return this.write(...chunksOf({ chunkSize: this.chunkSize, ...message }));
  }

  /** Announces and uses a chunk size. */
  setChunkSize(bytes: number): void {
    this.send({ type: 1, csid: 2, payload: be(bytes, 4) });
    this.chunkSize = bytes;
  }

  /** Sends a command with the next transaction id, which is returned. */
  command(name: string, args: (Amf | Ecma)[], streamId = 0): number {
    this.#transactionId += 1;
    this.send({ type: 20, csid: 3, streamId, payload: amf(name, this.#transactionId, ...args) });
    return this.#transactionId;
  }

  /** Sends a tag of an FLV file as an encoder does: metadata behind @setDataFrame. */
  sendTag(tag: FlvTag, streamId = 1): boolean {
    const payload = tag.type === 18 ? Buffer.concat([amf('@setDataFrame'), tag.payload]) : tag.payload;
    const csid = tag.type === 8 ? 4 : 6;
    return this.send({ type: tag.type, csid, streamId, timestamp: tag.timestamp, payload });
  }

  /** Sends tags as fast as the server takes them; stops when it closes. */
  async sendTags(tags: readonly FlvTag[], streamId = 1): Promise<void> {
    for (const tag of tags) {
      if (this.closed) return;
      if (!this.sendTag(tag, streamId)) await this.drained();
    }
  }

  // -- the conversation -----------------------------------------------------------------------------

  /** connect; resolves with `_result` or `_error`. */
  async connect(app: string, properties: Record<string, Amf> = {}): Promise<ReceivedCommand> {
    const tcUrl = `rtmp://127.0.0.1/${app}`;
    const id = this.command('connect', [
      { app, type: 'nonprivate', flashVer: 'FMLE/3.0', tcUrl, ...properties },
    ]);
    return this.reply(id);
  }

  /** createStream; resolves with the stream id. */
  async createStream(): Promise<number> {
    const answer = await this.reply(this.command('createStream', [null]));
    return answer.args[1] as number;
  }

  /** Everything from connect to publish, as ffmpeg and OBS do it. Resolves with the answer to publish. */
  async publish(app: string, name: string): Promise<Status> {
    await this.connect(app);
    this.setChunkSize(4096);
    this.command('releaseStream', [null, name]);
    this.command('FCPublish', [null, name]);
    const streamId = await this.createStream();
    this.command('publish', [null, name, 'live'], streamId);
    return this.status();
  }

  /** Everything from connect to play. Resolves with the first status that is not Play.Reset. */
  async play(app: string, name: string): Promise<Status> {
    await this.connect(app);
    const streamId = await this.createStream();
    this.command('play', [null, name, -2000], streamId);
    return this.status((status) => status.code !== 'NetStream.Play.Reset');
  }

  /** Says goodbye in words and closes. */
  async unpublish(name: string, streamId = 1): Promise<void> {
    this.command('FCUnpublish', [null, name]);
    this.command('deleteStream', [null, streamId]);
    this.socket.end();
    await this.whenClosed;
  }

  /** Vanishes without a word, as after kill -9. */
  vanish(): void {
    // Node can reset a bare TCP socket only.
    if (this.socket instanceof tls.TLSSocket) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  // -- receiving ------------------------------------------------------------------------------------

  /** Commands received so far. */
  get commands(): ReceivedCommand[] {
    return this.messages.filter((message) => message.type === 20).map(commandOf);
  }

  /** onStatus messages received so far. */
  get statuses(): Status[] {
    return this.commands.filter(({ name }) => name === 'onStatus').map(({ args }) => args[1] as Status);
  }

  /** Audio, video and data received so far, as FLV tags. */
  get media(): FlvTag[] {
    return this.messages.filter(({ type }) => type === 8 || type === 9 || type === 18);
  }

  reply(transactionId: number): Promise<ReceivedCommand> {
    const wanted = (): ReceivedCommand | null =>
      this.commands.find((it) => it.transactionId === transactionId && /^_(result|error)$/.test(it.name)) ??
      null;
    return this.#until(wanted, `the reply to call ${transactionId}`);
  }

  /** The first onStatus that matches, already here or still to come. */
  status(matches: (status: Status) => boolean = () => true, deadlineMs = DEADLINE_MS): Promise<Status> {
    return this.#until(() => this.statuses.find(matches) ?? null, 'onStatus', deadlineMs);
  }

  /** The first message that matches, already here or still to come. */
  message(
    matches: (message: ReceivedMessage) => boolean,
    deadlineMs = DEADLINE_MS,
  ): Promise<ReceivedMessage> {
    return this.#until(() => this.messages.find(matches) ?? null, 'a message', deadlineMs);
  }

  /** Waits for the close; rejects when the server keeps the connection. */
  async closes(deadlineMs = DEADLINE_MS): Promise<void> {
    await this.#until(() => (this.closed ? true : null), 'the close', deadlineMs);
  }

  // -- inside ---------------------------------------------------------------------------------------

  #received(bytes: Buffer): void {
    this.bytesIn += bytes.length;
    if (this.#reader === null) this.#raw = Buffer.concat([this.#raw, bytes]);
    else this.#parse(bytes);
    this.#wake();
  }

  #parse(bytes: Buffer): void {
    if (this.violation !== null) return;
    try {
      this.messages.push(...(this.#reader as ChunkReader).push(bytes));
    } catch (error) {
      this.violation = error as Error;
    }
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look();
  }

  #until<T>(look: () => T | null, what: string, deadlineMs = DEADLINE_MS): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        act();
      };
      const check = (): void => {
        const found = look();
        if (found !== null) settle(() => resolve(found));
        else if (this.violation !== null) settle(() => reject(this.violation));
        else if (this.closed)
          settle(() => reject(new Error(`closed while waiting for ${what}; ${this.#story()}`)));
      };
      const timer = setTimeout(
        () => settle(() => reject(new Error(`no sign of ${what} in ${deadlineMs} ms; ${this.#story()}`))),
        deadlineMs,
      );
      this.#waiting.add(check);
      check();
    });
  }

  #story(): string {
    const told = this.commands.map(({ name, args }) => `${name} ${JSON.stringify(args)}`);
    return `received ${this.bytesIn} bytes, ${this.messages.length} messages: ${told.join(', ')}`;
  }
}

function commandOf(message: ReceivedMessage): ReceivedCommand {
  const [name, transactionId, ...args] = decodeAmf(message.payload);
  return { name: name as string, transactionId: transactionId as number, args, streamId: message.streamId };
}
