import { type FSWatcher, realpathSync, watch } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { monotonicMs } from '../lib/clock.ts';
import { fileDigest } from './load.ts';

/**
 * Notices a saved change to the config file. What is watched is the folder,
 * because editors replace a file instead of writing to it, and Kubernetes
 * swaps a symlink beside it. Content decides: a touch changes nothing.
 */

/** Editors and deploy tools write in several steps; this much quiet means they are done. */
const DEBOUNCE_MS = 200;

/** In a folder that is never quiet (logs beside the config) the file is looked at this often. */
const PATIENCE_MS = 2_000;

/** A folder that went away is looked for this often. */
const RETRY_MS = 2_000;

export class ConfigWatch {
  readonly #file: string;
  readonly #onChange: () => void;
  #digest: string | null;
  #folders: readonly string[] = [];
  #watchers: FSWatcher[] = [];
  #timer: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** when the first event of a series that is not yet acted on came, monotonic ms */
  #since: number | null = null;
  #closed = false;

  constructor(file: string, onChange: () => void, digest: string | null) {
    this.#file = file;
    this.#onChange = onChange;
    this.#digest = digest;
    this.#arm();
    this.#schedule();
  }

  /** Stops watching; `onChange` is not called afterwards. Idempotent. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#disarm();
  }

  /** The folder the path names and, through symlinks, the one the file is really in. */
  #foldersOf(): string[] {
    const named = resolve(this.#file);
    try {
      return [...new Set([dirname(named), dirname(realpathSync(named))])];
    } catch {
      return [dirname(named)];
    }
  }

  #arm(): void {
    this.#disarm();
    this.#folders = this.#foldersOf();
    for (const folder of this.#folders) {
      try {
        const watcher = watch(folder, { persistent: false }, () => this.#schedule());
        watcher.on('error', () => this.#rearmLater());
        this.#watchers.push(watcher);
      } catch {
        this.#rearmLater();
      }
    }
  }

  #disarm(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }

  #rearmLater(): void {
    if (this.#closed || this.#retry !== undefined) return;
    this.#retry = setTimeout(() => {
      this.#arm();
      this.#schedule();
    }, RETRY_MS).unref();
  }

  #schedule(): void {
    if (this.#closed) return;
    const now = monotonicMs();
    this.#since ??= now;
    clearTimeout(this.#timer);
    const delayMs = Math.max(0, Math.min(DEBOUNCE_MS, this.#since + PATIENCE_MS - now));
    this.#timer = setTimeout(() => this.#look(), delayMs).unref();
  }

  #look(): void {
    this.#since = null;
    if (this.#closed) return;
    if (this.#foldersOf().join('\n') !== this.#folders.join('\n')) this.#arm();
    const digest = fileDigest(this.#file);
    // The folder may be gone with the file, and its watch with it.
    if (digest === null) this.#rearmLater();
    if (digest === this.#digest) return;
    this.#digest = digest;
    this.#onChange();
  }
}

/**
 * Calls `onChange` after the content of `file` has changed and 200 ms of quiet,
 * also when the file becomes unreadable. `digest` is of the text in force, so
 * that a change before the watch began is seen; left out, the text of now.
 */
export function watchConfig(file: string, onChange: () => void, digest?: string): ConfigWatch {
  return new ConfigWatch(file, onChange, digest ?? fileDigest(file));
}
