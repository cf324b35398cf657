/**
 * The audit log: every receipt and action of the trail as a line of JSON in a
 * file, `{"node":"ingest-1","kind":"receipt","receipt":{...}}`, as the API tells it.
 *
 * It is the transport of a pino logger. Lines are made at once and wait in a
 * bounded queue; one loop at a time opens, appends, rotates and syncs, with
 * calls that libuv makes in its own threads. So a slow disk costs the event
 * loop nothing, and one that hangs costs the queue's few megabytes and then
 * lines, which are counted and told in the file as soon as it can be written.
 *
 * What it promises: a line is handed to the system as soon as the one before
 * it has been, and synced within about `SYNC_MS`, before a rotation and at the
 * end. A crash of the program loses nothing, a power cut about the last second.
 */
import { writeSync } from 'node:fs';
import pino from 'pino';
import type { AuditEvent } from '../events.ts';
import { type Logger, REDACTION } from '../logger.ts';
import { escapeUnsafe } from '../printable.ts';
import { LineQueue } from './line-queue.ts';
import { RotatingFile, type RotationSettings } from './rotating-file.ts';

/** A power cut may cost so much of the log, ms: a sync each second is nothing to a disk, one for each line is. */
const SYNC_MS = 1_000;

/** How often it is looked whether the file is still at its path, and a disk that failed is tried again, ms. */
const LOOK_MS = 1_000;

/** What became of the lines, since the start. */
export interface AuditLogCounts {
  readonly written: number;
  readonly dropped: number;
  readonly rotations: number;
  /** it is on, and cannot be written now */
  readonly failing: boolean;
}

export interface AuditLogOptions {
  readonly nodeId: string;
  /** wall clock, Unix ms, for rotation by time */
  readonly wallMs: () => number;
  /** told when it cannot be written, and when it can again */
  readonly logger: Pick<Logger, 'info' | 'error'>;
}

