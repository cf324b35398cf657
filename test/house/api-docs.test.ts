import path from 'node:path';
import { describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { filesBelow } from './repository.ts';

/**
 * docs/api is written by `npm run docs:api`, from the docstrings of what the
 * package exports. Writing it takes a compiler ten seconds, so what is looked at here
 * is whether it speaks of the same things in the same words.
 */

/** Source file of each entry of the package, and the page about it. */
const ENTRIES = Object.entries(packageJson.exports).flatMap(([entry, target]) => {
  if (typeof target === 'string') return [];
  const name = path.basename(target.default, '.js');
  return [[`src/${name}.ts`, `docs/api/${path.posix.join('headgate', entry)}.md`] as const];
});

const source = new Map(filesBelow('src', ['.ts']).map((file) => [file.name, file.text]));
const pages = new Map(filesBelow('docs/api', ['.md']).map((file) => [file.name, file.text]));

/** Names that a file exports, `as` honoured. */
function exportsOf(text: string): string[] {
  const listed = [...text.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, names = '']) =>
    names.split(',').map((name) => name.trim().replace(/^type /, '')),
  );
  const own = [...text.matchAll(/export (?:abstract )?(?:class|function|interface|type|const) (\w+)/g)];
  const names = [...listed.map((name) => name.replace(/^\w+ as /, '')), ...own.map(([, name = '']) => name)];
  return [...new Set(names.filter((name) => name !== ''))].sort();
}

/** Names that a page has a section on. */
function sectionsOf(text: string): string[] {
  const headings = text.replaceAll('\\_', '_').matchAll(/^### (?:`abstract` )?(\w+)/gm);
  const names = [...headings].map(([, name = '']) => name);
  return [...new Set(names)].sort();
}

describe.each(ENTRIES)('%s', (file, page) => {
  test('every export has its section in the API docs, and nothing else has', () => {
    expect(sectionsOf(pages.get(page) ?? '')).toEqual(exportsOf(source.get(file) ?? ''));
  });

  test('its introduction is the one in the API docs', () => {
    const [, comment = ''] = /^\/\*\*(.*?)\*\//s.exec(source.get(file) ?? '') ?? [];
    const intro = comment
      .replace(/^ *\* ?/gm, '')
      .replace(/@module.*$/s, '')
      .trim();
    expect(intro).not.toBe('');
    expect(pages.get(page)).toContain(intro);
  });
});

test('every key of the config is in the API docs as the schema describes it', () => {
  const options = source.get('src/config/options.ts') ?? '';
  const [, keys = ''] = /export interface ConfigOptions \{([^}]*)\}/.exec(options) ?? [];
  const docs = [...keys.matchAll(/\/\*\* (.*) \*\//g)].map(([, doc = '']) => doc);
  expect(docs.length).toBeGreaterThan(10);
  expect(docs.filter((doc) => !pages.get('docs/api/headgate.md')?.includes(doc))).toEqual([]);
});
