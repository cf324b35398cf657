import { execFile } from 'node:child_process';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AUDIO_CODECS, MODE, VIDEO_CODECS } from '../../src/core/meter/slab-layout.ts';
import { decode, scratchDir } from './clips.ts';
import { buildProgram, run } from './native-build.ts';

/** Compiling under sanitizers takes most of it. */
const BUILD_TIMEOUT_MS = 600_000;
const CLIP_TIMEOUT_MS = 60_000;
const PACKET_BYTES = 188;
/** Payloads of SRT: seven packets, and the most there can be, which is no whole number of them. */
const DATAGRAM_BYTES = [7 * PACKET_BYTES, 1456] as const;
const SECONDS = 6;

const exec = promisify(execFile);
const dir = scratchDir();
const file = (name: string) => path.join(dir, name);
let program = '';

beforeAll(async () => {
  program = await buildProgram('ts-run', [
    'native/accounting.cc',
    'native/sps.cc',
    'native/ts_filter.cc',
    'native/ts_meter.cc',
    'native/ts_outlet.cc',
    'native/ts_psi.cc',
    'native/ts_publication.cc',
    'native/ts_video_unit.cc',
    'native/test/ts_run.cc',
  ]);
}, BUILD_TIMEOUT_MS);
afterAll(() => rmSync(dir, { recursive: true }));

