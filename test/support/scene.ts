import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Burners } from './burners.ts';
import { Publisher } from './ffmpeg.ts';
import { type ServerOptions, TestServer } from './server.ts';
import { SrtPublisher } from './srt-publishers.ts';

/**
 * A running server with real publishers around it and, if it must be, others
 * that take its processors away. All of it ends with the scene: a test of its
 * own has one of its own, so that several may run side by side.
 */
export class Scene implements AsyncDisposable {
  readonly server: TestServer;
  readonly #running: { stop(): Promise<unknown> }[] = [];

  static async open(config: readonly string[], options: ServerOptions = {}): Promise<Scene> {
    return new Scene(await TestServer.start({ ...options, config: config.join('\n') }));
  }

  private constructor(server: TestServer) {
    this.server = server;
  }

  /** An ffmpeg that publishes a clip at its own pace; `name` is what the encoder says. */
  rtmp(name: string, file: string): Publisher {
    return this.#runs(new Publisher(file, `${this.server.rtmp()}/${name}`));
  }

  srt(name: string, file: string): SrtPublisher {
    const target = { port: this.server.ports.srt, streamId: `#!::r=live/${name},m=publish` };
    return this.#runs(new SrtPublisher('ffmpeg', file, target));
  }

  /** Others want every processor from now on. */
  burn(): Burners {
    return this.#runs(new Burners());
  }

  /** Leaves the server one processor, which it has to share with somebody who wants all of it. */
  async starve(): Promise<void> {
    await pin(this.server.process.pid, CORE);
    const burners = this.#runs(new Burners(1));
    for (const pid of burners.pids) await pin(pid, CORE);
    await burners.burning();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#running.splice(0).reverse()) await one.stop();
    await this.server.stop();
  }

  #runs<T extends { stop(): Promise<unknown> }>(one: T): T {
    this.#running.push(one);
    return one;
  }
}

/** A processor that every machine has. */
const CORE = 0;

/** All threads of the process run there and nowhere else, by taskset of util-linux. */
async function pin(pid: number | undefined, core: number): Promise<void> {
  await promisify(execFile)('taskset', ['-a', '-c', '-p', String(core), String(pid)]);
}
