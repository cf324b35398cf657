import { EventEmitter } from 'node:events';
import { diffConfig, formatChange, withoutRestart } from '../config/diff.ts';
import type { LoadResult } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { ConfigWatch } from '../config/watch.ts';
import type { AuditTrail } from '../telemetry/audit.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface ReloaderParts {
  /** null: built-in defaults and environment */
  readonly file: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** of the text in force */
  readonly digest: string | null;
  /** false inside another program: its signals are its own */
  readonly onSignal: boolean;
  running(): Config;
  apply(next: Config): void;
  /** opens files anew that something else may have moved: SIGHUP asks for that, too */
  reopenFiles(): void;
  readonly logger: Logger;
  readonly audit: AuditTrail;
}

/** Who asked for a reload, by what triggered it. */
const BY = { file: 'file watch', signal: 'SIGHUP' } as const;

/**
 * Brings a changed file into force, or says why not. A config is applied as a
 * whole or not at all; the running one stays when the new one is wrong.
 */
export class Reloader {
  readonly #parts: ReloaderParts;
  #watch: ConfigWatch | null = null;
  readonly counts = { ok: 0, failed: 0 };
  /** one line, null while the last reload went well */
  lastError: string | null = null;

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
  }

  /** From now on a saved change and SIGHUP reload. */
  watch(): void {
    const { file, env, digest, onSignal } = this.#parts;
    if (file === null && !onSignal) return;
    this.#watch = new ConfigWatch({
      file,
      env,
      digest,
      onLoad: (result, trigger) => {
        if (trigger === 'signal') this.#parts.reopenFiles();
        this.loaded(result, BY[trigger]);
      },
      ...(onSignal ? {} : { signals: new EventEmitter() }),
    });
  }

  /** Brings a config that was read into force, or tells what is wrong with it. */
  loaded(result: LoadResult, by: string): void {
    const { file, logger, audit } = this.#parts;
    if (!result.ok) {
      const lines = result.problems.map(formatProblem);
      this.counts.failed++;
      this.lastError = lines[0] ?? 'the config cannot be read';
      for (const line of lines) logger.error({ by }, `config not reloaded, the running one stays: ${line}`);
      audit.act({ action: 'reload', by, target: file, result: 'failed', detail: lines.join('; ') });
      return;
    }
    this.counts.ok++;
    this.lastError = null;
    for (const warning of result.warnings) logger.warn({ by }, formatProblem(warning));
    const running = this.#parts.running();
    const { changes } = diffConfig(running, result.config);
    if (changes.some(({ restart }) => !restart)) this.#parts.apply(withoutRestart(running, result.config));
    const told = changes.map(formatChange);
    for (const line of told) logger.info({ by }, `config changed: ${line}`);
    const outcome = told.length === 0 ? 'nothing changed' : 'applied to live streams';
    logger.info({ by }, `config reloaded, ${outcome}`);
    audit.act({ action: 'reload', by, target: file, result: 'ok', detail: told.join('; ') || outcome });
  }

  close(): void {
    this.#watch?.close();
  }
}