const QUIET = ['-hide_banner', '-loglevel', 'error', '-nostdin', '-y'];
const PICTURE = ['-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=25:duration=${SECONDS}`];
const TONE = ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${SECONDS}`];
const X264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2', '-b:v', '600k', '-pix_fmt', 'yuv420p'];
const X265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-bf', '3', '-b:v', '600k', '-pix_fmt', 'yuv420p'];

interface Sort {
  readonly name: string;
  readonly args: readonly string[];
  readonly codecs: readonly [video: string, audio: string];
}

/** HEVC as x265 writes it by default has an open GOP: pictures that refer to the one before. */
const SORTS: readonly Sort[] = [
  {
    name: 'h264',
    args: [...PICTURE, ...TONE, ...X264, '-g', '25', '-c:a', 'aac', '-b:a', '64k'],
    codecs: ['h264', 'aac'],
  },
  {
    name: 'hevc',
    args: [
      ...PICTURE,
      ...TONE,
      ...X265,
      '-g',
      '25',
      '-x265-params',
      'log-level=none',
      '-c:a',
      'ac3',
      '-b:a',
      '64k',
    ],
    codecs: ['hevc', 'ac3'],
  },
  {
    name: 'mpeg2',
    args: [
      ...PICTURE,
      ...TONE,
      '-c:v',
      'mpeg2video',
      '-g',
      '12',
      '-bf',
      '2',
      '-b:v',
      '1M',
      '-c:a',
      'mp2',
      '-b:a',
      '64k',
    ],
    codecs: ['mpeg2', 'mp2'],
  },
  {
    name: 'two-sounds',
    args: [
      ...[...PICTURE, ...TONE, ...TONE, '-map', '0', '-map', '1', '-map', '2'],
      ...[...X264, '-g', '50', '-c:a:0', 'libopus', '-c:a:1', 'aac', '-muxrate', '2M'],
    ],
    codecs: ['h264', 'opus'],
  },
];

interface Unit {
  readonly pts: string;
  readonly dts: string;
  readonly key: boolean;
}

async function probed(name: string): Promise<Unit[]> {
  const { stdout } = await exec('ffprobe', [
    ...['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pts,dts,flags'],
    ...['-of', 'csv=p=0', file(name)],
  ]);
  const lines = stdout.split('\n').filter((line) => /^\d/.test(line));
  return lines.map((line) => {
    const [pts = '', dts = '', flags = ''] = line.split(',');
    return { pts, dts, key: flags.startsWith('K') };
  });
}

/** Words of a line `name value name value ...`. */
function figures(output: string): Record<string, number> {
  const words = output.trim().split(/\s+/);
  return Object.fromEntries(words.flatMap((word, i) => (i % 2 === 0 ? [[word, Number(words[i + 1])]] : [])));
}

async function metered(name: string): Promise<{ units: Unit[]; seen: Record<string, number> }> {
  const { code, output } = await run(program, ['units', file(name)]);
  expect(code, output).toBe(0);
  const lines = output.split('\n').filter((line) => line.startsWith('unit '));
  const units = lines.map((line) => {
    const [, , pts = '', dts = '', flags = ''] = line.split(' ');
    return { pts, dts, key: flags.includes('K') };
  });
  return { units, seen: figures(output.slice(output.indexOf('video_codec'))) };
}

async function filtered(name: string, out: string, limitBps: number, mode: number, bytes: number) {
  const args = ['filter', file(name), file(out), String(limitBps), String(mode), String(bytes)];
  const { code, output } = await run(program, args);
  expect(code, output).toBe(0);
  return figures(output);
}

/** What ffmpeg complains about when it decodes everything, continuity counters included. */
async function complaints(name: string): Promise<string> {
  const args = ['-hide_banner', '-nostdin', '-loglevel', 'debug', '-i', file(name), '-map', '0'];
  const { stderr } = await exec('ffmpeg', [...args, '-c', 'copy', '-f', 'null', '-'], { maxBuffer: 1e9 });
  const gaps = stderr.split('\n').filter((line) => line.includes('Continuity check failed'));
  const decoded = await exec('ffmpeg', [...QUIET, '-i', file(name), '-map', '0', '-f', 'null', '-']);
  return [...gaps, decoded.stderr].join('\n');
}

describe.each(SORTS)('$name', ({ name, args, codecs }) => {
  const clip = `${name}.ts`;
  beforeAll(async () => {
    await exec('ffmpeg', [...QUIET, ...args, '-f', 'mpegts', file(clip)]);
  }, CLIP_TIMEOUT_MS);

  test('access units, their times and keyframes are those that ffprobe finds', async () => {
    const { units, seen } = await metered(clip);
    expect(units).toHaveLength(SECONDS * 25);
    expect(units).toEqual(await probed(clip));
    expect(VIDEO_CODECS[seen['video_codec']!]).toBe(codecs[0]);
    expect(AUDIO_CODECS[seen['audio_codec']!]).toBe(codecs[1]);
    expect(seen).toMatchObject({ width: 320, height: 180, continuity_errors: 0 });
  });

  test.each(DATAGRAM_BYTES)('without a limit it passes as it is, in datagrams of %d bytes', async (bytes) => {
    const counted = await filtered(clip, 'whole.ts', 0, MODE.DROP, bytes);
    expect(readFileSync(file('whole.ts')).equals(readFileSync(file(clip)))).toBe(true);
    expect(counted).toMatchObject({ frames: SECONDS * 25, dropped_frames: 0, dropped_packets: 0 });
  });

  test.each([
    [0.2, DATAGRAM_BYTES[0]],
    [0.4, DATAGRAM_BYTES[1]],
  ])(
    'dropped to %d of its rate every picture is as it was, in datagrams of %d bytes',
    async (share, bytes) => {
      const limitBps = (share * statSync(file(clip)).size * 8) / SECONDS;
      const counted = await filtered(clip, 'less.ts', limitBps, MODE.DROP, bytes);
      expect(await complaints('less.ts')).toBe('');
      expect(counted['frames']! + counted['dropped_frames']!).toBe(SECONDS * 25);
      expect(counted['dropped_frames']).toBeGreaterThan(0);
      expect(counted['bytes']! + counted['dropped_bytes']!).toBe(counted['offered_bytes']);
      // The burst of one second on top, and the frame and the sound that were let in last.
      const allowedBytes = ((SECONDS + 1) * limitBps) / 8;
      expect(counted['bytes']).toBeLessThan(allowedBytes * 1.15);
      const [before, after] = [await decode(file(clip)), await decode(file('less.ts'))];
      expect(after.size).toBe(counted['frames']);
      expect([...after].filter(([time, hash]) => before.get(time) !== hash)).toEqual([]);
    },
  );
});

test('after losses and garbage whole packets go on, and what was lost is counted', async () => {
  const whole = readFileSync(file('h264.ts'));
  const kept: Buffer[] = [];
  for (let at = 0, turn = 0; at < whole.length; at += DATAGRAM_BYTES[0], turn++) {
    if (turn % 40 === 39) continue;
    kept.push(whole.subarray(at, at + DATAGRAM_BYTES[0]));
    if (turn % 100 === 50) kept.push(Buffer.alloc(700, 0x11));
  }
  writeFileSync(file('lossy.ts'), Buffer.concat(kept));
  const counted = await filtered('lossy.ts', 'found.ts', 0, MODE.OBSERVE, DATAGRAM_BYTES[1]);
  const found = readFileSync(file('found.ts'));
  expect(found.length % PACKET_BYTES).toBe(0);
  expect(counted['skipped']).toBeGreaterThanOrEqual(700);
  expect(counted['continuity_errors']).toBeGreaterThan(0);
  expect(found.length).toBeGreaterThan(whole.length * 0.9);
});
