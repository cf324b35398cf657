/**
 * What a connection costs in resident memory: `node bench/load/memory.ts [COUNT]`.
 *
 * Starts a server, fills it with COUNT (1,000) idle TCP connections, then with
 * COUNT publishers that keep no GOP, and prints the growth of resident memory
 * by each, after the garbage is collected. Some of the same kind are connected
 * before, so that code and tables that are there once are not counted as a
 * connection's. Kernel buffers are the kernel's and not in these figures.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { undisturbed } from '../../test/support/server.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const COUNT = Number(process.argv[2] ?? 1_000);

/** Connected before the measurement begins, and held through it. */
const WARM = 200;

/** Goals, bytes. */
const IDLE_MAX = 16 * 1024;
const PUBLISHER_MAX = 40 * 1024;

/** Collections in a row until nothing more is given back; between two, ms. */
const COLLECTIONS = 6;
const COLLECTION_MS = 300;

/** Lowered before measuring, V8's young generation does not grow with the fill. */
const YOUNG_SPACE = '--max-semi-space-size=4';

const CONFIG = `
listen: { rtmp: "127.0.0.1:0", srt: null, playback: "127.0.0.1:0", admin: null }
timeouts: { handshake: 1h, publish: 1h, idle: 1d }
playback: { gop_per_stream: 0MiB, gop_total: 0MiB }
limits:
  global: { max_connections: unlimited, connection_rate: 100000/s, max_streams: unlimited }
  ip: { max_connections: unlimited, connection_rate: 100000/s }
  client: { max_streams: unlimited, publish_rate: 100000/s, max_bandwidth: unlimited }
`;

interface Held {
  /** resident memory */
  readonly resident: number;
  /** the same with live objects in place of the whole JavaScript heap: room that lay free in it does not hide a cost */
  readonly used: number;
}

class Server {
  readonly #process: ChildProcess;
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'headgate-memory-'));
  port = 0;

  private constructor() {
    const file = path.join(this.#folder, 'headgate.yaml');
    writeFileSync(file, [CONFIG, ...undisturbed(CONFIG)].join('\n'));
    const collect = path.join(ROOT, 'test/support/collect-on-signal.ts');
    const args = [
      '--expose-gc',
      YOUNG_SPACE,
      '--import',
      collect,
      path.join(ROOT, 'src/main.ts'),
      'serve',
      '-c',
      file,
    ];
    this.#process = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  static async start(): Promise<Server> {
    const server = new Server();
    for await (const line of createInterface({ input: server.#process.stdout as NodeJS.ReadableStream })) {
      const { msg, listening } = JSON.parse(line) as { msg: string; listening?: { rtmp: { port: number } } };
      if (msg !== 'headgate is ready' || listening === undefined) continue;
      server.port = listening.rtmp.port;
      break;
    }
    server.#process.stdout?.resume();
    return server;
  }

  /** Bytes held once the garbage is collected. */
  async held(): Promise<Held> {
    let least: Held = { resident: Number.POSITIVE_INFINITY, used: Number.POSITIVE_INFINITY };
    for (let i = 0; i < COLLECTIONS; i++) {
      this.#process.kill('SIGUSR2');
      const [, used, heap] = /^collected (\d+) (\d+)/.exec(await this.#said()) ?? [];
      await pause(COLLECTION_MS);
      const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
      const resident = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
      const held = { resident, used: resident - Number(heap) + Number(used) };
      if (held.used < least.used) least = held;
    }
    return least;
  }

  descriptors(): number {
    return readdirSync(`/proc/${this.#process.pid}/fd`).length;
  }

  async #said(): Promise<string> {
    const [line] = await once(this.#process.stderr as NodeJS.ReadableStream, 'data');
    return String(line);
  }

  stop(): void {
    this.#process.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

type Connect = (port: number, i: number) => Promise<net.Socket>;

function idle(port: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1' }, () => resolve(socket));
    socket.once('error', reject);
  });
}

// -- a publisher in as few words as there are ----------------------------------------------------------

function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(2, value.length >> 8, value.length & 255), Buffer.from(value)]);
}

