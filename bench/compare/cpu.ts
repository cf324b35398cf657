/**
 * CPU of the server under the same load, Headgate with all limits on against
 * bare node-media-server 4.4.3, in turn on the same core, the load on the other:
 *
 *   node bench/compare/cpu.ts [paced|full] [ROUNDS] [PUBLISHERS]
 *
 * Prints CPU seconds (user + system, of the server's process, from the first
 * media byte to the last) and their ratio, round by round and as a median.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { undisturbed } from '../../test/support/server.ts';

const [pace = 'paced', rounds = '3', publishers = '200'] = process.argv.slice(2);
const AMOUNT = pace === 'paced' ? '20' : '10';
const ROOT = path.resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'headgate-bench-'));

/** Every limit is on; at full speed they are set so high that none of them slows, for the comparison is of CPU. */
const STREAM_LIMITS = {
  paced: 'max_bitrate: 6Mbps, max_fps: 60fps, max_packets_per_sec: 2000/s',
  full: 'max_bitrate: 100Gbps, max_fps: 1000000fps, max_packets_per_sec: 100000000/s',
}[pace];
const CONFIG = `
listen: { rtmp: "127.0.0.1:0", srt: null, playback: null, admin: "127.0.0.1:0" }
limits:
  global: { max_connections: 5000, connection_rate: 10000/s, max_streams: 5000, max_bandwidth: 1000Gbps }
  ip: { max_connections: 5000, connection_rate: 10000/s, max_bandwidth: 1000Gbps }
  client: { max_streams: 5000, max_bandwidth: 1000Gbps, publish_rate: 100000/min }
  stream: { ${STREAM_LIMITS}, on_exceed: throttle, grace: never }
`;

interface Server {
  readonly process: ChildProcess;
  readonly port: number;
}

function lines(child: ChildProcess, onLine: (line: string) => void): void {
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', onLine);
}

function onCore(core: number, args: string[]): ChildProcess {
  return spawn('taskset', ['-c', String(core), process.execPath, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: folder,
  });
}

function startHeadgate(): Promise<Server> {
  const file = path.join(folder, 'headgate.yaml');
  writeFileSync(file, [CONFIG, ...undisturbed(CONFIG)].join('\n'));
  const child = onCore(0, [path.join(ROOT, 'src/main.ts'), 'serve', '-c', file]);
  return new Promise((resolve) => {
    lines(child, (line) => {
      const { msg, listening } = JSON.parse(line);
      if (msg === 'headgate is ready') resolve({ process: child, port: listening.rtmp.port });
    });
  });
}

function startNms(): Promise<Server> {
  const port = 20_000 + Math.floor(process.pid % 10_000);
  const child = onCore(0, [path.join(ROOT, 'bench/compare/nms-server.ts'), String(port), folder]);
  return new Promise((resolve) => {
    lines(child, (line) => {
      if (line === 'ready') setTimeout(() => resolve({ process: child, port }), 500);
    });
  });
}

function cpuSeconds(child: ChildProcess): number {
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(stat[11]) + Number(stat[12])) / 100;
}

async function measure(start: () => Promise<Server>): Promise<{ cpu: number; bytes: number; ms: number }> {
  const server = await start();
  const load = onCore(1, [
    path.join(ROOT, 'bench/load/publishers.ts'),
    String(server.port),
    publishers,
    AMOUNT,
    pace,
  ]);
  let before = 0;
  const result = await new Promise<{ cpu: number; bytes: number; ms: number }>((resolve) => {
    lines(load, (line) => {
      if (line === 'go') before = cpuSeconds(server.process);
      if (!line.startsWith('done')) return;
      const [, bytes = '0', ms = '0'] = line.split(' ');
      resolve({ cpu: cpuSeconds(server.process) - before, bytes: Number(bytes), ms: Number(ms) });
    });
  });
  const gone = new Promise((resolve) => server.process.once('exit', resolve));
  server.process.kill('SIGKILL');
  await gone;
  return result;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const ratios: number[] = [];
console.log(
  `${publishers} publishers, ${pace === 'paced' ? '20 s at 2.66 Mbit/s' : '10 MB each at full speed'}`,
);
for (let round = 1; round <= Number(rounds); round++) {
  const ours = await measure(startHeadgate);
  const theirs = await measure(startNms);
  ratios.push(ours.cpu / theirs.cpu);
  const show = (run: { cpu: number; bytes: number; ms: number }) =>
    `${run.cpu.toFixed(2)} CPU s for ${(run.bytes / 1e9).toFixed(2)} GB in ${(run.ms / 1000).toFixed(1)} s`;
  console.log(
    `round ${round}: headgate ${show(ours)} | node-media-server ${show(theirs)} | ratio ${(ours.cpu / theirs.cpu).toFixed(3)}`,
  );
}
console.log(`median ratio ${median(ratios).toFixed(3)}`);
rmSync(folder, { recursive: true, force: true });
