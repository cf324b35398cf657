import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { StreamSnapshot, StreamTotals } from '../../src/core/stream.ts';
import type { Receipt } from '../../src/core/verdict.ts';

/**
 * A real `headgate serve` in a process of its own, on free loopback ports, for
 * end-to-end tests.
 */

const ROOT = path.resolve(import.meta.dirname, '../..');

/** How long a test waits for something to become true, ms. */
const DEADLINE_MS = 10_000;

/** Between two looks, ms. */
const POLL_MS = 50;

export interface ServerOptions {
  /** YAML of everything but `listen` */
  readonly config?: string;
  /** YAML lines added to `listen`, two spaces in front; a listener named here is not at its usual place */
  readonly listen?: string;
  readonly env?: Record<string, string>;
  /** runs as that user; only root may ask */
  readonly uid?: number;
  /** its working folder may be read, not written to */
  readonly frozen?: boolean;
  /** arguments of Node itself */
  readonly nodeArgs?: readonly string[];
}

type Place = { host: string; port: number } | null;

/**
 * What keeps a server from looking after its machine, for tests and benches
 * that share theirs with others: a section that `config` has is left to it.
 */
export function undisturbed(config: string): string[] {
  const off = {
    resources: '{ cpu: null, heap: null, memory: null, event_loop: null }',
    adaptive: '{ enabled: false }',
    backpressure: '{ enabled: false }',
  };
  return Object.entries(off)
    .filter(([section]) => !new RegExp(`^${section}:`, 'm').test(config))
    .map(([section, value]) => `${section}: ${value}`);
}

/** What a line of the log holds. */
export type LogLine = { msg: string; level: string } & Record<string, unknown>;

export class TestServer {
  readonly folder: string;
  readonly file: string;
  readonly process: ChildProcess;
  readonly log: LogLine[] = [];
  readonly exited: Promise<number | null>;
  stderr = '';
  ports = { rtmp: 0, rtmps: 0, srt: 0, playback: 0, admin: 0 };
  readonly #listen: string;

  static async start(options: ServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(options);
    const ready = await until(() => {
      if (server.process.exitCode !== null) throw new Error(`headgate did not start: ${server.stderr}`);
      return server.log.find((line) => line.msg === 'headgate is ready');
    }, 'the server to be ready');
    const listening = ready['listening'] as Record<keyof TestServer['ports'], Place> & {
      srt: Place[] | null;
    };
    for (const name of ['rtmp', 'rtmps', 'playback', 'admin'] as const)
      server.ports[name] = listening[name]?.port ?? 0;
    server.ports.srt = listening.srt?.[0]?.port ?? 0;
    return server;
  }

  private constructor(options: ServerOptions) {
    this.folder = mkdtempSync(path.join(tmpdir(), 'headgate-e2e-'));
    this.file = path.join(this.folder, 'headgate.yaml');
    const more = options.listen ?? '';
    const places = ['rtmp', 'srt', 'playback', 'admin']
      .filter((name) => !more.includes(`  ${name}:`))
      .map((name) => `  ${name}: "127.0.0.1:0"`);
    this.#listen = ['listen:', ...places, more].join('\n');
    this.configure(options.config ?? '');
    if (options.frozen === true) chmodSync(this.folder, 0o555);
    const args = [...(options.nodeArgs ?? []), path.join(ROOT, 'src/main.ts'), 'serve', '-c', this.file];
    const env = { ...process.env, NO_COLOR: '1', ...options.env };
    this.process = spawn(process.execPath, args, {
      cwd: this.folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    this.process.stderr?.on('data', (text: Buffer) => {
      this.stderr += text;
    });
    createInterface({ input: this.process.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.log.push(JSON.parse(line) as LogLine);
    });
    this.exited = new Promise((resolve) => this.process.once('exit', resolve));
  }

  /** Rewrites the config file; a running server reloads it by itself. A busy machine refuses nobody, see `undisturbed`. */
  configure(config: string): void {
    writeFileSync(this.file, [this.#listen, config, ...undisturbed(config), ''].join('\n'));
  }

  rtmp(app = 'live'): string {
    return `rtmp://127.0.0.1:${this.ports.rtmp}/${app}`;
  }

  url(pathname: string): string {
    return `http://127.0.0.1:${this.ports.admin}${pathname}`;
  }

  async get<T>(pathname: string): Promise<T> {
    const answer = await this.#fetch(pathname);
    if (!answer.ok) throw new Error(`GET ${pathname}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async streams(): Promise<StreamSnapshot[]> {
    return (await this.get<{ streams: StreamSnapshot[] }>('/api/v1/streams')).streams;
  }

  async totals(): Promise<StreamTotals> {
    return (await this.get<{ totals: StreamTotals }>('/api/v1/streams')).totals;
  }

  /** The stream of that path once it is there, and once `when` holds. */
  stream(
    streamPath: string,
    when: (stream: StreamSnapshot) => boolean = () => true,
  ): Promise<StreamSnapshot> {
    return until(
      async () => (await this.streams()).find((stream) => stream.path === streamPath && when(stream)),
      `stream ${streamPath}`,
    );
  }

  async receipts(query = ''): Promise<Receipt[]> {
    return (await this.get<{ receipts: Receipt[] }>(`/api/v1/receipts${query}`)).receipts;
  }

  /** The newest receipt of that reason, once there is one. */
  receipt(reason: string, when: (receipt: Receipt) => boolean = () => true): Promise<Receipt> {
    return until(
      async () => (await this.receipts(`?reason=${reason}`)).find(when),
      `a receipt for ${reason}`,
    );
  }

  async metric(name: string, labels = ''): Promise<number> {
    const text = await (await this.#fetch('/metrics')).text();
    const line = text.split('\n').find((row) => row.startsWith(`${name}${labels} `));
    return line === undefined ? Number.NaN : Number(line.slice(line.lastIndexOf(' ') + 1));
  }

  /** The API limits its callers too: a test that asks too fast waits for its turn. */
  async #fetch(pathname: string): Promise<Response> {
    for (;;) {
      const answer = await fetch(this.url(pathname));
      if (answer.status !== 429) return answer;
      await answer.arrayBuffer();
      await pause(POLL_MS);
    }
  }

  /** Resident memory, bytes. */
  rss(): number {
    const status = readFileSync(`/proc/${this.process.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  /** CPU spent so far, seconds. */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.process.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(stat[11]) + Number(stat[12])) / 100;
  }

  get alive(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Stops it and removes its folder; resolves with the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    if (this.alive) this.process.kill(signal);
    const code = await this.exited;
    rmSync(this.folder, { recursive: true, force: true });
    return code;
  }
}

/** Waits until `look` gives something other than undefined, null or false; fails after the deadline, never sleeps on. */
export async function until<T>(
  look: () => T | Promise<T>,
  what: string,
  deadlineMs = DEADLINE_MS,
): Promise<NonNullable<Exclude<T, false>>> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false)
      return found as NonNullable<Exclude<T, false>>;
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms for ${what}`);
    await pause(POLL_MS);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
