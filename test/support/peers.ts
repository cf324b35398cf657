import type { Receipt } from '../../src/core/verdict.ts';
import { type ClientOptions, RtmpClient, type Status } from './rtmp-client.ts';
import type { TestServer } from './server.ts';

/** Between two audio messages of a peer that is kept talking, ms. */
const TALK_MS = 100;

export type PeerOptions = Partial<Omit<ClientOptions, 'port'>> & {
  readonly app?: string;
  readonly port?: number;
};

/** A client that has done everything but publish. */
export interface Candidate {
  readonly client: RtmpClient;
  /** Asks to publish; resolves with the answer. */
  publish(name: string): Promise<Status>;
}

/** The scripted clients of one test, all gone after `leave`. */
export class Peers {
  readonly #server: TestServer;
  readonly #clients: RtmpClient[] = [];
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(server: TestServer) {
    this.#server = server;
  }

  /** A connection after its handshake; rejects when the server refuses it. */
  async open(options: PeerOptions = {}): Promise<RtmpClient> {
    const { app: _app, ...rest } = options;
    const client = await RtmpClient.open({ port: this.#server.ports.rtmp, ...rest });
    this.#clients.push(client);
    return client;
  }

  /** Connects and says nothing: what a refusal at accept closes at once. */
  knock(options: PeerOptions = {}): Promise<RtmpClient> {
    return this.open({ ...options, handshake: 'none' });
  }

  /** Connects, and expects to be closed before a byte is read. */
  async shutOut(options: PeerOptions = {}): Promise<void> {
    const client = await this.knock(options);
    await client.closes();
    if (client.bytesIn > 0) throw new Error(`a refused connection was sent ${client.bytesIn} bytes`);
  }

  async candidate(options: PeerOptions = {}): Promise<Candidate> {
    const client = await this.open(options);
    await client.connect(options.app ?? 'live');
    const streamId = await client.createStream();
    return {
      client,
      publish: (name) => {
        client.command('publish', [null, name, 'live'], streamId);
        return client.status();
      },
    };
  }

  /** A live publisher; fails when it is refused. */
  async publisher(name: string, options: PeerOptions = {}): Promise<RtmpClient> {
    const candidate = await this.candidate(options);
    const answer = await candidate.publish(name);
    if (answer.code !== 'NetStream.Publish.Start')
      throw new Error(`refused: ${answer.code} ${answer.description}`);
    return candidate.client;
  }

  /** Publishes and expects a refusal: one status, no `Publish.Start`, and the close. */
  async refused(name: string, options: PeerOptions = {}): Promise<Status> {
    const { client, publish } = await this.candidate(options);
    const answer = await publish(name);
    await client.closes();
    if (client.statuses.length !== 1) throw new Error(`told ${JSON.stringify(client.statuses)}`);
    return answer;
  }

  /** Sends a little audio until the test ends, so that the peer never looks like a ghost. */
  talk(client: RtmpClient, streamId = 1): () => void {
    let timestamp = 0;
    const say = (): void => {
      client.send({ type: 8, csid: 4, streamId, timestamp, payload: Buffer.from([0xaf, 1, 0x21, 0x10]) });
      timestamp += TALK_MS;
    };
    say();
    const timer = setInterval(say, TALK_MS);
    this.#timers.push(timer);
    return () => clearInterval(timer);
  }

  /** Every client is gone, without a word. */
  leave(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    for (const client of this.#clients.splice(0)) client.socket.destroy();
  }
}

/** The receipt that a refusal names in its line. */
export async function receiptOf(server: TestServer, status: Pick<Status, 'description'>): Promise<Receipt> {
  const id = /receipt=(r-[0-9a-z]+)$/.exec(status.description)?.[1];
  if (id === undefined) throw new Error(`no receipt in "${status.description}"`);
  return server.get<Receipt>(`/api/v1/receipts/${id}`);
}
