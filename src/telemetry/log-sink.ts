/**
 * Where log lines go: a file descriptor, written asynchronously in order, so
 * that a terminal on hold (Ctrl-S) or a stopped log collector never stops the
 * ingest. What waits is bounded: past `PENDING_BYTES_MAX` lines are dropped
 * and counted, and the next line that fits is preceded by a note of how many.
 *
 * A clean stop awaits `flush`, so nothing is lost on SIGTERM. A crash goes
 * through `flushSync`. A reader that has gone (EPIPE) mutes the sink: a server
 * does not die of a closed log.
 */
import { write as fsWrite, writeSync as fsWriteSync } from 'node:fs';

/** Bytes of lines that may wait for a slow reader: a minute of a busy log. */
const PENDING_BYTES_MAX = 4 * 1024 * 1024;

/** Bytes given to one write: a pipe's capacity on Linux, so that a write rarely splits. */
const CHUNK_BYTES = 64 * 1024;

/** Pause after EAGAIN (a full non-blocking pipe), ms: a reader needs some time to make room. */
const RETRY_MS = 20;

type Written = (error: NodeJS.ErrnoException | null, bytes: number) => void;

/** The two calls of node:fs that the sink makes; tests pass their own. */
export interface SinkWriter {
  write(fd: number, chunk: Buffer, done: Written): void;
  writeSync(fd: number, chunk: Buffer): number;
}

const FILE_WRITER: SinkWriter = {
  write: (fd, chunk, done) => fsWrite(fd, chunk, 0, chunk.length, null, done),
  writeSync: (fd, chunk) => fsWriteSync(fd, chunk),
};

export class LogSink {
  readonly #fd: number;
  readonly #writer: SinkWriter;
  /** tells a reader of the log what is missing */
  readonly #dropNote: (dropped: number) => string;
  #lines: string[] = [];
  #pendingBytes = 0;
  /** what the running write has not yet taken */
  #chunk: Buffer | null = null;
  #muted = false;
  #droppedSince = 0;
  #dropped = 0;
  #idle: (() => void)[] = [];

  constructor(fd: number, dropNote: (dropped: number) => string, writer: SinkWriter = FILE_WRITER) {
    this.#fd = fd;
    this.#dropNote = dropNote;
    this.#writer = writer;
  }

  /** Lines dropped since the start because nobody read them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes one line with its newline. Never blocks, never throws. */
  write(line: string): void {
    if (this.#muted) return;
    const bytes = Buffer.byteLength(line);
    if (this.#pendingBytes + bytes > PENDING_BYTES_MAX) {
      this.#droppedSince++;
      this.#dropped++;
      return;
    }
    if (this.#droppedSince > 0) {
      const note = this.#dropNote(this.#droppedSince);
      this.#droppedSince = 0;
      this.#lines.push(note);
      this.#pendingBytes += Buffer.byteLength(note);
    }
    this.#lines.push(line);
    this.#pendingBytes += bytes;
    if (this.#chunk === null) this.#nextChunk();
  }

  /** Resolves when all lines are out, or `deadlineMs` has passed; what is left then is given up. */
  flush(deadlineMs: number): Promise<void> {
    if (this.#chunk === null || this.#muted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#mute();
      }, deadlineMs);
      this.#idle.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Writes what waits before the process dies of a fault. Gives up at the first error that a wait will not mend. */
  flushSync(): void {
    if (this.#muted) return;
    let rest = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    let attempts = 0;
    while (rest.length > 0 && attempts < 50) {
      try {
        rest = rest.subarray(this.#writer.writeSync(this.#fd, rest));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
        attempts++;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
      }
    }
  }

  #nextChunk(): void {
    if (this.#lines.length === 0) {
      this.#chunk = null;
      this.#settle();
      return;
    }
    let count = 0;
    let chars = 0;
    while (count < this.#lines.length && (count === 0 || chars < CHUNK_BYTES))
      chars += this.#lines[count++]!.length;
    this.#chunk = Buffer.from(this.#lines.splice(0, count).join(''));
    this.#writeChunk();
  }

  #writeChunk(): void {
    this.#writer.write(this.#fd, this.#chunk!, (error, bytes) => {
      if (this.#muted) return;
      if (error !== null) {
        this.#failed(error);
        return;
      }
      this.#took(bytes);
    });
  }

  #took(bytes: number): void {
    this.#pendingBytes -= bytes;
    this.#chunk = this.#chunk!.subarray(bytes);
    if (this.#chunk.length > 0) this.#writeChunk();
    else this.#nextChunk();
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (error.code === 'EAGAIN' || error.code === 'EBUSY' || error.code === 'EINTR') {
      setTimeout(() => {
        if (!this.#muted) this.#writeChunk();
      }, RETRY_MS);
    } else if (error.code === 'EPIPE' || error.code === 'EBADF') {
      this.#mute();
    } else {
      // A full disk may have room again later: this chunk is lost, the log goes on.
      this.#droppedSince++;
      this.#dropped++;
      this.#took(this.#chunk!.length);
    }
  }

  #mute(): void {
    this.#muted = true;
    this.#lines = [];
    this.#pendingBytes = 0;
    this.#settle();
  }

  #settle(): void {
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }
}
