import dgram from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { until } from './server.ts';
import {
  CONTROL,
  type ControlPacket,
  controlPacket,
  type DataPacket,
  dataPacket,
  EXTENSION,
  EXTENSION_FLAG,
  extension,
  HANDSHAKE,
  type Handshake,
  handshakePacket,
  helloExtension,
  lostIn,
  readControl,
  readHandshake,
  readPayload,
  refusalOf,
  streamIdExtension,
} from './srt-wire.ts';

/**
 * A caller that speaks SRT itself, over a UDP socket of its own: it does what
 * a sound encoder does unless it is told to do otherwise, step by step.
 */

/** Sent packets that are kept for retransmission. */
const KEPT_MAX = 4_096;

/** A handshake without an answer is sent again after so long, and given up after the other, ms. */
const REPEAT_MS = 250;
const HANDSHAKE_MS = 5_000;

export interface CallOptions {
  readonly port: number;
  readonly host?: string;
  /** the address it calls from */
  readonly localAddress?: string;
  readonly streamId?: Buffer | string;
  readonly latencyMs?: number;
  /** a key message, sound or not */
  readonly km?: Buffer;
  /** fields of the handshake that are to be something else */
  readonly induction?: Partial<Handshake>;
  readonly conclusion?: Partial<Handshake>;
  /** the extension blocks, in place of the sound ones */
  readonly extensions?: Buffer;
}

/** `refused` holds the API code: 1402 is overload. */
export type CallAnswer = { readonly accepted: true } | { readonly accepted: false; readonly refused: number };

let socketIds = 1_000 + (process.pid % 100_000);

export class SrtCaller {
  readonly #socket: dgram.Socket;
  readonly #options: CallOptions;
  readonly socketId: number;
  /** socket id of the connection at the server, 0 before it is known */
  peerId = 0;
  /** next sequence and message number */
  sequence = 0x1000;
  message = 1;
  /** the server has said goodbye */
  closed = false;
  /** data packets that came from the server */
  readonly received: Buffer[] = [];
  readonly controls = new Map<number, number>();
  retransmitted = 0;
  #cookie = 0;
  #isGone = false;
  #answer: CallAnswer | null = null;
  readonly #began = performance.now();
  readonly #kept = new Map<number, DataPacket>();

