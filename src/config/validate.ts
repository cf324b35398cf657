import type { z } from 'zod';
import { nearest } from './nearest.ts';
import type { Finding } from './problem.ts';
import { type Config, configSchema } from './schema.ts';
import { CONFIG_TREE, nodeAtPath, type Path, type SchemaNode, showPath } from './tree.ts';

/** Values against the schema, every finding in the words of an operator. */

/** Sections that define each key, for "it belongs under ...". */
const HOMES = new Map<string, string[]>();

function collectHomes(node: SchemaNode, path: string): void {
  if (node.type === 'list') collectHomes(node.item, `${path}[]`);
  if (node.type === 'named') collectHomes(node.value, `${path}.<name>`);
  if (node.type !== 'section') return;
  for (const [key, inner] of node.keys) {
    HOMES.set(key, [...(HOMES.get(key) ?? []), path]);
    collectHomes(inner, path === '' ? key : `${path}.${key}`);
  }
}
collectHomes(CONFIG_TREE, '');

/** Places named before "there are more" would be noise. */
const HOMES_SHOWN = 3;

function unknownKey(key: string, parent: Path): string {
  const node = nodeAtPath(parent);
  const known = node?.type === 'section' ? [...node.keys.keys()] : [];
  const typo = nearest(key, known);
  if (typo !== undefined) return `is not a known key; did you mean ${typo}?`;
  const homes = HOMES.get(key)?.slice(0, HOMES_SHOWN);
  if (homes !== undefined) {
    const places = homes.map((home) => (home === '' ? 'at the top level' : `under ${home}`));
    return `is not a known key of ${showPath(parent)}; it belongs ${places.join(' or ')}`;
  }
  const elsewhere = nearest(key, HOMES.keys());
  const home = elsewhere === undefined ? undefined : HOMES.get(elsewhere)?.[0];
  if (home !== undefined) {
    return `is not a known key; did you mean ${home === '' ? elsewhere : `${home}.${elsewhere}`}?`;
  }
  return `is not a known key; the keys of ${showPath(parent)} are ${known.join(', ')}`;
}

const EXPECTED: Readonly<Record<string, string>> = {
  object: 'is not a section; its keys stand below it, indented',
  record: 'is not a section; it holds a name and what belongs to it per line',
  array: 'is not a list; write [ ... ] or one line with "- " per entry',
};

/** Values are not quoted here: what stands in the place of a list of keys is likely a key. */
function* findingsOf(issue: z.core.$ZodIssue): Generator<Finding> {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) yield { path: [...path, key], message: unknownKey(key, path), atKey: true };
    return;
  }
  if (issue.code !== 'invalid_type') yield { path, message: issue.message };
  else {
    const expected = EXPECTED[issue.expected] ?? issue.message;
    const off = nodeAtPath(path)?.nullable === true ? '; null turns it off' : '';
    yield { path, message: expected + off };
  }
}

/** A path that leads into a plain value ends at that value: `rtmp: 1935` is about `listen.rtmp`. */
function withinValue(finding: Finding, value: unknown): Finding {
  let current = value;
  for (const [i, part] of finding.path.entries()) {
    // A single entry without its list: the list that was put around it is not in the file.
    if (
      typeof part === 'number' &&
      typeof current === 'object' &&
      current !== null &&
      !Array.isArray(current)
    ) {
      return withinValue({ ...finding, path: finding.path.toSpliced(i, 1) }, value);
    }
    if (typeof current !== 'object' || current === null) {
      return current === undefined || current === null
        ? finding
        : { ...finding, path: finding.path.slice(0, i) };
    }
    current = (current as Readonly<Record<string, unknown>>)[part];
  }
  return finding;
}

/**
 * A section or list without a value (`clients:` with every line below it
 * commented out) is an absent one. An empty scalar stays and is reported.
 */
function withoutEmpty(value: unknown, node: SchemaNode): unknown {
  if (node.type === 'leaf' || typeof value !== 'object' || value === null) return value;
  if (node.type === 'list') {
    return Array.isArray(value) ? value.map((item) => withoutEmpty(item, node.item)) : value;
  }
  if (Array.isArray(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const child = node.type === 'named' ? node.value : node.keys.get(key);
    const empty = inner === null && child !== undefined && child.type !== 'leaf' && !child.nullable;
    if (empty && node.type === 'section' && child.optional) continue;
    result[key] = child === undefined ? inner : withoutEmpty(empty ? {} : inner, child);
  }
  return result;
}

export type Validated =
  | { readonly ok: true; readonly config: Config; readonly value: unknown }
  | { readonly ok: false; readonly findings: readonly Finding[]; readonly value: unknown };

/** Checks each key by itself; what keys mean together is for `crossCheck`. */
export function validate(input: unknown): Validated {
  const value = withoutEmpty(input ?? {}, CONFIG_TREE);
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return { ok: true, config: parsed.data, value };
  const findings = parsed.error.issues.flatMap((issue) => [...findingsOf(issue)]);
  return { ok: false, value, findings: findings.map((finding) => withinValue(finding, value)) };
}
