import type { Config } from './schema.ts';
import { type Path, type SchemaNode, staticLeaves } from './tree.ts';

/** Walks a loaded config beside its schema. */

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path of `staticLeaves`. */
export function valueAt(config: Config, path: Path): unknown {
  let value: unknown = config;
  for (const step of path) value = isRecord(value) ? value[step] : undefined;
  return value;
}

interface Setting {
  readonly path: Path;
  readonly node: SchemaNode;
  readonly value: unknown;
}

/** Every key that always has a value; lists and maps as a whole, tiers and policies also limit by limit. */
export function* settingsOf(config: Config): Generator<Setting> {
  for (const { path, node } of staticLeaves()) {
    const value = valueAt(config, path);
    yield { path, node, value };
    if (path[0] === 'tiers' || path[0] === 'policies') yield* overrides(value, node, path);
  }
}

/** The limits set below a tier or policy: leaves of its sections `client` and `stream`. */
function* overrides(value: unknown, node: SchemaNode, path: Path): Generator<Setting> {
  if (node.type === 'leaf') {
    const section = path.at(-2);
    if (section === 'client' || section === 'stream') yield { path, node, value };
  } else if (node.type === 'list' && Array.isArray(value)) {
    for (const [i, item] of value.entries()) yield* overrides(item, node.item, [...path, i]);
  } else if (isRecord(value)) {
    for (const [key, inner] of Object.entries(value)) {
      const child =
        node.type === 'named' ? node.value : node.type === 'section' ? node.keys.get(key) : undefined;
      if (child !== undefined) yield* overrides(inner, child, [...path, key]);
    }
  }
}
