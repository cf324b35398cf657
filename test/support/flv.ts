import { spawnSync } from 'node:child_process';

/**
 * FLV for tests: clips made by ffmpeg, and a parser of our own to check what
 * players receive (Adobe FLV specification 10.1, annex E).
 */

export interface FlvTag {
  readonly type: number;
  readonly timestamp: number;
  readonly payload: Buffer;
}

/** A parsed file. `complete` is false when it ends inside a tag, `error` says what was malformed. */
export interface FlvFile {
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
  readonly tags: FlvTag[];
  readonly complete: boolean;
  readonly error: string | null;
}

export function parseFlv(bytes: Buffer): FlvFile {
  const flags = bytes[4] ?? 0;
  const file = { hasAudio: (flags & 4) !== 0, hasVideo: (flags & 1) !== 0, tags: [] as FlvTag[] };
  if (bytes.length < 13) return { ...file, complete: bytes.length === 0, error: null };
  if (
    bytes.toString('latin1', 0, 4) !== 'FLV\x01' ||
    bytes.readUInt32BE(5) !== 9 ||
    bytes.readUInt32BE(9) !== 0
  ) {
    return { ...file, complete: false, error: `bad file header ${bytes.toString('hex', 0, 13)}` };
  }
  let at = 13;
  while (at < bytes.length) {
    if (bytes.length < at + 11) return { ...file, complete: false, error: null };
    const size = bytes.readUIntBE(at + 1, 3);
    if (bytes.length < at + 15 + size) return { ...file, complete: false, error: null };
    const tail = bytes.readUInt32BE(at + 11 + size);
    if (tail !== size + 11)
      return { ...file, complete: false, error: `tag of ${size} at ${at} ends with ${tail}` };
    file.tags.push({
      type: bytes[at] as number,
      timestamp: bytes.readUIntBE(at + 4, 3) + (bytes[at + 7] as number) * 2 ** 24,
      payload: bytes.subarray(at + 11, at + 11 + size),
    });
    at += 15 + size;
  }
  return { ...file, complete: true, error: null };
}

/** AVC or AAC configuration. */
export function isSequenceHeader(tag: FlvTag): boolean {
  const first = tag.payload[0] ?? 0;
  if (tag.type === 9) return (first & 0x0f) === 7 && tag.payload[1] === 0;
  return tag.type === 8 && first >> 4 === 10 && tag.payload[1] === 0;
}

export function isKeyframe(tag: FlvTag): boolean {
  return tag.type === 9 && (tag.payload[0] ?? 0) >> 4 === 1 && !isSequenceHeader(tag);
}

/** The flags the demuxer gives a message: see `MediaMessage.flags`. */
export function flagsOf(tag: FlvTag): number {
  if (tag.type === 18) return 8;
  return (isKeyframe(tag) ? 1 : 0) | (isSequenceHeader(tag) ? 2 : 0);
}

export interface ClipOptions {
  readonly durationS?: number;
  readonly fps?: number;
  /** frames from keyframe to keyframe */
  readonly gop?: number;
  readonly size?: string;
  readonly video?: boolean;
  readonly audio?: boolean;
  readonly videoRateKbps?: number;
}

const clips = new Map<string, Buffer>();

/** An FLV file made by ffmpeg: a moving test picture in H.264 and a tone in AAC. Made once per process. */
export function makeClip(options: ClipOptions = {}): Buffer {
  const key = JSON.stringify(options);
  const known = clips.get(key);
  if (known !== undefined) return known;
  const { durationS = 2, fps = 25, gop = 25, size = '320x180', video = true, audio = true } = options;
  const args = ['-v', 'error', '-nostdin'];
  if (video) args.push('-f', 'lavfi', '-i', `testsrc=size=${size}:rate=${fps}:duration=${durationS}`);
  if (audio) args.push('-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=44100:duration=${durationS}`);
  if (video) {
    args.push('-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p');
    args.push('-g', String(gop), '-keyint_min', String(gop), '-sc_threshold', '0');
    if (options.videoRateKbps !== undefined) {
      const rate = `${options.videoRateKbps}k`;
      args.push('-b:v', rate, '-minrate', rate, '-maxrate', rate, '-bufsize', rate, '-nal-hrd', 'cbr');
    }
  }
  if (audio) args.push('-c:a', 'aac', '-b:a', '64k');
  args.push('-f', 'flv', '-flvflags', 'no_duration_filesize', 'pipe:1');
  const made = spawnSync('ffmpeg', args, { maxBuffer: 512 * 1024 * 1024 });
  if (made.status !== 0) throw new Error(`ffmpeg failed: ${made.error?.message ?? made.stderr.toString()}`);
  clips.set(key, made.stdout);
  return made.stdout;
}

/** What ffmpeg says when it decodes all of an FLV file, and how many frames it got. Empty `errors` means it is sound. */
export function decodeFlv(bytes: Buffer): { errors: string; videoFrames: number } {
  const run = spawnSync(
    'ffmpeg',
    [
      '-v',
      'warning',
      '-nostdin',
      '-xerror',
      '-stats',
      '-f',
      'flv',
      '-i',
      'pipe:0',
      '-map',
      '0',
      '-f',
      'null',
      '-',
    ],
    { input: bytes, maxBuffer: 16 * 1024 * 1024 },
  );
  const lines = run.stderr.toString().split(/[\r\n]+/);
  const progress = lines.filter((line) => /^frame=/.test(line));
  const frames = /^frame=\s*(\d+)/.exec(progress.at(-1) ?? '');
  return {
    errors: lines.filter((line) => line !== '' && !/^(frame|size)=/.test(line)).join('\n'),
    videoFrames: Number(frames?.[1] ?? 0),
  };
}
