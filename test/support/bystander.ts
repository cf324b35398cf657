import { expect } from 'vitest';
import type { StreamSnapshot, StreamTotals } from '../../src/core/stream.ts';
import { type ServerOptions, TestServer, until } from './server.ts';

/**
 * A well-behaved publisher on a server that is attacked beside it: a real
 * encoder, which must never notice.
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

const PATH = '/live/bystander';

interface Encoder {
  readonly alive: boolean;
  stop(signal?: NodeJS.Signals): Promise<unknown>;
}

/** What the strangers of an arena are like. */
export interface Surroundings {
  /** how long they may take to be gone, and the server to be itself again, ms */
  readonly recoveryMs: number;
  /** whether nothing but the bystander is held behind the API's back either */
  settled?(server: TestServer): Promise<boolean>;
}

export class Bystander {
  readonly server: TestServer;
  readonly encoder: Encoder;
  readonly #surroundings: Surroundings;
  #id = '';
  #bytesSeen = 0;

  /** Starts a server, with an encoder that publishes /live/bystander, and waits until it streams. */
  static async begin(
    options: ServerOptions,
    encoderFor: (server: TestServer) => Encoder,
    surroundings: Surroundings,
  ): Promise<Bystander> {
    const server = await TestServer.start({ config: OPEN_DOORS, nodeArgs: SMALL_HEAP, ...options });
    const bystander = new Bystander(server, encoderFor(server), surroundings);
    try {
      bystander.#id = (await bystander.snapshot(({ usage }) => usage.frames > 0)).id;
    } catch (error) {
      await bystander.stop();
      throw error;
    }
    return bystander;
  }

  private constructor(server: TestServer, encoder: Encoder, surroundings: Surroundings) {
    this.server = server;
    this.encoder = encoder;
    this.#surroundings = surroundings;
  }

  snapshot(when?: (stream: StreamSnapshot) => boolean): Promise<StreamSnapshot> {
    return this.server.stream(PATH, when);
  }

  /**
   * The process lives, everything that others held is given back, and the
   * bystander never noticed: the same stream, flowing, nothing dropped, slowed
   * or counted against it.
   */
  async unharmed(): Promise<StreamSnapshot> {
    expect(this.server.alive).toBe(true);
    const after = await this.#alone();
    expect(this.encoder.alive).toBe(true);
    expect(after.id).toBe(this.#id);
    expect(after.usage).toMatchObject({
      dropped_frames: 0,
      dropped_bytes: 0,
      throttled_ms: 0,
      violations: 0,
    });
    expect(this.server.log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
    expect(this.server.stderr).toBe('');
    return after;
  }

  async stop(): Promise<void> {
    await this.encoder.stop();
    await this.server.stop();
  }

  /** Waits until nobody else holds anything, and it has sent more since the last time this was asked. */
  async #alone(): Promise<StreamSnapshot> {
    const { recoveryMs, settled } = this.#surroundings;
    const alone = await until(
      async () => {
        type Answer = { streams: StreamSnapshot[]; totals: StreamTotals };
        const { streams, totals } = await this.server.get<Answer>('/api/v1/streams');
        const [stream] = streams;
        if (streams.length !== 1 || totals.connections !== 1 || stream?.path !== PATH) return undefined;
        if (stream.usage.bytes <= this.#bytesSeen) return undefined;
        return (await settled?.(this.server)) === false ? undefined : stream;
      },
      'everything to be given back but what the bystander holds, and the bystander to stream on',
      recoveryMs,
    );
    this.#bytesSeen = alone.usage.bytes;
    return alone;
  }
}
