import type { ConfigSource } from './load.ts';
import type { Config } from './schema.ts';
import { CONFIG_TREE, type Path, type SchemaNode, showPath, staticLeaves } from './tree.ts';

/**
 * The effective config in the words of the config file, secrets masked: what
 * `GET /api/v1/config` answers and `headgate check` prints. Except for the
 * secrets it can be fed back as a config and means the same.
 */

/** What stands in the place of every secret, whatever its length. */
const MASK = '***';

type Written = string | number | boolean | null | Written[] | { [key: string]: Written };

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Listeners are `{ host, port, ... }` in memory and `{ address, ... }` in the file. */
function asWritten(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (!('host' in value)) return value;
  const { host, port, ...rest } = value;
  return { address: { host, port }, ...rest };
}

/** A value of the config as the file would say it, with `MASK` for what is secret. */
export function writeValue(value: unknown, node: SchemaNode): Written {
  if (value === null || value === undefined) return null;
  if (node.type === 'leaf') return node.kind.secret === true ? MASK : (node.kind.write(value) as Written);
  if (node.type === 'list') return (value as readonly unknown[]).map((item) => writeValue(item, node.item));
  if (!isRecord(value)) return null;
  const result: { [key: string]: Written } = {};
  for (const [key, inner] of Object.entries(node.type === 'section' ? asWritten(value) : value)) {
    const child = node.type === 'named' ? node.value : node.keys.get(key);
    if (child !== undefined) result[key] = writeValue(inner, child);
  }
  const { address } = result;
  return node.type === 'section' && node.keys.size === 1 && address !== undefined ? address : result;
}

/** The whole config, ready for JSON. */
export function maskedConfig(config: Config): { [key: string]: Written } {
  return writeValue(config, CONFIG_TREE) as { [key: string]: Written };
}

/** The value at a path of `staticLeaves`. */
export function valueAt(config: Config, path: Path): unknown {
  let value: unknown = config;
  for (const step of path) value = isRecord(value) ? value[step] : undefined;
  return value;
}

/** One line of text for a value: lists and maps by how many they are. */
export function summary(value: unknown, node: SchemaNode): string {
  if (value === null) return 'off';
  if (Array.isArray(value)) return entries(value.length);
  if (node.type === 'named' && isRecord(value)) return entries(Object.keys(value).length);
  const written = writeValue(value, node);
  if (!isRecord(written)) return String(written);
  const { address } = written;
  return String(address ?? JSON.stringify(written));
}

function entries(count: number): string {
  return count === 0 ? 'none' : `${count} ${count === 1 ? 'entry' : 'entries'}`;
}

interface EffectiveValue {
  readonly path: string;
  readonly value: string;
  /** `default`, `FILE:LINE`, `env NAME` */
  readonly origin: string;
}

/** Every setting with its value and where it came from; tiers and policies follow with what they change. */
export function effectiveValues(config: Config, source: ConfigSource): EffectiveValue[] {
  const values: EffectiveValue[] = [];
  for (const { path, node } of staticLeaves()) {
    const shown = showPath(path);
    const origin = source.origins.get(shown) ?? 'default';
    values.push({ path: shown, value: summary(valueAt(config, path), node), origin });
    if (shown === 'tiers' || shown === 'policies')
      values.push(...changes(valueAt(config, path), node, path, origin));
  }
  return values;
}

/** The limits that tiers and policies change, one per line. */
function changes(value: unknown, node: SchemaNode, path: Path, origin: string): EffectiveValue[] {
  if (node.type === 'leaf') {
    const limit = path.includes('stream') || path.includes('client');
    return limit && !path.includes('match')
      ? [{ path: showPath(path), value: summary(value, node), origin }]
      : [];
  }
  if (Array.isArray(value)) {
    return node.type === 'list'
      ? value.flatMap((item, i) => changes(item, node.item, [...path, i], origin))
      : [];
  }
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const child =
      node.type === 'named' ? node.value : node.type === 'section' ? node.keys.get(key) : undefined;
    return child === undefined ? [] : changes(inner, child, [...path, key], origin);
  });
}
