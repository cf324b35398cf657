/**
 * What SRT costs: `node bench/load/srt.ts [PUBLISHERS] [SECONDS] [WRITES_PER_SECOND]`. The server
 * on one core with every limit on, the load on the other: publishers of 4 Mbit/s,
 * paced, each with TSBPD at 120 ms. Prints CPU seconds per GB of the server (user
 * and system), resident memory per connection, and what a flood of 1,000 refused
 * handshakes a second does to the running streams; each beside its goal.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pause, TestServer, until } from '../../test/support/server.ts';
import { HandshakeFlood } from '../../test/support/srt-flood.ts';
import { tsClip } from '../../test/support/srt-publishers.ts';

/** 30 writes a second is an encoder of 30 fps; 500 spaces the datagrams out evenly, which no encoder does and costs most. */
const [publishers = 100, seconds = 20, writes = 30] = process.argv.slice(2).map(Number);

const BITS_PER_SECOND = 4_000_000;
const SERVER_CORE = 0;
const LOAD_CORE = 1;
const FLOOD_PER_SECOND = 1_000;

/** Connected before memory is first read: what is there once is not a connection's. */
const WARM = 10;

const GOAL = { cpuPerGb: 7, bytesPerConnection: 512 * 1024 };

const CONFIG = `
limits:
  global: { max_connections: 5000, connection_rate: 10000/s, max_streams: 5000, max_bandwidth: 100Gbps }
  ip: { max_connections: 5000, connection_rate: 10000/s, max_bandwidth: 100Gbps }
  client: { max_streams: 5000, max_bandwidth: 100Gbps, publish_rate: 100000/min }
  stream: { max_bitrate: 6Mbps, max_fps: 60fps, max_packets_per_sec: 2000/s, on_exceed: throttle, grace: never }
deny: [ 127.77.0.0/16 ]
`;

const CACHE = path.resolve(import.meta.dirname, '../../build/bench');

/** The load generator, compiled with what the machine has. */
function compileLoad(): string {
  mkdirSync(CACHE, { recursive: true });
  const program = path.join(CACHE, 'srt-publishers');
  const flags = spawnSync('pkg-config', ['--cflags', '--libs', 'srt'], { encoding: 'utf8' });
  const source = path.join(import.meta.dirname, 'srt-publishers.c');
  const made = spawnSync('cc', ['-O2', '-o', program, source, ...flags.stdout.trim().split(/\s+/)], {
    encoding: 'utf8',
  });
  if (flags.status !== 0 || made.status !== 0) throw new Error(`${flags.stderr}${made.stderr}`);
  return program;
}

/** Publishers of one process of the load. */
class Load {
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];

  constructor(program: string, port: number, first: number, count: number, amount: number, file: string) {
    const args = [
      '-c',
      String(LOAD_CORE),
      program,
      '127.0.0.1',
      String(port),
      String(first),
      String(count),
      String(BITS_PER_SECOND),
      String(amount),
      file,
      String(writes),
    ];
    this.#process = spawn('taskset', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#process.stdout as NodeJS.ReadableStream }).on('line', (line) =>
      this.#lines.push(line),
    );
  }

  says(word: string, deadlineMs: number): Promise<string> {
    return until(
      () => this.#lines.find((line) => line.startsWith(word)),
      `the load to say ${word}`,
      deadlineMs,
    );
  }

  leave(): void {
    this.#process.stdin?.end();
  }
}

interface Transport {
  readonly retransmitted: number;
  readonly lossy: number;
  readonly dropped: number;
}

async function transport(server: TestServer): Promise<Transport> {
  const streams = await server.streams();
  const sum = (of: (stream: (typeof streams)[number]) => number): number =>
    streams.reduce((total, stream) => total + of(stream), 0);
  return {
    retransmitted: sum((stream) => stream.transport.retransmitted ?? 0),
    lossy: sum((stream) => Number((stream.transport.loss ?? 0) > 0)),
    dropped: sum((stream) => stream.usage.dropped_frames),
  };
}

const verdict = (isWithin: boolean): string => (isWithin ? 'within' : 'ABOVE');

const program = compileLoad();
// A size of its own: 4 Mbit/s of pictures at 30 fps.
const file = tsClip({ kbps: 3_700, size: '1280x720' });
/** A heap that collects soon: garbage is not a connection's memory. */
const server = await TestServer.start({ config: CONFIG, nodeArgs: ['--max-semi-space-size=2'] });
// The server is on its core with all the threads it has, and those to come.
spawnSync('taskset', ['-a', '-c', '-p', String(SERVER_CORE), String(server.process.pid)]);
spawnSync('taskset', ['-a', '-c', '-p', String(LOAD_CORE), String(process.pid)]);

const port = server.ports.srt;
const warm = new Load(program, port, 0, WARM, 1, file);
await warm.says('done', 30_000);
const rssBefore = server.rss();
const load = new Load(program, port, WARM, publishers, seconds * 2, file);
await load.says('go', 60_000);

const steady = { cpu: server.cpuSeconds(), bytes: (await server.totals()).bytes, at: performance.now() };
await pause(seconds * 1_000);
const cpu = server.cpuSeconds() - steady.cpu;
const bytes = (await server.totals()).bytes - steady.bytes;
const perGb = cpu / (bytes / 1e9);
const core = (cpu * 100_000) / (performance.now() - steady.at);
console.log(
  `${publishers} publishers of ${BITS_PER_SECOND / 1e6} Mbit/s, ${(bytes / 1e9).toFixed(2)} GB in ${seconds} s: ${cpu.toFixed(2)} CPU s (${core.toFixed(0)} % of a core), ${perGb.toFixed(2)} CPU s/GB; ${verdict(perGb <= GOAL.cpuPerGb)} the goal of ${GOAL.cpuPerGb}`,
);
const each = (server.rss() - rssBefore) / publishers;
const threads = readdirSync(`/proc/${server.process.pid}/task`).length;
console.log(
  `resident memory: ${(each / 1024).toFixed(0)} kB per connection, ${threads} threads; ${verdict(each <= GOAL.bytesPerConnection)} the goal of ${GOAL.bytesPerConnection / 1024} kB`,
);

const quiet = await transport(server);
const flood = await HandshakeFlood.start({
  port,
  localAddress: '127.77.0.1',
  perSecond: FLOOD_PER_SECOND,
  streamId: () => '#!::r=live/flood,m=publish',
});
await pause((seconds * 1_000) / 2);
flood.still();
const after = await transport(server);
console.log(
  `${flood.asked} refused handshakes in ${seconds / 2} s, ${flood.answered} answered (${JSON.stringify([...flood.refused])}): ` +
    `${after.retransmitted - quiet.retransmitted} packets sent again, ${after.dropped - quiet.dropped} frames dropped; before it ${quiet.retransmitted} and ${quiet.dropped}`,
);
flood.close();
console.log(
  `the load's own account (bytes, lost, sent again, dropped): ${(await load.says('done', seconds * 2_000 + 10_000)).slice(5)}`,
);
load.leave();
warm.leave();
await server.stop();
process.exit(0);
