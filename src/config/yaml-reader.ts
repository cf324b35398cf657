import { type Alias, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import type { Path } from './tree.ts';

/**
 * YAML nodes as plain values. Anchors, aliases and merge keys (`<<`) work; what
 * they may expand to is bounded, so a few lines of aliases of aliases cannot
 * fill the memory.
 */

/** Values after expansion of aliases; 10,000 clients with keys and limits are about 120,000. */
const VALUES_MAX = 1_000_000;

/** The schema is six deep; a file this deep is not a config. */
export const DEPTH_MAX = 64;

/** Something wrong at an offset of the text. */
export interface Fault {
  readonly offset: number;
  readonly path: Path;
  readonly message: string;
}

/** The text expands to more than any config needs. */
export class TooMuch extends Error {}

interface Anchored {
  readonly node: Node;
  readonly value: unknown;
  /** values below, aliases expanded */
  readonly size: number;
}

/** Turns nodes into values: one pass in document order, which is what gives an alias its meaning. */
export class YamlReader {
  readonly targets = new Map<Alias, Node>();
  readonly faults: Fault[] = [];
  readonly #anchors = new Map<string, Anchored | null>();
  #size = 0;

  read(node: Node | null, path: Path): unknown {
    this.#count(1);
    if (path.length > DEPTH_MAX) throw new TooMuch(`is nested more than ${DEPTH_MAX} levels deep`);
    if (node === null) return null;
    if (isAlias(node)) return this.#follow(node, path);
    const { anchor } = node as { anchor?: string };
    if (anchor !== undefined) this.#anchors.set(anchor, null);
    const before = this.#size;
    const value = this.#plain(node, path);
    if (anchor !== undefined) this.#anchors.set(anchor, { node, value, size: this.#size - before });
    return value;
  }

  #count(size: number): void {
    this.#size += size;
    if (this.#size > VALUES_MAX)
      throw new TooMuch(`holds more than ${VALUES_MAX} values once its aliases are expanded`);
  }

  #fault(node: Node, path: Path, message: string): null {
    this.faults.push({ offset: node.range?.[0] ?? 0, path, message });
    return null;
  }

  #follow(alias: Alias, path: Path): unknown {
    const anchored = this.#anchors.get(alias.source);
    if (anchored === undefined)
      return this.#fault(alias, path, `*${alias.source} has no anchor &${alias.source} before it`);
    if (anchored === null) return this.#fault(alias, path, `*${alias.source} stands inside its own anchor`);
    this.#count(anchored.size);
    this.targets.set(alias, anchored.node);
    return anchored.value;
  }

  #plain(node: Node, path: Path): unknown {
    if (isMap(node)) return this.#map(node, path);
    if (isSeq(node)) return node.items.map((item, i) => this.read(item as Node | null, [...path, i]));
    if (!isScalar(node)) return this.#fault(node, path, 'is not a value');
    const { value } = node;
    if (
      value === null ||
      typeof value === 'string' ||
      typeof value === 'number' ||
      typeof value === 'boolean'
    ) {
      return value;
    }
    return this.#fault(node, path, 'is of a type that configs do not use; put it in quotes');
  }

  #map(map: YAMLMap, path: Path): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    const merged: Record<string, unknown>[] = [];
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      if (isMergeKey(pair.key)) {
        this.#merge(pair, path, merged);
        continue;
      }
      const key = this.#key(pair.key, path);
      if (key === null) continue;
      const at = [...path, key];
      if (Object.hasOwn(result, key))
        this.#fault(pair.key, at, 'is set a second time here; keep one of the two');
      result[key] = this.read(pair.value, at);
    }
    for (const source of merged) {
      for (const [key, value] of Object.entries(source)) if (!Object.hasOwn(result, key)) result[key] = value;
    }
    return result;
  }

  #merge(pair: Pair<Node, Node | null>, path: Path, merged: Record<string, unknown>[]): void {
    const value = this.read(pair.value, path);
    for (const source of Array.isArray(value) ? value : [value]) {
      if (typeof source === 'object' && source !== null && !Array.isArray(source)) merged.push(source);
      else this.#fault(pair.key, path, '<< takes a section, or a list of sections');
    }
  }

  #key(key: Node, path: Path): string | null {
    const value = isScalar(key) ? key.value : undefined;
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      return this.#fault(key, path, 'has a key that is not plain text');
    }
    return value === '__proto__'
      ? this.#fault(key, path, 'has a key __proto__, which is not possible')
      : String(value);
  }
}

export function isMergeKey(key: Node): boolean {
  return isScalar(key) && typeof key.value === 'symbol';
}
