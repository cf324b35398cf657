import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { OutboxMessage } from '../../src/native/outbox.ts';
import { openSink } from './rtmp-sink.ts';

const exec = promisify(execFile);
export const AUDIO = 8;
export const VIDEO = 9;

const QUIET = ['-hide_banner', '-loglevel', 'error', '-nostdin', '-y'];

export interface Clip {
  readonly file: string;
  /** what ffprobe says of it */
  readonly video: { packets: number; keyframes: number; bFrames: number };
  readonly audioPackets: number;
  /** the chunk stream ffmpeg publishes it with, from behind the handshake to the end */
  readonly chunkStream: Buffer;
}

export function scratchDir(): string {
  return mkdtempSync(path.join(tmpdir(), 'headgate-native-'));
}

/** Three seconds of moving picture and a tone: 90 frames with B-frames, a keyframe a second. */
export async function makeClip(dir: string): Promise<Clip> {
  const file = path.join(dir, 'clip.flv');
  const picture = ['-f', 'lavfi', '-i', 'testsrc=size=192x108:rate=30:duration=3'];
  const tone = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=3'];
  const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '30', '-bf', '2', '-pix_fmt', 'yuv420p'];
  const plain = ['-x264-params', 'b-adapt=0:b-pyramid=0:scenecut=0', '-c:a', 'aac', '-b:a', '64k'];
  await exec('ffmpeg', [...QUIET, ...picture, ...tone, ...x264, ...plain, file]);
  const frames = await exec('ffprobe', [
    ...['-v', 'error', '-show_entries', 'packet=codec_type,flags:frame=media_type,pict_type'],
    ...['-of', 'csv', file],
  ]);
  const lines = frames.stdout.split('\n');
  const count = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length;
  return {
    file,
    video: {
      packets: count(/^packet,video,/),
      keyframes: count(/^packet,video,K/),
      bFrames: count(/^frame,video,B/),
    },
    audioPackets: count(/^packet,audio,/),
    chunkStream: await publish(file),
  };
}

/** What ffmpeg sends when it publishes a file as it is. */
async function publish(file: string): Promise<Buffer> {
  const { url, recording } = await openSink();
  await exec('ffmpeg', [...QUIET, '-i', file, '-c', 'copy', '-f', 'flv', url]);
  return recording;
}

/** Writes the audio and video among messages as an FLV file. */
export function writeFlv(file: string, messages: readonly OutboxMessage[]): void {
  const parts: Buffer[] = [Buffer.from('FLV\x01\x05\0\0\0\x09\0\0\0\0', 'latin1')];
  for (const { type, timestamp, payload } of messages) {
    if (type !== AUDIO && type !== VIDEO) continue;
    const header = Buffer.alloc(11);
    header.writeUInt8(type, 0);
    header.writeUIntBE(payload.length, 1, 3);
    header.writeUIntBE(timestamp & 0xffffff, 4, 3);
    header.writeUInt8(timestamp >>> 24, 7);
    const trailer = Buffer.alloc(4);
    trailer.writeUInt32BE(payload.length + header.length);
    parts.push(header, Buffer.from(payload), trailer);
  }
  writeFileSync(file, Buffer.concat(parts));
}

/** Decodes a file; returns the hash of every picture by its presentation time, ms. */
export async function decode(file: string): Promise<Map<number, string>> {
  const untouched = ['-copyts', '-vsync', 'passthrough'];
  const { stdout } = await exec('ffmpeg', [
    ...[...QUIET, ...untouched, '-i', file, '-map', '0:v', '-enc_time_base', '1/1000'],
    ...['-f', 'framemd5', '-'],
  ]);
  const pictures = stdout.split('\n').filter((line) => /^\d/.test(line));
  return new Map(
    pictures.map((line) => {
      const [, , time, , , hash] = line.split(',').map((field) => field.trim());
      return [Number(time), hash ?? ''];
    }),
  );
}
