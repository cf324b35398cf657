import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';

/** Real ffmpeg, publishing and playing in end-to-end tests. */

const CLIPS = path.resolve(import.meta.dirname, '../../build/clips');

export interface Clip {
  readonly kbps: number;
  readonly fps?: number;
  readonly seconds?: number;
  readonly gopSeconds?: number;
  readonly size?: string;
  /** between two frames that others refer to */
  readonly bFrames?: number;
  readonly container?: 'flv' | 'mpegts';
}

/** A file of that bitrate, made once and kept in build/: H.264, keyframes at a steady pace, AAC. */
export function clip(options: Clip): string {
  const {
    kbps,
    fps = 30,
    seconds = 20,
    gopSeconds = 2,
    size = '640x360',
    bFrames = 0,
    container = 'flv',
  } = options;
  const name = `${size}-${fps}fps-${kbps}k-${seconds}s-gop${gopSeconds}${bFrames > 0 ? `-b${bFrames}` : ''}`;
  const file = path.join(CLIPS, `${name}.${container === 'flv' ? 'flv' : 'ts'}`);
  if (existsSync(file)) return file;
  mkdirSync(CLIPS, { recursive: true });
  const part = `${file}.${process.pid}.part`;
  const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p'];
  if (bFrames > 0) video.push('-bf', String(bFrames));
  const rate = [
    '-b:v',
    `${kbps}k`,
    '-minrate',
    `${kbps}k`,
    '-maxrate',
    `${kbps}k`,
    '-bufsize',
    `${kbps}k`,
    '-nal-hrd',
    'cbr',
  ];
  const gop = ['-g', String(fps * gopSeconds), '-keyint_min', String(fps * gopSeconds), '-sc_threshold', '0'];
  const made = spawnSync(
    'ffmpeg',
    [
      ...['-v', 'error', '-nostdin', '-y'],
      ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${fps}:duration=${seconds}`],
      ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=44100:duration=${seconds}`],
      ...[...video, ...rate, ...gop, '-c:a', 'aac', '-b:a', '96k', '-f', container, part],
    ],
    { encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(`ffmpeg could not make the clip: ${made.stderr}`);
  renameSync(part, file);
  return file;
}

/** One ffmpeg that publishes a file for as long as it is let. */
export class Publisher {
  readonly process: ChildProcess;
  stderr = '';
  readonly exited: Promise<number | null>;

  /** `paced` sends at the clip's own speed, else as fast as it goes. */
  constructor(file: string, url: string, options: { paced?: boolean; loop?: boolean } = {}) {
    const pace = options.paced === false ? [] : ['-re'];
    const loop = options.loop === false ? [] : ['-stream_loop', '-1'];
    const args = ['-v', 'error', '-nostdin', ...pace, ...loop, '-i', file, '-c', 'copy', '-f', 'flv', url];
    this.process = spawn('ffmpeg', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.process.stderr?.on('data', (text: Buffer) => {
      this.stderr += text;
    });
    this.exited = new Promise((resolve) => this.process.once('exit', resolve));
  }

  get alive(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.alive) this.process.kill(signal);
    await this.exited;
  }
}
