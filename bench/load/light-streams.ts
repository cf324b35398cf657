/**
 * A running server on one core and a crowd of light publishers on the other: what is measured is what the server does
 * with many streams, not with much media.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { TestServer, until } from '../../test/support/server.ts';

const SERVER_CORE = 0;
const LOAD_CORE = 1;

/** Publishing takes a round trip or two each. */
const ALL_LIVE_MS = 120_000;

export class LightStreams {
  readonly server: TestServer;
  readonly #crowd: ChildProcess;

  private constructor(server: TestServer, crowd: ChildProcess) {
    this.server = server;
    this.#crowd = crowd;
  }

  /** `config` beside limits that stand in nobody's way; `nodeArgs` are arguments of the server's Node. */
  static async start(count: number, config = '', nodeArgs: readonly string[] = []): Promise<LightStreams> {
    // Before the server starts: a process that begins with one core has threads for one, and is moved as a whole.
    pin(LOAD_CORE, process.pid);
    const server = await TestServer.start({
      nodeArgs,
      config: `
limits:
  global: { max_connections: 5000, connection_rate: 10000/s, max_streams: 5000, max_bandwidth: 1000Gbps }
  ip: { max_connections: 5000, connection_rate: 10000/s, max_bandwidth: 1000Gbps }
  client: { max_streams: 5000, max_bandwidth: 1000Gbps, publish_rate: 100000/min }
${config}`,
    });
    pin(SERVER_CORE, server.process.pid);
    const program = path.join(import.meta.dirname, 'light-publishers.ts');
    const args = [
      '-c',
      String(LOAD_CORE),
      process.execPath,
      program,
      String(server.ports.rtmp),
      String(count),
    ];
    const crowd = spawn('taskset', args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const all = async () =>
      (await server.metric('headgate_streams', '{protocol="rtmp",state="live"}')) >= count;
    await until(all, `${count} live streams`, ALL_LIVE_MS);
    return new LightStreams(server, crowd);
  }

  /** CPU that the server spends while `act` runs, as a part of one core. */
  async cpuDuring(act: () => Promise<unknown>): Promise<number> {
    const [beganMs, beganCpu] = [performance.now(), this.server.cpuSeconds()];
    await act();
    return (this.server.cpuSeconds() - beganCpu) / ((performance.now() - beganMs) / 1000);
  }

  /** Holds the publishers still while `act` runs: they share a core with whoever measures, who would wait for them. */
  async whileStill<T>(act: () => Promise<T>): Promise<T> {
    this.#crowd.kill('SIGSTOP');
    try {
      return await act();
    } finally {
      this.#crowd.kill('SIGCONT');
    }
  }

  /** `signal` SIGTERM lets a profiled server write its profile. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#crowd.kill('SIGKILL');
    await this.server.stop(signal);
  }
}

function pin(core: number, pid: number | undefined): void {
  spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)]);
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
