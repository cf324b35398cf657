/**
 * A file that lines are appended to until it is large or old enough; then it
 * gets another name and a new one begins. Every call may wait for the disk, in
 * a thread of libuv and never on the event loop, and throws what the disk says.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { shiftNames } from './names.ts';

export interface RotationSettings {
  readonly path: string;
  /** of one file; Infinity: not by size */
  readonly maxBytes: number;
  /** wall time is cut into stretches of this length, and each begins a new file, ms; Infinity: not by time */
  readonly rotateEveryMs: number;
  /** files kept beside the one that is written */
  readonly keep: number;
}

/** Owner writes, group reads: the lines name addresses and clients, and log collectors run in the group. */
const MODE = 0o640;

/** Non-blocking: a FIFO that nobody reads would hold the thread that opens it for ever. */
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

const NEWLINE = 0x0a;

export class RotatingFile {
  #settings: RotationSettings;
  readonly #handle: FileHandle;
  readonly #inode: bigint;
  /** when its first line came, Unix ms; of a file that was there, when it was made */
  #bornMs: number;
  #bytes: number;

  private constructor(
    settings: RotationSettings,
    handle: FileHandle,
    inode: bigint,
    bytes: number,
    bornMs: number,
  ) {
    this.#settings = settings;
    this.#handle = handle;
    this.#inode = inode;
    this.#bytes = bytes;
    this.#bornMs = bornMs;
  }

  /** Goes on with the file that is there, or begins one. */
  static async open(settings: RotationSettings): Promise<RotatingFile> {
    const handle = await open(settings.path, FLAGS, MODE);
    try {
      const { ino, size, birthtimeMs, mtimeMs } = await regular(handle);
      const file = new RotatingFile(settings, handle, ino, Number(size), Number(birthtimeMs || mtimeMs));
      await file.#mend();
      return file;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Of the descriptor, for a process that dies and has to write at once. */
  get fd(): number {
    return this.#handle.fd;
  }

  /** Bytes it may still take before the next one begins. */
  get room(): number {
    return this.#settings.maxBytes - this.#bytes;
  }

  /** Bounds for the same path from now on. */
  adopt(settings: RotationSettings, wallMs: number): void {
    this.#settings = settings;
    // The clock of the disk is some milliseconds behind: a file that was made for a new stretch would seem to be of the last.
    if (this.#bytes === 0) this.#bornMs = wallMs;
  }

  /** True when it holds something and was begun in an earlier stretch of time. */
  isOld(wallMs: number): boolean {
    const { rotateEveryMs } = this.#settings;
    if (this.#bytes === 0 || rotateEveryMs === Number.POSITIVE_INFINITY) return false;
    return Math.floor(wallMs / rotateEveryMs) > Math.floor(this.#bornMs / rotateEveryMs);
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Appends what the disk takes of it, and tells how much that was. */
  async append(chunk: Buffer): Promise<number> {
    const { bytesWritten } = await this.#handle.write(chunk, 0, chunk.length, null);
    this.#bytes += bytesWritten;
    return bytesWritten;
  }

  /** Resolves when what was appended would outlive a power cut. */
  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  /** False when the path leads to another file now, or to none: somebody moved it. */
  async isInPlace(): Promise<boolean> {
    try {
      const found = await stat(this.#settings.path, { bigint: true });
      return found.ino === this.#inode;
    } catch {
      return false;
    }
  }

  /** Gives this file its other name; the caller closes it and opens the next. */
  async putAside(): Promise<void> {
    await this.sync();
    const { path, keep } = this.#settings;
    await shiftNames(path, keep);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** A process that was killed may have left half a line: what follows begins on a line of its own. */
  async #mend(): Promise<void> {
    if (this.#bytes === 0) return;
    const last = Buffer.alloc(1);
    await this.#handle.read(last, 0, 1, this.#bytes - 1);
    if (last[0] !== NEWLINE) await this.append(Buffer.from('\n'));
  }
}

async function regular(handle: FileHandle) {
  const found = await handle.stat({ bigint: true });
  if (!found.isFile()) throw new Error('it is no regular file');
  return found;
}
