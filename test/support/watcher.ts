import { type ChildProcess, spawn } from 'node:child_process';

/** One ffmpeg that plays a URL to its end and decodes everything, giving up at the first error. */
export class Watcher {
  readonly process: ChildProcess;
  /** its exit code, null when it was killed */
  readonly exited: Promise<number | null>;
  #stderr = '';

  /** `options` are ffmpeg's for the input. */
  constructor(url: string, options: readonly string[] = []) {
    const args = ['-v', 'warning', '-nostdin', '-stats', '-xerror', ...options, '-i', url, '-f', 'null', '-'];
    this.process = spawn('ffmpeg', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.process.stderr?.on('data', (bytes: Buffer) => {
      this.#stderr += bytes;
    });
    this.exited = new Promise((resolve) => this.process.on('close', resolve));
  }

  /** Complaints of ffmpeg, and how many frames it decoded so far. */
  told(): { complaints: string[]; frames: number } {
    const lines = this.#stderr.split(/[\r\n]+/).filter((line) => line !== '');
    const isProgress = (line: string): boolean => /^(frame|size)=/.test(line);
    return {
      complaints: lines.filter((line) => !isProgress(line)),
      frames: Number(/^frame=\s*(\d+)/.exec(lines.filter(isProgress).at(-1) ?? '')?.[1] ?? 0),
    };
  }

  kill(): void {
    this.process.kill('SIGKILL');
  }
}
