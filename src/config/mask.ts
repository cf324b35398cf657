import type { ConfigSource } from './load.ts';
import type { Config } from './schema.ts';
import { isRecord, settingsOf } from './settings.ts';
import { CONFIG_TREE, type SchemaNode, showPath } from './tree.ts';

/**
 * The effective config in the words of the config file, secrets masked: what
 * `GET /api/v1/config` answers and `headgate check` prints. Except for the
 * secrets it can be fed back as a config and means the same.
 */

/** What stands in the place of every secret, whatever its length. */
const MASK = '***';

type Written = string | number | boolean | null | Written[] | { [key: string]: Written };

/** Listeners are `{ host, port, ... }` in memory and `{ address, ... }` in the file. */
function asWritten(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (!('host' in value)) return value;
  const { host, port, ...rest } = value;
  return { address: { host, port }, ...rest };
}

/** A value of the config as the file would say it, with `MASK` for what is secret. */
function writeValue(value: unknown, node: SchemaNode): Written {
  if (value === null || value === undefined) return null;
  if (node.type === 'leaf') return node.kind.secret === true ? MASK : (node.kind.write(value) as Written);
  if (node.type === 'list') {
    const items = (value as readonly unknown[]).map((item) => writeValue(item, node.item));
    // Of listeners there is mostly one, and the file then needs no list either.
    return node.single && isShorthand(node.item) && items.length === 1 ? items[0]! : items;
  }
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

/** One line of text for a value: lists and maps by how many they are. */
export function summary(value: unknown, node: SchemaNode): string {
  if (value === null) return 'off';
  if (Array.isArray(value) && !(node.type === 'list' && isShorthand(node.item))) return entries(value.length);
  if (node.type === 'named' && isRecord(value)) return entries(Object.keys(value).length);
  const written = writeValue(value, node);
  return Array.isArray(written) ? written.map(lineOf).join(', ') : lineOf(written);
}

function lineOf(written: Written): string {
  if (!isRecord(written)) return String(written);
  const { address } = written;
  if (address !== undefined) return String(address);
  return `{ ${Object.entries(written)
    .map(([key, inner]) => `${key}: ${lineOf(inner)}`)
    .join(', ')} }`;
}

/** A section that a plain value may stand for, such as a listener. */
function isShorthand(node: SchemaNode): boolean {
  return node.type === 'section' && node.shorthand !== undefined;
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

/** Every setting with its value and where it came from; what tiers and policies change follows them. */
export function effectiveValues(config: Config, source: ConfigSource): EffectiveValue[] {
  return [...settingsOf(config)].map(({ path, node, value }) => {
    const shown = showPath(path);
    return { path: shown, value: summary(value, node), origin: source.origins.get(shown) ?? 'default' };
  });
}
