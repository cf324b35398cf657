import dgram from 'node:dgram';
import { once } from 'node:events';
import { Draws } from './draws.ts';

/**
 * A bad network between callers and a UDP port: datagrams are lost, late, out
 * of order and doubled as a seed has it. Each caller has a way of its own, so
 * that the server sees it at a port of its own.
 */

export interface Weather {
  /** share of datagrams lost each way */
  readonly loss?: number;
  /** every datagram takes so long, ms */
  readonly delayMs?: number;
  /** share of datagrams that take `lateMs` longer, and so are overtaken */
  readonly late?: number;
  readonly lateMs?: number;
  /** share of datagrams that arrive twice */
  readonly doubled?: number;
}

/** Callers at once; the relay is for tests of a few. */
const WAYS_MAX = 64;

/** Socket buffers: what a burst of a keyframe needs, bytes. */
const BUFFER_BYTES = 1024 * 1024;

export class LossyRelay {
  readonly #front: dgram.Socket;
  readonly #target: number;
  readonly #draws: Draws;
  readonly #ways = new Map<string, dgram.Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** may be changed while it runs */
  weather: Weather;
  /** datagrams */
  passed = 0;
  lost = 0;

  /** A relay to a loopback port, on a port of its own. */
  static async open(target: number, weather: Weather, seed = 1): Promise<LossyRelay> {
    const relay = new LossyRelay(target, weather, seed);
    relay.#front.bind(0, '127.0.0.1');
    await once(relay.#front, 'listening');
    return relay;
  }

  private constructor(target: number, weather: Weather, seed: number) {
    this.#target = target;
    this.weather = weather;
    this.#draws = new Draws(seed);
    this.#front = dgram.createSocket({
      type: 'udp4',
      recvBufferSize: BUFFER_BYTES,
      sendBufferSize: BUFFER_BYTES,
    });
    this.#front.on('message', (bytes, from) => {
      const way = this.#wayOf(from);
      this.#carry(() => way.send(bytes, this.#target, '127.0.0.1', () => {}));
    });
  }

  get port(): number {
    return this.#front.address().port;
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const way of this.#ways.values()) way.close();
    this.#front.close();
  }

  #wayOf({ address, port }: dgram.RemoteInfo): dgram.Socket {
    const key = `${address}:${port}`;
    const known = this.#ways.get(key);
    if (known !== undefined) return known;
    if (this.#ways.size >= WAYS_MAX) throw new Error(`more than ${WAYS_MAX} callers`);
    const way = dgram.createSocket({
      type: 'udp4',
      recvBufferSize: BUFFER_BYTES,
      sendBufferSize: BUFFER_BYTES,
    });
    way.on('error', () => {});
    way.on('message', (bytes) => this.#carry(() => this.#front.send(bytes, port, address, () => {})));
    this.#ways.set(key, way);
    return way;
  }

  #carry(send: () => void): void {
    const { loss = 0, delayMs = 0, late = 0, lateMs = 0, doubled = 0 } = this.weather;
    if (this.#draws.chance(loss)) {
      this.lost += 1;
      return;
    }
    const copies = this.#draws.chance(doubled) ? 2 : 1;
    for (let i = 0; i < copies; i += 1) {
      this.passed += 1;
      this.#after(delayMs + (this.#draws.chance(late) ? lateMs : 0), send);
    }
  }

  #after(ms: number, send: () => void): void {
    if (ms === 0) {
      send();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      send();
    }, ms);
    this.#timers.add(timer);
  }
}