  /** Binds its socket; says nothing yet. */
  static async bind(options: CallOptions): Promise<SrtCaller> {
    const caller = new SrtCaller(options);
    await once(caller.#socket, 'listening');
    // A connected socket sends at once: a goodbye is on its way before the socket is closed.
    caller.#socket.connect(options.port, options.host ?? '127.0.0.1');
    await once(caller.#socket, 'connect');
    return caller;
  }

  /** The whole handshake. */
  static async call(options: CallOptions): Promise<{ caller: SrtCaller; answer: CallAnswer }> {
    const caller = await SrtCaller.bind(options);
    await caller.induce();
    return { caller, answer: await caller.conclude() };
  }

  private constructor(options: CallOptions) {
    this.#options = options;
    socketIds += 1;
    this.socketId = socketIds;
    const host = options.host ?? '127.0.0.1';
    const isSix = isIPv6(host);
    this.#socket = dgram.createSocket({ type: isSix ? 'udp6' : 'udp4', recvBufferSize: 1024 * 1024 });
    this.#socket.on('message', (bytes) => this.#take(bytes));
    // A port that nobody listens on any more answers by ICMP.
    this.#socket.on('error', () => {});
    this.#socket.bind(0, options.localAddress ?? (isSix ? '::1' : '127.0.0.1'));
  }

  get localAddress(): string {
    return this.#socket.address().address;
  }

  /** Microseconds of this connection, modulo 2^32. */
  get timestamp(): number {
    return Math.floor((performance.now() - this.#began) * 1_000) % 2 ** 32;
  }

  // -- handshake ----------------------------------------------------------------------------------------

  /** Asks for a cookie until it is given one. */
  async induce(): Promise<number> {
    await this.#repeat(
      () => this.sendInduction(),
      () => this.#cookie !== 0 || this.#answer !== null,
      'an answer to the induction',
    );
    return this.#cookie;
  }

  sendInduction(): void {
    const sound = { version: 4, encryption: 0, extensionField: 2, type: HANDSHAKE.INDUCTION, cookie: 0 };
    this.raw(handshakePacket({ ...this.#common(), ...sound, ...this.#options.induction }));
  }

  /** Brings the cookie back, with what it wants, until it is let in or refused. */
  async conclude(): Promise<CallAnswer> {
    await this.#repeat(
      () => this.sendConclusion(),
      () => this.#answer !== null,
      'an answer to the conclusion',
    );
    return this.#answer as CallAnswer;
  }

  sendConclusion(): void {
    this.raw(handshakePacket(this.#conclusion(), this.#options.extensions ?? this.#extensions()));
  }

  #common(): Pick<Handshake, 'sequence' | 'mss' | 'flowWindow' | 'socketId'> {
    return { sequence: this.sequence, mss: 1_500, flowWindow: 8_192, socketId: this.socketId };
  }

  #conclusion(): Handshake {
    const { km, streamId, conclusion } = this.#options;
    const kinds =
      EXTENSION_FLAG.HSREQ | (km ? EXTENSION_FLAG.KMREQ : 0) | (streamId ? EXTENSION_FLAG.CONFIG : 0);
    const sound = {
      version: 5,
      encryption: km ? 2 : 0,
      extensionField: kinds,
      type: HANDSHAKE.CONCLUSION,
      cookie: this.#cookie,
    };
    return { ...this.#common(), ...sound, ...conclusion };
  }

  #extensions(): Buffer {
    const { km, streamId, latencyMs = 120 } = this.#options;
    const blocks = [helloExtension(latencyMs)];
    if (km) blocks.push(extension(EXTENSION.KMREQ, km));
    if (streamId) blocks.push(streamIdExtension(streamId));
    return Buffer.concat(blocks);
  }

  async #repeat(say: () => void, isAnswered: () => boolean, what: string): Promise<void> {
    say();
    let saidAt = performance.now();
    await until(
      () => {
        if (isAnswered()) return true;
        if (performance.now() - saidAt > REPEAT_MS) {
          say();
          saidAt = performance.now();
        }
        return false;
      },
      what,
      HANDSHAKE_MS,
    );
  }

  // -- a connection ---------------------------------------------------------------------------------------

  /** Sends one payload as a message of its own. */
  send(payload: Buffer, over: Partial<DataPacket> = {}): void {
    const sound = {
      sequence: this.sequence,
      message: this.message,
      timestamp: this.timestamp,
      destination: this.peerId,
      payload,
    };
    const packet = { ...sound, ...over };
    this.sequence = (this.sequence + 1) & 0x7fffffff;
    this.message = (this.message + 1) & 0x3ffffff || 1;
    this.#kept.set(packet.sequence, packet);
    if (this.#kept.size > KEPT_MAX) this.#kept.delete(this.#kept.keys().next().value as number);
    this.raw(dataPacket(packet));
  }

  /** A control packet to the connection, or to `destination`. */
  control(packet: Omit<ControlPacket, 'destination'> & { readonly destination?: number }): void {
    this.raw(controlPacket({ timestamp: this.timestamp, destination: this.peerId, ...packet }));
  }

  /** Any bytes, as one datagram. */
  raw(bytes: Buffer): void {
    if (!this.#isGone) this.#socket.send(bytes, () => {});
  }

  /** Says goodbye as the protocol wants it, and is gone. */
  hangUp(): void {
    this.control({ type: CONTROL.SHUTDOWN, body: Buffer.alloc(4) });
    this.vanish();
  }

  /** Is gone without a word: what kill -9 does. */
  vanish(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.closed = true;
    this.#socket.close();
  }

  /** Waits until the server says goodbye. */
  async closes(deadlineMs?: number): Promise<void> {
    await until(() => this.closed, 'the server to end the connection', deadlineMs);
  }

  #take(bytes: Buffer): void {
    const control = readControl(bytes);
    if (control === null) {
      const payload = readPayload(bytes);
      if (payload !== null) this.received.push(Buffer.from(payload));
      return;
    }
    this.controls.set(control.type, (this.controls.get(control.type) ?? 0) + 1);
    if (control.type === CONTROL.HANDSHAKE) this.#answered(readHandshake(control));
    else if (control.type === CONTROL.ACK && control.info !== 0)
      this.control({ type: CONTROL.ACKACK, info: control.info, body: Buffer.alloc(4) });
    else if (control.type === CONTROL.NAK) this.#sendAgain(control.body);
    else if (control.type === CONTROL.SHUTDOWN) this.closed = true;
  }

  #answered(handshake: Handshake | null): void {
    if (handshake === null) return;
    const refused = refusalOf(handshake);
    if (refused !== null) this.#answer ??= { accepted: false, refused };
    else if (handshake.type === HANDSHAKE.INDUCTION) this.#cookie = handshake.cookie;
    else if (handshake.type === HANDSHAKE.CONCLUSION) {
      this.peerId = handshake.socketId;
      this.#answer ??= { accepted: true };
    }
  }

  #sendAgain(body: Buffer): void {
    for (const sequence of lostIn(body)) {
      const packet = this.#kept.get(sequence);
      if (packet === undefined) continue;
      this.retransmitted += 1;
      this.raw(dataPacket({ ...packet, retransmitted: true }));
    }
  }
}
