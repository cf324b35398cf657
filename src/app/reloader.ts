import { diffConfigs, formatChange } from '../config/diff.ts';
import { type ConfigSource, loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { type ConfigWatch, watchConfig } from '../config/watch.ts';
import type { AuditTrail } from '../telemetry/audit.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface ReloaderParts {
  readonly source: ConfigSource;
  readonly env: Readonly<Record<string, string | undefined>>;
  running(): Config;
  apply(next: Config): void;
  readonly logger: Logger;
  readonly audit: AuditTrail;
}

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

  /** From now on a saved change to the file reloads. */
  watch(): void {
    const { file, digest } = this.#parts.source;
    if (file !== null) this.#watch = watchConfig(file, () => this.reload('file watch'), digest);
  }

  /** Reads the config again now; `by` goes into log and audit trail. */
  reload(by: string): void {
    const { source, env, logger, audit } = this.#parts;
    const { file } = source;
    const result = loadConfig(file, env);
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
    const { changes } = diffConfigs(this.#parts.running(), result.config);
    if (changes.length > 0) this.#parts.apply(result.config);
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
