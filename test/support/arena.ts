import { expect } from 'vitest';
import type { StreamSnapshot } from '../../src/core/stream.ts';
import type { Receipt } from '../../src/core/verdict.ts';
import { Bystander } from './bystander.ts';
import { clip, Publisher } from './ffmpeg.ts';
import { type ClientOptions, RtmpClient } from './rtmp-client.ts';
import { type ServerOptions, type TestServer, until } from './server.ts';

/**
 * A running server with a well-behaved publisher on it (a real ffmpeg, the
 * bystander), and attackers that each come from a loopback address of their
 * own, so that their receipts, limits and client budgets stay apart.
 */

/** How long attackers may take to be gone, and the server to be itself again, ms: above every stage timeout. */
const RECOVERY_MS = 20_000;

interface Resources {
  engine: { connections: number };
}

export class Arena {
  readonly server: TestServer;
  readonly #bystander: Bystander;
  readonly #attackers = new Set<RtmpClient>();
  #addresses = 0;

  /** Starts the server and waits until the bystander streams. */
  static async open(
    options: ServerOptions = {},
    publishUrl: (server: TestServer) => string = (server) => `${server.rtmp()}/bystander`,
  ): Promise<Arena> {
    const encoderFor = (server: TestServer) => new Publisher(clip({ kbps: 1000 }), publishUrl(server));
    const surroundings = {
      recoveryMs: RECOVERY_MS,
      settled: async (server: TestServer) => (await resourcesOf(server)).engine.connections === 1,
    };
    return new Arena(await Bystander.begin(options, encoderFor, surroundings));
  }

  private constructor(bystander: Bystander) {
    this.server = bystander.server;
    this.#bystander = bystander;
  }

  bystander(when?: (stream: StreamSnapshot) => boolean): Promise<StreamSnapshot> {
    return this.#bystander.snapshot(when);
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
    await this.#bystander.unharmed();
  }

  /** The bystander leaves too: nothing remains of anybody. Then the server is stopped. */
  async close(): Promise<void> {
    try {
      await this.unharmed();
      await this.#bystander.encoder.stop();
      const { engine } = await until(
        async () => {
          const { connections, streams } = await this.server.totals();
          const resources = await resourcesOf(this.server);
          return connections + streams + resources.engine.connections === 0 ? resources : undefined;
        },
        'the bystander to be gone',
        RECOVERY_MS,
      );
      // One node stays: the server's own budget.
      expect(engine).toMatchObject({ gop_bytes: 0, pending_bytes: 0, slab: { streams: 0, nodes: 1 } });
    } finally {
      await this.#bystander.stop();
    }
  }
}

function resourcesOf(server: TestServer): Promise<Resources> {
  return server.get<Resources>('/api/v1/resources');
}
