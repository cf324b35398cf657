/**
 * What a published transport stream costs per SRT datagram of seven packets:
 * splitting, tables, access units, accounting and the filter, as the receive
 * thread runs them. Clips of ffmpeg at 2 Mbit/s, watched, filtered without a
 * limit in reach, and dropped to half.
 *
 *   node bench/micro/transport-stream.ts
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { MODE } from '../../src/core/meter/slab-layout.ts';

const exec = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, '../..');
/** At 7 CPU-s/GB a datagram has 9.2 us, libsrt included: this part is to be a tenth of it. */
const GOAL_NS = 900;
const SOURCES = [
  ...['accounting', 'sps', 'ts_filter', 'ts_meter', 'ts_outlet', 'ts_psi', 'ts_publication'],
  ...['ts_video_unit', 'test/ts_run'],
];
/** As the addon is compiled. */
const FLAGS = ['-std=c++17', '-O2', '-fno-exceptions', '-fno-rtti', '-ffp-contract=off'];

const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=30:duration=10'];
const TONE = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=10'];
const CLIPS = {
  h264: ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '30', '-bf', '2', '-c:a', 'aac'],
  hevc: ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none', '-c:a', 'ac3'],
  mpeg2: ['-c:v', 'mpeg2video', '-g', '15', '-bf', '2', '-c:a', 'mp2'],
};
const ROADS = [
  ['watched', 0, MODE.OBSERVE],
  ['filtered, nothing dropped', 1e9, MODE.DROP],
  ['dropped to half', 1e6, MODE.DROP],
] as const;

const dir = mkdtempSync(path.join(tmpdir(), 'headgate-bench-'));
try {
  const program = path.join(dir, 'ts_run');
  const files = SOURCES.map((name) => path.join(ROOT, 'native', `${name}.cc`));
  await exec(process.env['CXX'] ?? 'g++', [...FLAGS, ...files, '-o', program]);
  console.log(`per datagram of 1,316 bytes, best of 15 runs; goal: <= ${GOAL_NS} ns`);
  for (const [name, codec] of Object.entries(CLIPS)) {
    const file = path.join(dir, `${name}.ts`);
    const rate = ['-b:v', '2M', '-pix_fmt', 'yuv420p', '-f', 'mpegts', file];
    await exec('ffmpeg', ['-v', 'error', '-nostdin', ...PICTURE, ...TONE, ...codec, ...rate]);
    for (const [road, limitBps, mode] of ROADS) {
      const { stdout } = await exec(program, ['bench', file, String(limitBps), String(mode)]);
      console.log(`${name.padEnd(6)} ${road.padEnd(26)} ${stdout.trim()}`);
    }
  }
} finally {
  rmSync(dir, { recursive: true });
}
