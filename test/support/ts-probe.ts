import { spawnSync } from 'node:child_process';

/** What ffmpeg makes of a transport stream. */

/** What ffmpeg complains about when it decodes all of it; '' = nothing. */
export function decodeErrors(ts: Buffer): string {
  const args = ['-v', 'error', '-nostdin', '-f', 'mpegts', '-i', 'pipe:0', '-f', 'null', '-'];
  return spawnSync('ffmpeg', args, { input: ts, encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 }).stderr;
}

/** Access units of the first video or audio stream, of a transport stream or of any file that ffmpeg knows. */
export function unitsOf(media: Buffer | string, kind: 'v' | 'a'): number {
  const select = [
    '-v',
    'error',
    '-select_streams',
    kind,
    '-count_packets',
    '-show_entries',
    'stream=nb_read_packets',
    '-of',
    'csv=p=0',
  ];
  const probe =
    typeof media === 'string'
      ? spawnSync('ffprobe', [...select, media])
      : spawnSync('ffprobe', [...select, '-f', 'mpegts', 'pipe:0'], { input: media });
  return Number.parseInt(probe.stdout.toString(), 10);
}

/** The longest time between two access units of the first video stream, by their DTS, s. */
export function longestStepOf(ts: Buffer): number {
  const show = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=dts_time', '-of', 'csv=p=0'];
  const probe = spawnSync('ffprobe', [...show, '-f', 'mpegts', 'pipe:0'], {
    input: ts,
    maxBuffer: 16 * 1024 * 1024,
  });
  const times = probe.stdout
    .toString()
    .split('\n')
    .map(Number.parseFloat)
    .filter((time) => !Number.isNaN(time));
  return times.slice(1).reduce((longest, time, i) => Math.max(longest, time - times[i]!), 0);
}