function number(value: number): Buffer {
  const out = Buffer.alloc(9);
  out.writeDoubleBE(value, 1);
  return out;
}

/** One message as a single type 0 chunk. */
function message(type: number, streamId: number, body: Buffer): Buffer {
  const header = Buffer.alloc(12);
  header[0] = 3;
  header.writeUIntBE(body.length, 4, 3);
  header[7] = type;
  header.writeUInt32LE(streamId, 8);
  return Buffer.concat([header, body]);
}

const NULL = Buffer.of(5);
const APP = Buffer.concat([Buffer.of(3, 0, 3), Buffer.from('app'), text('live'), Buffer.of(0, 0, 9)]);
/** Announces chunks as large as the messages here (type 1 on chunk stream 2). */
const CHUNK_SIZE = Buffer.of(2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 1, 0, 0);
/** A frame of some 2.5 Mbit/s at 30 fps. */
const FRAME = message(9, 1, Buffer.concat([Buffer.of(0x27, 1, 0, 0, 0), Buffer.alloc(10_000)]));

/** Publishes and sends some frames; resolves when it is live. */
async function publisher(port: number, i: number): Promise<net.Socket> {
  const socket = await idle(port);
  socket.write(Buffer.concat([Buffer.of(3), Buffer.alloc(1536)]));
  await heard(socket, 3_073);
  const publish = [text('publish'), number(3), NULL, text(`memory${i}`), text('live')];
  socket.write(
    Buffer.concat([
      Buffer.alloc(1536),
      message(20, 0, Buffer.concat([text('connect'), number(1), APP])),
      message(20, 0, Buffer.concat([text('createStream'), number(2), NULL])),
      message(20, 1, Buffer.concat(publish)),
    ]),
  );
  await heard(socket, 'NetStream.Publish.Start');
  socket.write(Buffer.concat([CHUNK_SIZE, ...Array.from({ length: 10 }, () => FRAME)]));
  return socket;
}

/** Resolves once so many bytes, or that text, have come. */
function heard(socket: net.Socket, what: number | string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = '';
    const listen = (bytes: Buffer): void => {
      seen += bytes.toString('latin1');
      if (typeof what === 'number' ? seen.length < what : !seen.includes(what)) return;
      socket.off('data', listen);
      resolve();
    };
    socket.on('data', listen);
    socket.once('close', () => reject(new Error(`closed before ${what}`)));
  });
}

async function fill(server: Server, connect: Connect, from: number, count: number): Promise<net.Socket[]> {
  const sockets: net.Socket[] = [];
  for (let i = from; i < from + count; i++) sockets.push(await connect(server.port, i));
  await pause(1_000);
  return sockets;
}

/** Bytes that each of COUNT connections of one kind takes. */
async function costOf(server: Server, connect: Connect): Promise<Held> {
  const warm = await fill(server, connect, 0, WARM);
  const before = await server.held();
  const measured = await fill(server, connect, WARM, COUNT);
  const after = await server.held();
  if ([...warm, ...measured].some(({ closed }) => closed))
    throw new Error('the server has closed connections');
  if (server.descriptors() < WARM + COUNT) throw new Error('the server has not taken all connections');
  for (const socket of [...warm, ...measured]) socket.destroy();
  return { resident: (after.resident - before.resident) / COUNT, used: (after.used - before.used) / COUNT };
}

const kb = (bytes: number): string => `${(bytes / 1024).toFixed(1)} kB`;

async function report(what: string, connect: Connect, goal: number): Promise<void> {
  const server = await Server.start();
  const { resident, used } = await costOf(server, connect);
  server.stop();
  const verdict = Math.max(resident, used) <= goal ? 'within' : 'ABOVE';
  const grown = `resident memory grew by ${kb(resident)} each, what is used of it by ${kb(used)}`;
  console.log(`${COUNT} x ${what}: ${grown}; ${verdict} the goal of ${kb(goal)}`);
}

await report('idle TCP connection', idle, IDLE_MAX);
await report('connected publisher without GOP', publisher, PUBLISHER_MAX);
