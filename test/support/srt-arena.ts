import { expect } from 'vitest';
import type { StreamSnapshot } from '../../src/core/stream.ts';
import type { Receipt } from '../../src/core/verdict.ts';
import { Bystander } from './bystander.ts';
import { pause, type ServerOptions, type TestServer, until } from './server.ts';
import { type CallAnswer, type CallOptions, SrtCaller } from './srt-client.ts';
import { SrtPublisher, tsClip } from './srt-publishers.ts';
import { messagesOf, VideoTs } from './ts-wire.ts';

/**
 * A running server with a real encoder on it over SRT (the bystander), and
 * strangers who speak SRT themselves, each from an address of its own. They
 * all share the port, the thread behind it and libsrt with the bystander.
 */

/** How long strangers may take to be gone, ms: a vanished peer is noticed after five seconds. */
const RECOVERY_MS = 15_000;

/** Between two messages of a stranger that is kept talking, ms. */
const TALK_MS = 40;

/** An answer to what a stranger said last is there after so long, ms: it says goodbye to the connection it was given. */
const ANSWER_MS = 50;

export type StrangerOptions = Partial<CallOptions>;

export class SrtArena {
  readonly server: TestServer;
  readonly #bystander: Bystander;
  readonly #strangers = new Set<SrtCaller>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #addresses = 0;

  /** Starts the server and waits until the bystander streams. `passphrase` is the listener's, if it has one. */
  static async open(options: ServerOptions = {}, passphrase?: string): Promise<SrtArena> {
    const encoderFor = (server: TestServer) => {
      const target = { port: server.ports.srt, streamId: '#!::r=live/bystander,m=publish' };
      return new SrtPublisher(
        'ffmpeg',
        tsClip({ kbps: 1000 }),
        passphrase === undefined ? target : { ...target, passphrase },
      );
    };
    return new SrtArena(await Bystander.begin(options, encoderFor, { recoveryMs: RECOVERY_MS }));
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
    return `127.88.${this.#addresses >> 8}.${this.#addresses & 0xff}`;
  }

  /** A stranger that has not said a word. */
  async stranger(options: StrangerOptions = {}): Promise<SrtCaller> {
    const localAddress = options.localAddress ?? this.freshAddress();
    const caller = await SrtCaller.bind({ port: this.server.ports.srt, ...options, localAddress });
    this.#strangers.add(caller);
    return caller;
  }

  /** A stranger after the whole handshake, and how it was answered. */
  async call(options: StrangerOptions = {}): Promise<{ caller: SrtCaller; answer: CallAnswer }> {
    const caller = await this.stranger(options);
    await caller.induce();
    return { caller, answer: await caller.conclude() };
  }

  /** A stranger that publishes `name`, once the server shows it. */
  async publisher(name: string, options: StrangerOptions = {}): Promise<SrtCaller> {
    const { caller, answer } = await this.call({ streamId: `#!::r=live/${name},m=publish`, ...options });
    expect(answer).toEqual({ accepted: true });
    await this.server.stream(`/live/${name}`);
    return caller;
  }

  /** Sends sound video for as long as the test lasts, so that the stranger never looks like a ghost. */
  talk(caller: SrtCaller, frameBytes = 1_000): VideoTs {
    const video = new VideoTs();
    let frames = 0;
    const say = (): void => {
      for (const message of messagesOf(video.frame(frameBytes, frames % 25 === 0))) caller.send(message);
      frames += 1;
    };
    say();
    this.#timers.add(setInterval(say, TALK_MS));
    return video;
  }

  /** The receipt that this stranger earned. */
  receipt(caller: SrtCaller, reason: string, detail: RegExp = /./): Promise<Receipt> {
    const ip = caller.localAddress;
    return this.server.receipt(reason, (receipt) => receipt.ip === ip && detail.test(receipt.detail));
  }

  /**
   * All strangers leave. The process lives, everything they held is given back,
   * and the bystander never noticed: the same stream, flowing, nothing lost,
   * asked for again, dropped or counted against it.
   */
  async unharmed(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers.clear();
    await pause(ANSWER_MS);
    for (const stranger of this.#strangers) stranger.hangUp();
    this.#strangers.clear();
    const after = await this.#bystander.unharmed();
    expect(after.transport).toMatchObject({ loss: 0, retransmitted: 0 });
  }

  /** The bystander leaves too: nothing remains of anybody. Then the server is stopped. */
  async close(): Promise<void> {
    try {
      await this.unharmed();
      await this.#bystander.encoder.stop('SIGTERM');
      await until(
        async () => {
          const { connections, streams } = await this.server.totals();
          return connections + streams === 0;
        },
        'the bystander to be gone',
        RECOVERY_MS,
      );
      type Resources = { engine: { slab: { streams: number; nodes: number } } };
      // One node stays: the server's own budget.
      expect((await this.server.get<Resources>('/api/v1/resources')).engine.slab).toMatchObject({
        streams: 0,
        nodes: 1,
      });
    } finally {
      await this.#bystander.stop();
    }
  }
}
