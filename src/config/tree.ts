import type { z } from 'zod';
import { type LeafMeta, leafMeta, sectionMeta } from './field.ts';
import { configSchema } from './schema.ts';

/**
 * The schema as a plain tree: what validation messages, environment variables,
 * printed limits, masking and the JSON Schema walk, instead of zod's insides.
 */

interface Common {
  /** '' where the parent says it all */
  readonly doc: string;
  readonly nullable: boolean;
  /** in words of the config; undefined where there is none */
  readonly fallback: unknown;
  /** absent is fine, whether or not a default stands in */
  readonly optional: boolean;
}

export interface LeafNode extends Common {
  readonly type: 'leaf';
  readonly kind: LeafMeta['kind'];
}

export interface SectionNode extends Common {
  readonly type: 'section';
  readonly keys: ReadonlyMap<string, SchemaNode>;
  /** a plain value in place of the section stands for this key of it */
  readonly shorthand: string | undefined;
}

export interface ListNode extends Common {
  readonly type: 'list';
  readonly item: SchemaNode;
  /** a single entry may stand without its list */
  readonly single: boolean;
}

export interface NamedNode extends Common {
  readonly type: 'named';
  readonly value: SchemaNode;
}

export type SchemaNode = LeafNode | SectionNode | ListNode | NamedNode;

type Def = z.core.$ZodTypeDef & {
  readonly innerType?: z.core.$ZodType;
  readonly defaultValue?: unknown;
  readonly in?: z.core.$ZodType;
  readonly out?: z.core.$ZodType;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly element?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
};

/** The side of a pipe that holds structure: the other one is a bare function. */
function structured(def: Def): z.core.$ZodType | undefined {
  return def.in?._zod.def.type === 'transform' ? def.out : def.in;
}

function build(schema: z.core.$ZodType): SchemaNode {
  let current: z.core.$ZodType | undefined = schema;
  let doc = '';
  let shorthand: string | undefined;
  let nullable = false;
  let optional = false;
  let fallback: unknown;
  while (current !== undefined) {
    const section = sectionMeta(current);
    doc ||= section?.doc ?? '';
    shorthand ??= section?.shorthand;
    const meta = leafMeta(current);
    if (meta !== undefined) {
      return { type: 'leaf', kind: meta.kind, doc: meta.doc, nullable, fallback, optional };
    }
    const def = current._zod.def as Def;
    const common = { doc, nullable, fallback, optional };
    if (def.shape !== undefined) {
      const keys = new Map(Object.entries(def.shape).map(([key, inner]) => [key, build(inner)]));
      return { type: 'section', keys, shorthand, ...common };
    }
    if (def.element !== undefined)
      return { type: 'list', item: build(def.element), single: shorthand !== undefined, ...common };
    if (def.valueType !== undefined) return { type: 'named', value: build(def.valueType), ...common };
    if (def.type === 'nullable') nullable = true;
    if (def.type === 'optional' || def.type === 'prefault') optional = true;
    if (def.type === 'prefault') fallback = def.defaultValue;
    current = def.type === 'pipe' ? structured(def) : def.innerType;
  }
  throw new TypeError('a config key has neither a kind nor keys');
}

const root = build(configSchema);
if (root.type !== 'section') throw new TypeError('the config is not a section');

/** The whole config. */
export const CONFIG_TREE: SectionNode = root;

export type Path = readonly (string | number)[];

/** `clients[3].keys[0].name`; the root is `config`. */
export function showPath(path: Path): string {
  let text = '';
  for (const step of path) text += typeof step === 'number' ? `[${step}]` : text === '' ? step : `.${step}`;
  return text === '' ? 'config' : text;
}

/** The node that describes what stands at a path, or undefined where nothing may stand. */
export function nodeAtPath(path: Path): SchemaNode | undefined {
  let node: SchemaNode | undefined = CONFIG_TREE;
  for (const step of path) {
    if (node?.type === 'section') node = node.keys.get(String(step));
    else if (node?.type === 'list') node = node.item;
    else if (node?.type === 'named') node = node.value;
    else return undefined;
  }
  return node;
}

/**
 * Every key that can be set without an index or a name of the operator's own,
 * in the order of the schema. Lists, maps and listeners count as one.
 */
export function* staticLeaves(
  node: SchemaNode = CONFIG_TREE,
  path: readonly string[] = [],
): Generator<{ readonly path: readonly string[]; readonly node: SchemaNode }> {
  if (node.type !== 'section' || node.nullable) yield { path, node };
  else for (const [key, inner] of node.keys) yield* staticLeaves(inner, [...path, key]);
}
