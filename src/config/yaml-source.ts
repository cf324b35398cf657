import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLError,
} from 'yaml';
import type { Finding, Place } from './problem.ts';
import type { Path } from './tree.ts';
import { DEPTH_MAX, type Fault, isMergeKey, TooMuch, YamlReader } from './yaml-reader.ts';

/** What the parser's codes mean to somebody who edits a config. */
const SYNTAX: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  TAB_AS_INDENT: 'a tab is used for indentation; YAML wants spaces',
  BAD_INDENT: 'the indentation does not fit the lines around it, or a bracket is not closed',
  BLOCK_AS_IMPLICIT_KEY:
    'two keys on one line, or a value followed by an indented line; put a text with ": " in quotes',
  MULTILINE_IMPLICIT_KEY: 'a key goes on over several lines; is a colon missing?',
  MULTIPLE_DOCS: 'a second document starts here (---); a config is one document',
  TAG_RESOLVE_FAILED: 'tags (!name) are not used in configs; put a text that starts with ! in quotes',
  BAD_SCALAR_START: 'a value cannot start with this character; put it in quotes',
  UNEXPECTED_TOKEN: 'this does not belong here; check the indentation, and quotes around special characters',
  MISSING_CHAR: 'a closing quote, a bracket or a colon is missing',
  BAD_DIRECTIVE: 'this %directive is not known; remove the line',
};

function syntaxMessage(error: YAMLError, text: string): string {
  const start = text.lastIndexOf('\n', error.pos[0] - 1) + 1;
  const end = text.indexOf('\n', error.pos[0]);
  const line = text.slice(start, end < 0 ? text.length : end);
  if (/:\s*\[[0-9a-f:.]*\]:[0-9]/i.test(line)) return 'an IPv6 address must stand in quotes: "[::1]:1935"';
  return SYNTAX[error.code] ?? `this is not valid YAML (${error.code.toLowerCase().replaceAll('_', ' ')})`;
}

/** A parsed text: its value, what was wrong with it, and where everything stands. */
export class YamlSource {
  /** plain values; null for an empty text */
  readonly value: unknown;
  /** in document order; `value` is not to be trusted when `broken` */
  readonly findings: readonly (Finding & { readonly place: Place })[];
  /** the structure itself is in doubt: more messages would be noise */
  readonly broken: boolean;
  readonly #root: Node | null;
  readonly #targets: ReadonlyMap<Alias, Node>;
  readonly #lines = new LineCounter();

  constructor(text: string) {
    const faults: Fault[] = [];
    const reader = new YamlReader();
    const document = parse(text, this.#lines, faults);
    this.#root = document?.contents ?? null;
    this.broken = document === null || this.#collectErrors(document, text, faults);
    this.#targets = reader.targets;
    this.value = null;
    if (!this.broken) {
      try {
        this.value = reader.read(this.#root, []);
        faults.push(...reader.faults);
      } catch (error) {
        if (!(error instanceof TooMuch)) throw error;
        this.broken = true;
        faults.push({ offset: 0, path: [], message: error.message });
      }
    }
    this.findings = faults.map(({ offset, path, message }) => ({
      path,
      message,
      place: this.#place(offset),
    }));
  }

  /** True when the structure is in doubt. */
  #collectErrors(document: Document.Parsed, text: string, faults: Fault[]): boolean {
    let broken = false;
    let lastLine = 0;
    for (const error of [...document.errors, ...document.warnings]) {
      const offset = error.pos[0];
      const { line } = this.#place(offset);
      // The parser stumbles on over a broken line: its first complaint is the useful one.
      if (line !== lastLine) faults.push({ offset, path: [], message: syntaxMessage(error, text) });
      lastLine = line;
      broken = true;
    }
    return broken;
  }

  #place(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  /**
   * Where the value at `path` stands, or the key itself; for a key that is not
   * there, the section that lacks it. `exact` is false in that last case.
   */
  locate(path: Path, atKey = false): Place & { readonly exact: boolean } {
    let node: Node | null = this.#root;
    let offset = node?.range?.[0] ?? 0;
    for (const [i, step] of path.entries()) {
      const found = this.#child(node, step);
      if (found === undefined) return { ...this.#place(offset), exact: false };
      node = found.value;
      const keyWanted = atKey && i === path.length - 1;
      offset = (keyWanted ? undefined : node?.range?.[0]) ?? found.key?.range?.[0] ?? offset;
    }
    return { ...this.#place(offset), exact: true };
  }

  #child(parent: Node | null, step: string | number): { key?: Node; value: Node | null } | undefined {
    const node = isAlias(parent) ? this.#targets.get(parent) : parent;
    if (isSeq(node)) {
      const item = typeof step === 'number' ? (node.items[step] as Node | null | undefined) : undefined;
      return item === undefined ? undefined : { value: item };
    }
    if (!isMap(node)) return undefined;
    const pairs = node.items as Pair<Node, Node | null>[];
    const own = pairs.find(({ key }) => isScalar(key) && String(key.value) === String(step));
    if (own !== undefined) return { key: own.key, value: own.value };
    for (const { key, value } of pairs) {
      if (!isMergeKey(key)) continue;
      const inherited = isSeq(value)
        ? value.items.map((item) => this.#child(item as Node, step)).find((found) => found !== undefined)
        : this.#child(value, step);
      if (inherited !== undefined) return inherited;
    }
    return undefined;
  }
}

function parse(text: string, lineCounter: LineCounter, faults: Fault[]): Document.Parsed | null {
  try {
    return parseDocument(text, {
      lineCounter,
      prettyErrors: false,
      merge: true,
      schema: 'core',
      uniqueKeys: false,
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    faults.push({ offset: 0, path: [], message: `is nested more than ${DEPTH_MAX} levels deep` });
    return null;
  }
}
