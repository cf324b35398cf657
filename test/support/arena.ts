import { expect } from 'vitest';
import type { StreamSnapshot, StreamTotals } from '../../src/core/stream.ts';
import type { Receipt } from '../../src/core/verdict.ts';
import { clip, Publisher } from './ffmpeg.ts';
import { type ClientOptions, RtmpClient } from './rtmp-client.ts';
import { type ServerOptions, TestServer, until } from './server.ts';

/**
 * A running server with a well-behaved publisher on it (a real ffmpeg, the
 * bystander), and attackers that each come from a loopback address of their
 * own, so that their receipts, limits and client budgets stay apart.
 */

/** Doors wide open, for tests that are about what happens behind them. */
export const OPEN_DOORS = [
  'limits:',
  '  global: { max_connections: 20000, connection_rate: 100000/s }',
  '  ip: { max_connections: 20000, connection_rate: 100000/s }',
  '  client: { max_streams: 500, publish_rate: 100000/min }',
].join('\n');

/**
 * A heap that collects its garbage soon: what a test then sees in memory is what somebody holds, and a leak of more
 * than this ends the process.
 */
const SMALL_HEAP = ['--max-semi-space-size=4', '--max-old-space-size=160'];

const BYSTANDER = '/live/bystander';

/** How long attackers may take to be gone, and the server to be itself again, ms: above every stage timeout. */
const RECOVERY_MS = 20_000;

interface Resources {
  engine: { connections: number };
}

export class Arena {
  readonly server: TestServer;
  readonly #bystander: Publisher;
  #bystanderId = '';
  #bytesSeen = 0;
  readonly #attackers = new Set<RtmpClient>();
  #addresses = 0;

  /** Starts the server and waits until the bystander streams. */
  static async open(
    options: ServerOptions = {},
    publishUrl?: (server: TestServer) => string,
  ): Promise<Arena> {
    const server = await TestServer.start({ config: OPEN_DOORS, nodeArgs: SMALL_HEAP, ...options });
    const url = publishUrl?.(server) ?? `${server.rtmp()}/bystander`;
    const arena = new Arena(server, new Publisher(clip({ kbps: 1000 }), url));
    try {
      arena.#bystanderId = (await arena.bystander(({ usage }) => usage.frames > 0)).id;
    } catch (error) {
      await arena.#stop();
      throw error;
    }
    return arena;
  }

  private constructor(server: TestServer, bystander: Publisher) {
    this.server = server;
    this.#bystander = bystander;
  }

  bystander(when?: (stream: StreamSnapshot) => boolean): Promise<StreamSnapshot> {
    return this.server.stream(BYSTANDER, when);
  }

  /** A loopback address that nobody used before. */
  freshAddress(): string {
    this.#addresses += 1;
    return `127.66.${this.#addresses >> 8}.${this.#addresses & 0xff}`;
  }

  /** A stranger after the handshake, from an address of its own. */
  async attacker(options: Partial<ClientOptions> = {}): Promise<RtmpClient> {
    const localAddress = options.localAddress ?? this.freshAddress();
    const client = await RtmpClient.open({ port: this.server.ports.rtmp, ...options, localAddress });
    this.#attackers.add(client);
    return client;
  }

  /** A stranger that already publishes `name`. */
  async publisher(name: string, options: Partial<ClientOptions> = {}): Promise<RtmpClient> {
    const client = await this.attacker(options);
    const status = await client.publish('live', name);
    expect(status.code).toBe('NetStream.Publish.Start');
    return client;
  }

  /** The receipt that this attacker earned. */
  receipt(client: RtmpClient, reason: string, detail: RegExp = /./): Promise<Receipt> {
    const ip = client.localAddress;
    return this.server.receipt(reason, (receipt) => receipt.ip === ip && detail.test(receipt.detail));
  }

  /** Waits until the attacker is cut off, and checks that it was told the reason and that the receipt says why. */
  async cutFor(client: RtmpClient, reason: string, detail: RegExp = /./): Promise<Receipt> {
    await client.closes();
    const receipt = await this.receipt(client, reason, detail);
    const told = client.statuses.at(-1);
    expect(told?.level).toBe('error');
    expect(told?.description).toContain(`headgate: ${reason} `);
    return receipt;
  }

  /**
   * All attackers leave. The process lives, everything they held is given back,
   * and the bystander never noticed: the same stream, flowing, nothing dropped,
   * slowed or counted against it.
   */
  async unharmed(): Promise<void> {
    for (const client of this.#attackers) client.vanish();
    this.#attackers.clear();
    expect(this.server.alive).toBe(true);
    const after = await this.#onlyBystander();
    expect(this.#bystander.alive).toBe(true);
    expect(after.id).toBe(this.#bystanderId);
    expect(after.usage).toMatchObject({
      dropped_frames: 0,
      dropped_bytes: 0,
      throttled_ms: 0,
      violations: 0,
    });
    expect(this.server.log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
    expect(this.server.stderr).toBe('');
  }

  /** The bystander leaves too: nothing remains of anybody. Then the server is stopped. */
  async close(): Promise<void> {
    try {
      await this.unharmed();
      await this.#bystander.stop();
      const { engine } = await until(
        async () => {
          const { connections, streams } = await this.server.totals();
          const resources = await this.#resources();
          return connections + streams + resources.engine.connections === 0 ? resources : undefined;
        },
        'the bystander to be gone',
        RECOVERY_MS,
      );
      // One node stays: the server's own budget.
      expect(engine).toMatchObject({ gop_bytes: 0, pending_bytes: 0, slab: { streams: 0, nodes: 1 } });
    } finally {
      await this.#stop();
    }
  }

  async #stop(): Promise<void> {
    await this.#bystander.stop();
    await this.server.stop();
  }

  /** Waits until nobody but the bystander holds anything, and it has sent more since the last time this was asked. */
  async #onlyBystander(): Promise<StreamSnapshot> {
    const alone = await until(
      async () => {
        type Answer = { streams: StreamSnapshot[]; totals: StreamTotals };
        const { streams, totals } = await this.server.get<Answer>('/api/v1/streams');
        const [stream] = streams;
        if (streams.length !== 1 || totals.connections !== 1 || stream?.path !== BYSTANDER) return undefined;
        if (stream.usage.bytes <= this.#bytesSeen) return undefined;
        return (await this.#resources()).engine.connections === 1 ? stream : undefined;
      },
      'everything to be given back but what the bystander holds, and the bystander to stream on',
      RECOVERY_MS,
    );
    this.#bytesSeen = alone.usage.bytes;
    return alone;
  }

  #resources(): Promise<Resources> {
    return this.server.get<Resources>('/api/v1/resources');
  }
}
