import { type FSWatcher, realpathSync, statSync, watch } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { monotonicMs } from '../lib/clock.ts';
import { fileDigest, type LoadResult, loadConfig } from './load.ts';

/**
 * Reload triggers: a saved change to the file, and SIGHUP. What is watched is
 * the folder, because editors replace a file instead of writing to it, and
 * Kubernetes swaps a symlink beside it. Content decides: a touch without a
 * change is no reload, SIGHUP always is. Only while the last load failed does a
 * touch count: its cause may lie outside the file, in a folder that is there by now.
 */

/** Editors and deploy tools write in several steps; this much quiet means they are done. */
const DEBOUNCE_MS = 200;

/** In a folder that is never quiet (logs beside the config) the file is looked at this often. */
const PATIENCE_MS = 2_000;

/** A folder that went away is looked for this often. */
const RETRY_MS = 2_000;

export type ReloadTrigger = 'file' | 'signal';

interface SignalSource {
  on(signal: 'SIGHUP', listener: () => void): unknown;
  off(signal: 'SIGHUP', listener: () => void): unknown;
}

export interface WatchOptions {
  /** null: no file to watch; SIGHUP loads the environment's overrides only */
  readonly file: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** of the text that is in force, so that a change before the watch began is seen */
  readonly digest: string | null;
  onLoad(result: LoadResult, trigger: ReloadTrigger): void;
  /** `process`, unless a test says otherwise */
  readonly signals?: SignalSource;
}

/** Watches from construction until `close`. */
export class ConfigWatch {
  readonly #options: WatchOptions;
  readonly #signals: SignalSource;
  #digest: string | null;
  /** when the file was last saved as the last load began, if that failed; null after one that did not */
  #failedMtimeMs: number | null = null;
  #folders: readonly string[] = [];
  #watchers: FSWatcher[] = [];
  #timer: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** when the first event of a series that is not yet acted on came, monotonic ms */
  #since: number | null = null;
  #closed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#digest = options.digest;
    this.#signals = options.signals ?? process;
    this.#signals.on('SIGHUP', this.#onSignal);
    this.#arm();
    this.#schedule();
  }

  /** Stops watching; no result is delivered afterwards. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#signals.off('SIGHUP', this.#onSignal);
    clearTimeout(this.#timer);
    this.#disarm();
  }

  readonly #onSignal = (): void => this.#load('signal');

  #load(trigger: ReloadTrigger): void {
    const { file, env, onLoad } = this.#options;
    const mtimeMs = mtimeOf(file);
    const result = loadConfig(file, env);
    this.#digest = result.digest;
    this.#failedMtimeMs = result.ok ? null : mtimeMs;
    onLoad(result, trigger);
  }

  /** The folder the path names and, through symlinks, the one the file is really in. */
  #foldersOf(file: string): string[] {
    const named = resolve(file);
    try {
      return [...new Set([dirname(named), dirname(realpathSync(named))])];
    } catch {
      return [dirname(named)];
    }
  }

  #arm(): void {
    const { file } = this.#options;
    if (file === null) return;
    this.#disarm();
    this.#folders = this.#foldersOf(file);
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
    if (this.#closed || this.#options.file === null) return;
    const now = monotonicMs();
    this.#since ??= now;
    clearTimeout(this.#timer);
    const delayMs = Math.max(0, Math.min(DEBOUNCE_MS, this.#since + PATIENCE_MS - now));
    this.#timer = setTimeout(() => this.#look(), delayMs).unref();
  }

  #look(): void {
    this.#since = null;
    const { file } = this.#options;
    if (this.#closed || file === null) return;
    if (this.#foldersOf(file).join('\n') !== this.#folders.join('\n')) this.#arm();
    const digest = fileDigest(file);
    const triesAgain = this.#failedMtimeMs !== null && this.#failedMtimeMs !== mtimeOf(file);
    if (digest !== this.#digest || triesAgain) this.#load('file');
    // The folder may be gone with the file, and its watch with it.
    if (digest === null) this.#rearmLater();
  }
}

/** When a file was last saved, Unix ms; null while there is none. */
function mtimeOf(file: string | null): number | null {
  try {
    return file === null ? null : statSync(file).mtimeMs;
  } catch {
    return null;
  }
}
