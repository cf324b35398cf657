import type { JsonSchema } from './field.ts';
import { CONFIG_TREE, type LeafNode, type ListNode, type SchemaNode, type SectionNode } from './tree.ts';

/**
 * The JSON Schema that editors use (draft 2020-12), from the same tree as the
 * validation. It knows types, units and defaults; what keys mean together
 * only Headgate checks.
 */

function orNull(schema: JsonSchema, node: SchemaNode): JsonSchema {
  const emptyMeansAbsent = node.type !== 'leaf' && node.optional;
  return node.nullable || emptyMeansAbsent ? { anyOf: [schema, { type: 'null' }] } : schema;
}

function sectionSchema(node: SectionNode): JsonSchema {
  const entries = [...node.keys];
  const required = entries.filter(([, inner]) => !inner.optional).map(([key]) => key);
  const object = {
    type: 'object',
    properties: Object.fromEntries(entries.map(([key, inner]) => [key, schemaOf(inner)])),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
  const short = node.shorthand === undefined ? undefined : node.keys.get(node.shorthand);
  return short === undefined ? object : { anyOf: [schemaOf(short), object] };
}

function listSchema(node: ListNode): JsonSchema {
  const item = schemaOf(node.item);
  const list = { type: 'array', items: item };
  return node.single ? { anyOf: [item, list] } : list;
}

function bare(node: Exclude<SchemaNode, LeafNode>): JsonSchema {
  if (node.type === 'section') return sectionSchema(node);
  if (node.type === 'list') return listSchema(node);
  return { type: 'object', additionalProperties: schemaOf(node.value) };
}

function schemaOf(node: SchemaNode): JsonSchema {
  const schema = orNull(node.type === 'leaf' ? node.kind.json : bare(node), node);
  return {
    ...schema,
    ...(node.doc === '' ? {} : { description: node.doc }),
    ...(node.fallback === undefined ? {} : { default: node.fallback }),
  };
}

/** The whole schema as it stands in config/schema.json. */
export function configJsonSchema(): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Headgate config',
    ...schemaOf(CONFIG_TREE),
  };
}
