import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** The checkout under test. */
export const ROOT = path.resolve(import.meta.dirname, '../..');

export interface SourceFile {
  /** from the root, with forward slashes */
  readonly name: string;
  readonly text: string;
  readonly lines: readonly string[];
}

function read(name: string): SourceFile {
  const text = readFileSync(path.join(ROOT, name), 'utf8');
  return { name, text, lines: text.replace(/\n$/, '').split('\n') };
}

/** The files below `dir` whose names end in one of `endings`, in the order of their names. */
export function filesBelow(dir: string, endings: readonly string[]): SourceFile[] {
  return readdirSync(path.join(ROOT, dir), { recursive: true, encoding: 'utf8' })
    .map((name) => `${dir}/${name}`)
    .filter((name) => endings.some((ending) => name.endsWith(ending)) && !name.includes('node_modules/'))
    .filter((name) => statSync(path.join(ROOT, name)).isFile())
    .sort()
    .map(read);
}

/** The Markdown at the root of the repository and in docs/: what it says about itself. */
export function documents(): SourceFile[] {
  const atRoot = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  const inDocs = existsSync(path.join(ROOT, 'docs')) ? filesBelow('docs', ['.md']) : [];
  return [...atRoot.map(read), ...inDocs];
}

/** `file:line: text` of every line of code that matches. Lines that are only comment do not count. */
export function codeLinesMatching(files: readonly SourceFile[], pattern: RegExp): string[] {
  return files.flatMap(({ name, lines }) =>
    lines.flatMap((line, index) =>
      pattern.test(line) && !/^\s*(\/\/|\/?\*)/.test(line) ? [`${name}:${index + 1}: ${line.trim()}`] : [],
    ),
  );
}
