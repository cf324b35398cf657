import dgram from 'node:dgram';
import { once } from 'node:events';
import {
  EXTENSION_FLAG,
  HANDSHAKE,
  type Handshake,
  handshakePacket,
  helloExtension,
  readControl,
  readHandshake,
  refusalOf,
  streamIdExtension,
} from './srt-wire.ts';

/**
 * Callers by the thousand out of one UDP socket: each asks for a cookie, brings
 * it back with what it wants, and forgets about it when it is answered.
 */

/** How often a few more set out, ms. */
const TICK_MS = 10;

export interface FloodOptions {
  readonly port: number;
  readonly localAddress: string;
  readonly perSecond: number;
  readonly streamId: (caller: number) => string;
}

export class HandshakeFlood {
  readonly #socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  readonly #options: FloodOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #began = performance.now();
  /** callers that set out */
  asked = 0;
  accepted = 0;
  /** refusals by API code */
  readonly refused = new Map<number, number>();

  static async start(options: FloodOptions): Promise<HandshakeFlood> {
    const flood = new HandshakeFlood(options);
    await once(flood.#socket, 'connect');
    return flood;
  }

  private constructor(options: FloodOptions) {
    this.#options = options;
    this.#socket.on('message', (bytes) => this.#take(bytes));
    this.#socket.on('error', () => {});
    this.#socket.bind(0, options.localAddress, () => this.#socket.connect(options.port, '127.0.0.1'));
    this.#timer = setInterval(() => this.#setOut(), TICK_MS);
  }

  get answered(): number {
    return [...this.refused.values()].reduce((sum, count) => sum + count, this.accepted);
  }

  /** Nobody else sets out; those on their way may arrive. */
  still(): void {
    clearInterval(this.#timer);
  }

  close(): void {
    this.still();
    this.#socket.close();
  }

  #setOut(): void {
    const due = ((performance.now() - this.#began) * this.#options.perSecond) / 1_000;
    for (; this.asked < due; this.asked += 1)
      this.#say({
        version: 4,
        encryption: 0,
        extensionField: 2,
        type: HANDSHAKE.INDUCTION,
        cookie: 0,
        socketId: this.asked + 1,
      });
  }

  #say(
    over: Pick<Handshake, 'version' | 'encryption' | 'extensionField' | 'type' | 'cookie' | 'socketId'>,
    extensions?: Buffer,
  ): void {
    this.#socket.send(
      handshakePacket({ sequence: 1, mss: 1_500, flowWindow: 8_192, ...over }, extensions),
      () => {},
    );
  }

  #take(bytes: Buffer): void {
    const control = readControl(bytes);
    const handshake = control === null ? null : readHandshake(control);
    if (control === null || handshake === null) return;
    const refused = refusalOf(handshake);
    if (refused !== null) this.refused.set(refused, (this.refused.get(refused) ?? 0) + 1);
    else if (handshake.type === HANDSHAKE.CONCLUSION) this.accepted += 1;
    else if (handshake.type === HANDSHAKE.INDUCTION) {
      const wish = Buffer.concat([
        helloExtension(120),
        streamIdExtension(this.#options.streamId(control.destination)),
      ]);
      const kinds = EXTENSION_FLAG.HSREQ | EXTENSION_FLAG.CONFIG;
      this.#say(
        {
          version: 5,
          encryption: 0,
          extensionField: kinds,
          type: HANDSHAKE.CONCLUSION,
          cookie: handshake.cookie,
          socketId: control.destination,
        },
        wish,
      );
    }
  }
}
