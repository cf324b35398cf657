import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';

/**
 * One recorded publisher, as the bytes an encoder would send: chunks of 4096
 * bytes (what OBS uses), with the time at which each is due.
 */

const BUILD = path.resolve(import.meta.dirname, '../../build/bench');
const CHUNK_BYTES = 4096;

export interface Recording {
  readonly bytes: Buffer;
  /** end of each message in `bytes`, and when it is due, ms */
  readonly ends: Float64Array;
  readonly dueMs: Float64Array;
  readonly mediaBytes: number;
}

/** 2.66 Mbit/s: 720p30 H.264 at 2.5 Mbit/s in GOPs of two seconds, and AAC at 128 kbit/s. */
function clip(seconds: number): Buffer {
  const file = path.join(BUILD, `720p30-2500k-${seconds}s.flv`);
  if (!existsSync(file)) {
    mkdirSync(BUILD, { recursive: true });
    const rate = [
      '-b:v',
      '2500k',
      '-minrate',
      '2500k',
      '-maxrate',
      '2500k',
      '-bufsize',
      '2500k',
      '-nal-hrd',
      'cbr',
    ];
    const inputs = [
      '-f',
      'lavfi',
      '-i',
      `testsrc2=s=1280x720:r=30:d=${seconds}`,
      '-f',
      'lavfi',
      '-i',
      `sine=f=440:d=${seconds}`,
    ];
    const video = [
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-pix_fmt',
      'yuv420p',
      '-g',
      '60',
      '-keyint_min',
      '60',
      '-sc_threshold',
      '0',
    ];
    const args = [
      '-v',
      'error',
      '-nostdin',
      '-y',
      ...inputs,
      ...video,
      ...rate,
      '-c:a',
      'aac',
      '-b:a',
      '128k',
      '-f',
      'flv',
      `${file}.part`,
    ];
    const made = spawnSync('ffmpeg', args, { encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`ffmpeg: ${made.stderr}`);
    renameSync(`${file}.part`, file);
  }
  return readFileSync(file);
}

export function record(seconds: number): Recording {
  const flv = clip(seconds);
  const parts: Buffer[] = [];
  const ends: number[] = [];
  const dueMs: number[] = [];
  let length = 0;
  let mediaBytes = 0;
  for (let at = 13; at + 11 <= flv.length; ) {
    const type = flv.readUInt8(at);
    const size = flv.readUIntBE(at + 1, 3);
    const timestamp = flv.readUIntBE(at + 4, 3) + flv.readUInt8(at + 7) * 2 ** 24;
    const body = flv.subarray(at + 11, at + 11 + size);
    at += 11 + size + 4;
    if (type !== 8 && type !== 9) continue;
    const message = chunks(type, timestamp, body);
    parts.push(message);
    length += message.length;
    mediaBytes += size;
    ends.push(length);
    dueMs.push(timestamp);
  }
  return {
    bytes: Buffer.concat(parts),
    ends: Float64Array.from(ends),
    dueMs: Float64Array.from(dueMs),
    mediaBytes,
  };
}

/** A message as type 0 header and type 3 continuations. */
function chunks(type: number, timestamp: number, body: Buffer): Buffer {
  const id = type === 8 ? 4 : 6;
  const header = Buffer.alloc(12);
  header[0] = id;
  header.writeUIntBE(timestamp, 1, 3);
  header.writeUIntBE(body.length, 4, 3);
  header[7] = type;
  header.writeUInt32LE(1, 8);
  const parts: Buffer[] = [header];
  for (let at = 0; at < body.length; at += CHUNK_BYTES) {
    if (at > 0) parts.push(Buffer.of(0xc0 | id));
    parts.push(body.subarray(at, at + CHUNK_BYTES));
  }
  return Buffer.concat(parts);
}

export { CHUNK_BYTES };
