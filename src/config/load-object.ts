import { HeadgateError } from '../lib/errors.ts';
import { type LoadResult, loadConfig, loadText } from './load.ts';
import type { ConfigOptions } from './options.ts';
import { type ConfigProblem, formatProblem } from './problem.ts';

/**
 * A config that a program hands over as an object, or names as a file: read by
 * the very code that reads the server's own file, so that both mean the same
 * and complain alike. Here a mistake is thrown, because it is the program's.
 */

/** `HG_CONFIG_READ` or `HG_CONFIG_INVALID`: `message` lists every problem, `problems` holds them one by one. */
export class ConfigError extends HeadgateError {
  readonly problems: readonly ConfigProblem[];

  constructor(code: 'HG_CONFIG_READ' | 'HG_CONFIG_INVALID', problems: readonly ConfigProblem[]) {
    super(code, problems.map(formatProblem).join('; '));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Environment variables that are laid over the config; none unless they are handed over. */
type Env = Readonly<Record<string, string | undefined>>;

export type Loaded = Extract<LoadResult, { ok: true }>;

/** Throws ConfigError for an object that is no config. Paths in it start at the working folder. */
export function loadObject(options: ConfigOptions, env: Env = {}): Loaded {
  // JSON is YAML: places in it would mean nothing to whoever wrote the object.
  return loadedOr(loadText(jsonOf(options), null, env), withoutPlace);
}

/** Throws ConfigError when the file cannot be read or is wrong. */
export function loadFile(file: string, env: Env = {}): Loaded {
  return loadedOr(loadConfig(file, env), (problem) => problem);
}

function loadedOr(result: LoadResult, told: (problem: ConfigProblem) => ConfigProblem): Loaded {
  if (!result.ok) throw new ConfigError(result.code, result.problems.map(told));
  return { ...result, warnings: result.warnings.map(told) };
}

function withoutPlace(problem: ConfigProblem): ConfigProblem {
  return { ...problem, line: null, column: null };
}

function jsonOf(options: ConfigOptions): string {
  let why = 'it is not an object';
  try {
    // JSON would make null of it, which turns things off.
    const json = JSON.stringify(options, (_key, value: unknown) => {
      if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`it holds ${value}`);
      return value;
    });
    if (typeof options === 'object' && options !== null) return json;
  } catch (error) {
    why = (error as Error).message;
  }
  throw new ConfigError('HG_CONFIG_INVALID', [
    {
      file: null,
      line: null,
      column: null,
      variable: null,
      path: 'config',
      message: `is not a config object: ${why}`,
    },
  ]);
}