export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #lines: pino.Logger;
  readonly #queue: LineQueue;
  #settings: RotationSettings | null = null;
  /** the settings that the open file was last brought in line with */
  #settled: RotationSettings | null = null;
  #file: RotatingFile | null = null;
  #openPath: string | null = null;
  #loop: Promise<void> | null = null;
  #wantsReopen = false;
  #wantsLook = false;
  #wantsSync = false;
  #isClosing = false;
  #isDirty = false;
  #syncedAt = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #failure: string | null = null;
  #droppedBefore = 0;
  #written = 0;
  #rotations = 0;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    const { nodeId } = options;
    this.#queue = new LineQueue((count) => `${JSON.stringify({ node: nodeId, kind: 'dropped', count })}\n`);
    this.#lines = pino(
      {
        base: null,
        timestamp: false,
        redact: REDACTION,
        // pino begins a line with its level, which is the same for all of these: the place says whose line it is.
        formatters: { level: () => ({ node: nodeId }) },
      },
      { write: (line: string) => this.#take(`${escapeUnsafe(line.slice(0, -1))}\n`) },
    );
  }

  get counts(): AuditLogCounts {
    return {
      written: this.#written,
      dropped: this.#queue.dropped,
      rotations: this.#rotations,
      failing: this.#failure !== null,
    };
  }

  /** Puts settings in force, now and with every reload; null turns it off. */
  configure(settings: RotationSettings | null): void {
    this.#settings = settings;
    this.#failure = null;
    this.#wake();
  }

  /** Writes one event down. Never blocks, never throws. */
  write(event: AuditEvent): void {
    if (this.#settings !== null) this.#lines.info(event);
  }

  /** Opens the path anew: something else has moved the file (logrotate). */
  reopen(): void {
    this.#wantsReopen = true;
    this.#failure = null;
    this.#wake();
  }

  /** What has to be done from time to time; `now` is monotonic ms. */
  tick(now: number): void {
    if (this.#settings === null) return;
    if (this.#isDirty && now - this.#syncedAt >= SYNC_MS) {
      this.#syncedAt = now;
      this.#wantsSync = true;
    }
    if (now - this.#lookedAt >= LOOK_MS) {
      this.#lookedAt = now;
      this.#wantsLook = true;
    }
    if (this.#wantsSync || this.#wantsLook) this.#wake();
  }

  /** Writes what waits, syncs and closes, within `deadlineMs`: a disk that hangs must not hold the process. */
  async close(deadlineMs: number): Promise<void> {
    const deadline = AbortSignal.timeout(deadlineMs);
    const late = new Promise<void>((resolve) => deadline.addEventListener('abort', () => resolve()));
    await Promise.race([this.#finish(), late]);
  }

  /** Writes what waits before the process dies of a fault. */
  flushSync(): void {
    if (this.#file === null) return;
    try {
      writeSync(this.#file.fd, this.#queue.takeAll());
    } catch {
      // It dies of something else already.
    }
  }

  #take(line: string): void {
    this.#queue.push(line);
    this.#wake();
  }

  async #finish(): Promise<void> {
    this.#isClosing = true;
    await this.#loop;
    this.#wantsSync = true;
    await this.#round();
    this.#settings = null;
    await this.#round();
  }

  /** Starts the loop unless it runs; what it finds to do it does before it ends. */
  #wake(): void {
    if (this.#isClosing || this.#loop !== null || (this.#failure !== null && !this.#wantsLook)) return;
    this.#loop = this.#round().finally(() => {
      this.#loop = null;
      if (this.#hasWork()) this.#wake();
    });
  }

  #hasWork(): boolean {
    if (this.#failure !== null) return false;
    return this.#isUnsettled || this.#wantsSync || !this.#queue.isEmpty;
  }

  /** Does everything that is to be done; a fault ends it until the next look. */
  async #round(): Promise<void> {
    try {
      await this.#settle();
      while (this.#file !== null && !this.#queue.isEmpty) {
        await this.#writeSome(this.#file);
        // On a slow disk lines may come faster than they go: what else is to be done must not wait for the last of them.
        if (this.#isUnsettled) await this.#settle();
        await this.#syncIfWanted();
      }
      await this.#syncIfWanted();
      this.#recovered();
    } catch (error) {
      this.#failed(error as NodeJS.ErrnoException);
    }
  }

  async #syncIfWanted(): Promise<void> {
    if (!this.#wantsSync || this.#file === null) return;
    this.#wantsSync = false;
    this.#isDirty = false;
    await this.#file.sync();
  }

  get #isUnsettled(): boolean {
    return this.#wantsReopen || this.#wantsLook || this.#settled !== this.#settings;
  }

  /** Brings the open file in line with the settings, with the time, and with what is at the path. */
  async #settle(): Promise<void> {
    const settings = this.#settings;
    this.#settled = settings;
    const wasMoved = this.#wantsLook && this.#file !== null && !(await this.#file.isInPlace());
    this.#wantsLook = false;
    if (this.#wantsReopen || wasMoved || this.#openPath !== (settings?.path ?? null)) await this.#leave();
    this.#wantsReopen = false;
    if (settings === null) {
      this.#queue.takeAll();
      return;
    }
    if (this.#file === null) {
      this.#file = await RotatingFile.open(settings);
      this.#openPath = settings.path;
    }
    const wallMs = this.#options.wallMs();
    this.#file.adopt(settings, wallMs);
    if (this.#file.isOld(wallMs)) await this.#rotate(this.#file);
  }

  async #leave(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    this.#openPath = null;
    this.#isDirty = false;
    this.#queue.changeFile();
    await file?.sync().finally(() => file.close());
  }

  async #rotate(file: RotatingFile): Promise<void> {
    await file.putAside();
    this.#rotations++;
    await this.#leave();
    await this.#settle();
  }

  async #writeSome(file: RotatingFile): Promise<void> {
    const chunk = this.#queue.next(file.room, file.isEmpty);
    if (chunk === null) {
      await this.#rotate(file);
      return;
    }
    this.#isDirty = true;
    let from = 0;
    while (from < chunk.length) {
      const taken = await file.append(chunk.subarray(from));
      this.#written += linesIn(chunk.subarray(from, from + taken));
      from += taken;
      this.#queue.took(taken);
    }
  }

  #failed({ code, message }: NodeJS.ErrnoException): void {
    const first = this.#failure === null;
    this.#failure = code ?? message;
    if (!first) return;
    this.#droppedBefore = this.#queue.dropped;
    const why = FAULTS[code ?? ''] ?? message;
    this.#options.logger.error(
      { file: this.#settings?.path, cause: this.#failure },
      `the audit log cannot be written: ${why}; tried again every second, what waits is kept as long as there is room`,
    );
  }

  #recovered(): void {
    if (this.#failure === null) return;
    this.#failure = null;
    const dropped = this.#queue.dropped - this.#droppedBefore;
    this.#options.logger.info({ file: this.#settings?.path, dropped }, 'the audit log is written again');
  }
}

/** What the system's codes mean for somebody who looks after the machine. */
const FAULTS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of its owner is used up',
  EFBIG: 'it is larger than this process may write (ulimit -f)',
  ENOENT: 'its folder is gone',
  EACCES: 'no permission to write it; check the owner and mode of file and folder',
  EROFS: 'the disk is read-only',
  EIO: 'the disk has a fault',
};

function linesIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) count++;
  return count;
}
