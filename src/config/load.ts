import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { crossCheck } from './cross-check.ts';
import { type Overlay, overlayEnv } from './env.ts';
import { withFiles } from './files.ts';
import { checkOrder } from './order.ts';
import { byPlace, type ConfigProblem, type Finding, problemAt } from './problem.ts';
import type { Config } from './schema.ts';
import { settingsOf } from './settings.ts';
import { CONFIG_TREE, type Path, showPath } from './tree.ts';
import { validate } from './validate.ts';
import { warningsOf } from './warnings.ts';
import { YamlSource } from './yaml-source.ts';

/**
 * A config from its file and the environment: read, parse, overlay, validate,
 * cross-check. Every error is collected before any is told, each with its
 * place. The result is frozen: a reload replaces it, nothing changes it.
 */

/** 10,000 clients with two keys each are about 1 MB; this is for files that are something else. */
const FILE_BYTES_MAX = 16 * 2 ** 20;

/** Where the values of a config came from. */
export interface ConfigSource {
  /** as given; null: built-in defaults and environment only */
  readonly file: string | null;
  /** `limits.stream.max_bitrate` to `default`, `FILE:LINE` or `env NAME`; lists and maps as a whole */
  readonly origins: ReadonlyMap<string, string>;
}

/** Tells whether two texts are the same without keeping either. */
function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

/** Digest of what the file says now; null while it cannot be read. Cheap beside loading it. */
export function fileDigest(file: string): string | null {
  try {
    return digestOf(readText(file));
  } catch (error) {
    if (error instanceof Unreadable) return null;
    throw error;
  }
}

export type LoadResult =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly warnings: readonly ConfigProblem[];
      readonly source: ConfigSource;
      /** of the file's text, so that a watch can tell whether the file says something else by now */
      readonly digest: string;
    }
  | {
      readonly ok: false;
      readonly code: 'HG_CONFIG_READ' | 'HG_CONFIG_INVALID';
      readonly problems: readonly ConfigProblem[];
      /** null when the file could not be read */
      readonly digest: string | null;
    };

type Env = Readonly<Record<string, string | undefined>>;

/** What the system's codes mean for somebody who wants to start a server. */
const READ_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; give another with -c FILE',
  EACCES: 'no permission to read it; check its owner and mode',
  EISDIR: 'is a folder; name the file in it',
  ENOTDIR: 'a part of its path is not a folder',
};

class Unreadable extends Error {}

function readText(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > FILE_BYTES_MAX)
      throw new Unreadable(`is ${size} bytes long; a config has at most ${FILE_BYTES_MAX}`);
    const bytes = readFileSync(file);
    if (bytes.length > FILE_BYTES_MAX) throw new Unreadable(`a config has at most ${FILE_BYTES_MAX} bytes`);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    if (error instanceof TypeError) throw new Unreadable('is not UTF-8 text; save it as UTF-8');
    const code = (error as NodeJS.ErrnoException).code ?? '';
    throw new Unreadable(READ_FAULTS[code] ?? `cannot be read (${code || String(error)})`);
  }
}

/** Findings become problems once it is known which of file and environment set the value. */
class Places {
  readonly #file: string | null;
  readonly #yaml: YamlSource;
  readonly #variables: ReadonlyMap<string, string>;

  constructor(file: string | null, yaml: YamlSource, overlay: Overlay) {
    this.#file = file;
    this.#yaml = yaml;
    this.#variables = overlay.variables;
  }

  /** The variable that set this path or something around it; the innermost one. */
  #variable(path: Finding['path']): string | undefined {
    for (let length = path.length; length > 0; length--) {
      const variable = this.#variables.get(showPath(path.slice(0, length)));
      if (variable !== undefined) return variable;
    }
    return undefined;
  }

  problem({ path, message, atKey }: Finding): ConfigProblem {
    const place = this.#yaml.locate(path, atKey === true);
    const variable = this.#variable(path);
    if (variable === undefined) return problemAt(this.#file, place, path, message);
    return { file: null, line: null, column: null, variable, path: showPath(path), message };
  }

  origin(path: Path): string {
    const variable = this.#variable(path) ?? this.#partOf(path);
    if (variable !== undefined) return `env ${variable}`;
    const place = this.#yaml.locate(path);
    return place.exact && this.#file !== null ? `${this.#file}:${place.line}` : 'default';
  }

  /** A variable that set a part of a list, map or listener. */
  #partOf(path: Path): string | undefined {
    const start = showPath(path);
    for (const [key, variable] of this.#variables) {
      if (key.startsWith(`${start}.`) || key.startsWith(`${start}[`)) return variable;
    }
    return undefined;
  }
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}

/** The listen section of an empty config, in words of the config. */
function listenDefaults(): Record<string, unknown> {
  const listen = CONFIG_TREE.keys.get('listen');
  return listen?.type === 'section'
    ? Object.fromEntries([...listen.keys].map(([name, node]) => [name, node.fallback]))
    : {};
}

function invalid(text: string, problems: readonly ConfigProblem[]): LoadResult {
  return {
    ok: false,
    code: 'HG_CONFIG_INVALID',
    problems: problems.toSorted(byPlace),
    digest: digestOf(text),
  };
}

/** Validates text as if it were the content of `file`. */
export function loadText(text: string, file: string | null, env: Env): LoadResult {
  const yaml = new YamlSource(text);
  const early = yaml.findings.map(({ place, path, message }) => problemAt(file, place, path, message));
  if (yaml.broken) return invalid(text, early);
  const overlay = overlayEnv(yaml.value, env);
  const places = new Places(file, yaml, overlay);
  const validated = validate(overlay.value);
  const findings = [
    ...(validated.ok ? [] : validated.findings),
    ...crossCheck(validated.value, listenDefaults()),
    ...checkOrder(validated.value),
  ];
  const problems = [...early, ...overlay.problems, ...findings.map((finding) => places.problem(finding))];
  if (!validated.ok || problems.length > 0) return invalid(text, problems);
  const { config, findings: files } = withFiles(validated.config, file);
  const missing = files.map((finding) => places.problem(finding));
  if (missing.length > 0) return invalid(text, missing);
  const origins = new Map([...settingsOf(config)].map(({ path }) => [showPath(path), places.origin(path)]));
  const warnings = warningsOf(config).map((finding) => places.problem(finding));
  return {
    ok: true,
    config: freeze(config),
    warnings: warnings.toSorted(byPlace),
    source: { file, origins },
    digest: digestOf(text),
  };
}

/**
 * Loads the config from `file` (null: built-in defaults) under the HEADGATE_
 * variables of `env`. Never throws for what an operator can get wrong.
 */
export function loadConfig(file: string | null, env: Env): LoadResult {
  if (file === null) return loadText('', null, env);
  try {
    return loadText(readText(file), file, env);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const { message } = error;
    const problem = { file, line: null, column: null, variable: null, path: 'config', message };
    return { ok: false, code: 'HG_CONFIG_READ', problems: [problem], digest: null };
  }
}
