import { type ConfigSource, formatProblem, loadConfig } from '../config/load.ts';
import { diffConfigs } from '../config/diff.ts';
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

  /** Reloads by itself whenever the file changes. */
  watch(): void {
    const { file } = this.#parts.source;
    if (file !== null) this.#watch = watchConfig(file, () => this.reload('file watch'));
  }

  reload(by: string): void {
    const { source, env, logger, audit } = this.#parts;
    const loaded = loadConfig(source.file, env);
    if (!loaded.ok) {
      const lines = loaded.problems.map(formatProblem);
      this.counts.failed++;
      this.lastError = lines[0] ?? 'the config cannot be read';
      for (const line of lines) logger.error({ by }, `config not reloaded: ${line}`);
      audit.act({ action: 'reload', by, target: source.file, result: 'failed', detail: lines.join('; ') });
      return;
    }
    const changes = diffConfigs(this.#parts.running(), loaded.config);
    this.counts.ok++;
    this.lastError = null;
    for (const warning of loaded.warnings) logger.warn({ by }, formatProblem(warning));
    if (changes.restart.length > 0) {
      logger.warn({ by, keys: changes.restart }, 'changed keys that take effect only after a restart');
    }
    if (changes.sections.length === 0) {
      logger.info({ by }, 'config reloaded, nothing changed');
      return;
    }
    this.#parts.apply(loaded.config);
    logger.info({ by, sections: changes.sections }, 'config reloaded and applied to live streams');
    audit.act({
      action: 'reload',
      by,
      target: source.file,
      result: 'ok',
      detail: `changed: ${changes.sections.join(', ')}${changes.restart.length > 0 ? `; needs a restart: ${changes.restart.join(', ')}` : ''}`,
    });
  }

  close(): void {
    this.#watch?.close();
  }
}
