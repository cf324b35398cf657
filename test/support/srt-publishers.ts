import { type ChildProcess, spawn } from 'node:child_process';
import { type Clip, clip } from './ffmpeg.ts';

/** Real encoders that publish a transport stream over SRT, each in processes of its own. */

/** A clip as a transport stream. */
export function tsClip(options: Omit<Clip, 'container'>): string {
  return clip({ ...options, container: 'mpegts' });
}

export const SRT_CLIENTS = ['ffmpeg', 'srt-live-transmit', 'gstreamer'] as const;
export type SrtClientName = (typeof SRT_CLIENTS)[number];

export interface SrtTarget {
  readonly port: number;
  /** a name or an address; IPv6 without brackets */
  readonly host?: string;
  readonly streamId: string;
  readonly passphrase?: string;
  /** AES key: 128, 192 or 256 bits */
  readonly keyBits?: 128 | 192 | 256;
  readonly latencyMs?: number;
}

/** Commands of one pipe, each with its arguments. */
type Commands = readonly (readonly [command: string, ...args: string[]])[];

function address({ host = '127.0.0.1', port }: SrtTarget): string {
  return `srt://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

const keyBytes = ({ keyBits }: SrtTarget): number | undefined =>
  keyBits === undefined ? undefined : keyBits / 8;

/** Reads a clip at its own speed for ever. */
const read = (file: string): string[] => [
  '-v',
  'error',
  '-nostdin',
  '-re',
  '-stream_loop',
  '-1',
  '-i',
  file,
  '-c',
  'copy',
  '-f',
  'mpegts',
];

/** Its latency is in microseconds, and `-streamid` is another thing in ffmpeg. */
function ffmpeg(file: string, target: SrtTarget): Commands {
  const { streamId, passphrase, latencyMs } = target;
  const options = ['-srt_streamid', streamId];
  if (passphrase !== undefined) options.push('-passphrase', passphrase);
  if (target.keyBits !== undefined) options.push('-pbkeylen', String(keyBytes(target)));
  if (latencyMs !== undefined) options.push('-latency', String(latencyMs * 1_000));
  return [['ffmpeg', ...read(file), ...options, address(target)]];
}

/** srt-live-transmit knows no pace: ffmpeg gives it one through a pipe. It takes what follows a `=` as it stands. */
function srtLiveTransmit(file: string, target: SrtTarget): Commands {
  const { streamId, passphrase, latencyMs } = target;
  const words = [`streamid=${streamId}`];
  if (passphrase !== undefined) words.push(`passphrase=${passphrase}`);
  if (target.keyBits !== undefined) words.push(`pbkeylen=${keyBytes(target)}`);
  if (latencyMs !== undefined) words.push(`latency=${latencyMs}`);
  return [
    ['ffmpeg', ...read(file), 'pipe:1'],
    ['srt-live-transmit', '-chunk:1316', 'file://con', `${address(target)}?mode=caller&${words.join('&')}`],
  ];
}

function gstreamer(file: string, target: SrtTarget): Commands {
  const { streamId, passphrase, latencyMs } = target;
  const sink = ['srtsink', `uri=${address(target)}?mode=caller`, `streamid="${streamId}"`];
  if (passphrase !== undefined) sink.push(`passphrase=${passphrase}`);
  if (target.keyBits !== undefined) sink.push(`pbkeylen=${keyBytes(target)}`);
  if (latencyMs !== undefined) sink.push(`latency=${latencyMs}`);
  return [
    [
      'gst-launch-1.0',
      '-q',
      'filesrc',
      `location=${file}`,
      '!',
      'tsparse',
      'set-timestamps=true',
      'alignment=7',
      '!',
      ...sink,
    ],
  ];
}

const COMMANDS: Readonly<Record<SrtClientName, (file: string, target: SrtTarget) => Commands>> = {
  ffmpeg,
  'srt-live-transmit': srtLiveTransmit,
  gstreamer,
};

/** One encoder that publishes a clip for as long as it is let; the last of its processes is the one that calls. */
export class SrtPublisher {
  readonly #processes: ChildProcess[] = [];
  stderr = '';
  /** when the caller is gone; its exit code */
  readonly exited: Promise<number | null>;

  constructor(client: SrtClientName, file: string, target: SrtTarget) {
    for (const [command, ...args] of COMMANDS[client](file, target)) {
      const before = this.#processes.at(-1);
      const child = spawn(command, args, { stdio: [before?.stdout ?? 'ignore', 'pipe', 'pipe'] });
      child.stderr?.on('data', (text: Buffer) => {
        this.stderr += text;
      });
      this.#processes.push(child);
    }
    const caller = this.#caller;
    caller.stdout?.resume();
    this.exited = new Promise((resolve) => caller.once('exit', resolve));
  }

  get #caller(): ChildProcess {
    return this.#processes.at(-1) as ChildProcess;
  }

  get alive(): boolean {
    return this.#caller.exitCode === null && this.#caller.signalCode === null;
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    for (const child of this.#processes.toReversed()) child.kill(signal);
    await this.exited;
  }
}
