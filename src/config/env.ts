import { nearest } from './nearest.ts';
import type { ConfigProblem } from './problem.ts';
import { CONFIG_TREE, type Path, type SchemaNode, showPath, staticLeaves } from './tree.ts';
import { YamlSource } from './yaml-source.ts';

/**
 * Environment overrides: `HEADGATE_LIMITS__STREAM__MAX_BITRATE=6Mbps`. Two
 * underscores nest, case does not matter, a number indexes a list, and a list
 * or section may be given whole as YAML (`HEADGATE_ALLOW='[192.0.2.0/24]'`).
 * They are laid over the file before validation, so one set of checks holds.
 */

const PREFIX = 'HEADGATE_';

/** Belong to the commands that talk to a running server. */
const COMMAND_VARIABLES = ['HEADGATE_URL', 'HEADGATE_TOKEN'];

/**
 * What Kubernetes and Docker links set in every container beside a service
 * called "headgate" or "headgate-...". No config key looks like these, and
 * refusing them would keep Headgate from starting there.
 */
const SERVICE_VARIABLE =
  /^HEADGATE_([A-Z0-9]+_)*(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP)(_[A-Z]+)?)?)$/;

export interface Overlay {
  /** the file's values with the overrides on top; what was not touched is shared */
  readonly value: unknown;
  /** path, as `showPath` writes it, to the variable that set it */
  readonly variables: ReadonlyMap<string, string>;
  readonly problems: readonly ConfigProblem[];
}

type Values = Record<string, unknown>;

class Refused extends Error {}

function isSection(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An address that is no YAML list, though it may begin like one: `0.0.0.0:8890`, `[::]:8890`. */
const ONE_ADDRESS = /^(\[[0-9A-Fa-f:.]*\]:)?[^[\]{},]*$/;

function isShorthand(node: SchemaNode): boolean {
  return node.type === 'section' && node.shorthand !== undefined;
}

function isListOfShorthands(node: SchemaNode): boolean {
  return node.type === 'list' && node.single && isShorthand(node.item);
}

/** Text as it is where text is wanted, YAML otherwise. The value is never quoted back: it may be a secret. */
function readValue(text: string, node: SchemaNode): unknown {
  if (text === '') throw new Refused('is set but empty; unset it to take the default');
  if (node.nullable && (text === 'null' || text === '~')) return null;
  const plain = node.type === 'leaf' ? node.kind.text : isShorthand(node);
  if (plain && !text.startsWith('{')) return text;
  if (isListOfShorthands(node) && ONE_ADDRESS.test(text)) return text;
  const source = new YamlSource(text);
  if (source.findings.length === 0) return source.value;
  if (node.type === 'leaf') return text;
  throw new Refused(`is not valid YAML: ${source.findings[0]!.message}`);
}

/** The child that a segment of a variable's name means, or undefined. */
function step(
  node: SchemaNode,
  segment: string,
  current: unknown,
): { key: string | number; node: SchemaNode; implied?: true } | undefined {
  if (node.type === 'section') {
    const inner = node.keys.get(segment);
    return inner && { key: segment, node: inner };
  }
  if (node.type === 'named') {
    const names = isSection(current) ? Object.keys(current) : [];
    return { key: names.find((name) => name.toLowerCase() === segment) ?? segment, node: node.value };
  }
  if (node.type !== 'list') return undefined;
  if (isListOfShorthands(node) && !/^[0-9]/.test(segment)) {
    // Of listeners there is mostly one: its keys need no number.
    return { key: 0, node: node.item, implied: true };
  }
  if (!/^[0-9]{1,6}$/.test(segment)) return undefined;
  const index = Number(segment);
  const length = Array.isArray(current) ? current.length : 0;
  if (index > length)
    throw new Refused(`names entry ${index}, but there are only ${length}; the next one is ${length}`);
  return { key: index, node: node.item };
}

class EnvOverlay {
  value: unknown;
  readonly variables = new Map<string, string>();
  readonly problems: ConfigProblem[] = [];

  constructor(value: unknown) {
    this.value = value ?? {};
  }

  apply(variable: string, text: string): void {
    const path: (string | number)[] = [];
    try {
      const segments = variable.slice(PREFIX.length).toLowerCase().split('__');
      this.value = this.#set(this.value, CONFIG_TREE, segments, text, path);
      const shown = showPath(path);
      const other = this.variables.get(shown);
      if (other !== undefined) throw new Refused(`sets the same key as ${other}; keep one of the two`);
      this.variables.set(shown, variable);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.problems.push({
        file: null,
        line: null,
        column: null,
        variable,
        path: showPath(path),
        message: error.message,
      });
    }
  }

  /** A copy of `current` with the value set; only containers on the way are copied, for anchors share them. */
  #set(
    current: unknown,
    node: SchemaNode,
    segments: readonly string[],
    text: string,
    path: (string | number)[],
  ): unknown {
    const [segment, ...rest] = segments;
    if (segment === undefined) return readValue(text, node);
    const child = step(node, segment, current);
    if (child === undefined) throw new Refused(unknownVariable(segments, path));
    path.push(child.key);
    if (node.type === 'list') {
      const alone = node.single && current !== undefined && current !== null;
      const items = Array.isArray(current) ? [...current] : alone ? [current] : [];
      const within = child.implied === true ? segments : rest;
      items[Number(child.key)] = this.#set(items[Number(child.key)], child.node, within, text, path);
      return items;
    }
    const section: Values = isSection(current) ? { ...current } : this.#spelledOut(current, node);
    section[child.key] = this.#set(section[child.key], child.node, rest, text, path);
    return section;
  }

  /** `rtmp: 0.0.0.0:1935` becomes `{ address: ... }` when a variable names a key inside it. */
  #spelledOut(current: unknown, node: SchemaNode): Values {
    const short = node.type === 'section' ? node.shorthand : undefined;
    return short === undefined || current === null || current === undefined ? {} : { [short]: current };
  }
}

function variableOf(path: Path): string {
  return PREFIX + path.map((part) => String(part).toUpperCase()).join('__');
}

/** Every variable without an index or a name of the operator's own; sections count, for they can be given whole. */
const KNOWN = [...staticLeaves()].map(({ path }) => variableOf(path));

function unknownVariable(rest: readonly string[], path: Path): string {
  const asked = variableOf([...path, ...rest]);
  const squeezed = (name: string): string => name.replace(/_+/g, '_');
  const meant = KNOWN.find((name) => squeezed(name) === squeezed(asked)) ?? nearest(asked, KNOWN);
  return meant === undefined
    ? 'is no setting of Headgate; unset it, or see config/headgate.yaml for the keys'
    : `is no setting of Headgate; did you mean ${meant}?`;
}

/** Lays every HEADGATE_ variable over the values of the file. All problems at once; nothing is thrown. */
export function overlayEnv(fileValue: unknown, env: Readonly<Record<string, string | undefined>>): Overlay {
  const names = Object.keys(env).filter(
    (name) => name.startsWith(PREFIX) && !COMMAND_VARIABLES.includes(name) && !SERVICE_VARIABLE.test(name),
  );
  // Whole sections before their parts, and entries in the order of their numbers.
  const depth = (name: string): number => name.split('__').length;
  names.sort((a, b) => depth(a) - depth(b) || a.localeCompare(b, 'en', { numeric: true }));
  const overlay = new EnvOverlay(fileValue);
  for (const name of names) overlay.apply(name, env[name] ?? '');
  return names.length === 0 ? { value: fileValue, variables: new Map(), problems: [] } : overlay;
}
