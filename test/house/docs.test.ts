import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { ERROR_CODES } from '../../src/lib/errors.ts';
import { documents, filesBelow, ROOT } from './repository.ts';

const docs = documents();
const allDocs = docs.map(({ text }) => text).join('\n');
const source = filesBelow('src', ['.ts']);

/** The text of one document, empty when it is not there, so that the expectation names what is missing. */
function document(name: string): string {
  return docs.find((doc) => doc.name === name)?.text ?? '';
}

function wordsIn(text: string, pattern: RegExp): string[] {
  return [...new Set(text.match(pattern) ?? [])].sort();
}

test.each(['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'LICENSE'])(
  'there is a %s',
  (name) => {
    expect(existsSync(path.join(ROOT, name))).toBe(true);
  },
);

test('ARCHITECTURE.md lists exactly the error codes that exist', () => {
  expect(wordsIn(document('ARCHITECTURE.md'), /\bHG_[A-Z_]+\b/g)).toEqual(Object.keys(ERROR_CODES).sort());
});

test('every error code is used', () => {
  const code = source
    .filter(({ name }) => name !== 'src/lib/errors.ts')
    .map(({ text }) => text)
    .join('\n');
  expect(Object.keys(ERROR_CODES).filter((name) => !code.includes(`'${name}'`))).toEqual([]);
});

test('the documents name every metric, and no other', () => {
  const names = /\bheadgate_[a-z_]*[a-z]\b/g;
  const declared = source
    .filter(({ name }) => name.startsWith('src/telemetry/'))
    .map(({ text }) => text)
    .join('\n');
  expect(wordsIn(allDocs, names)).toEqual(wordsIn(declared, names));
});

test('README.md shows every command', () => {
  const commands = filesBelow('src/cli/commands', ['.ts']).map(({ name }) => path.basename(name, '.ts'));
  expect(commands.length).toBeGreaterThan(0);
  expect(commands.filter((command) => !document('README.md').includes(`headgate ${command}`))).toEqual([]);
});

test('every npm script that a document mentions exists', () => {
  const mentioned = [...allDocs.matchAll(/\bnpm run ([a-z][a-z:-]*)/g)].map((match) => match[1]);
  expect(mentioned.filter((name) => name !== undefined && !(name in packageJson.scripts))).toEqual([]);
});

test('every file that a document links to exists', () => {
  const broken = docs.flatMap(({ name, text }) =>
    [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !existsSync(path.resolve(ROOT, path.dirname(name), target)))
      .map((target) => `${name}: ${target}`),
  );
  expect(broken).toEqual([]);
});
