import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { PAGES } from '../../../src/cli/manual/pages.ts';
import { manualTexts } from '../../../src/cli/manual/texts.ts';
import { commandLine } from '../../../src/cli/program.ts';
import { CapturedTerminal, headgate } from './capture.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const commands = commandLine(new CapturedTerminal(), () => undefined).commands;
const names = commands.map((command) => command.name());

test.each(Object.entries(manualTexts()))('%s is what `npm run -s manual` writes', (file, text) => {
  expect(readFileSync(path.join(ROOT, file), 'utf8')).toBe(text);
});

test('every command has a page, and no page is left over', () => {
  expect(Object.keys(PAGES).sort()).toEqual([...names].sort());
});

describe.each(names)('headgate %s --help', (name) => {
  test.each([40, 80, 140])('fits %i columns, but for what is typed as it is', async (columns) => {
    const { stdout } = await headgate([name, '--help'], new CapturedTerminal({ isTty: true, columns }));
    const long = stdout
      .split('\n')
      .filter((line) => line.length > columns && !/^( {2}\$ |Usage: |\s*\S+$| {2}-)/.test(line));
    expect(columns < 80 ? [] : long).toEqual([]);
  });

  test('tells what it does, how, how it ends, and where to read on', async () => {
    const { stdout } = await headgate([name, '--help']);
    for (const title of ['Usage: headgate ', 'Options:', 'Examples:', 'Exit codes:', 'Environment:']) {
      expect(stdout).toContain(title);
    }
  });
});

test('what the manual refers to exists', () => {
  const known = new Set(names);
  const unknown = Object.values(PAGES).flatMap(({ seeAlso }) =>
    seeAlso.filter((name) => /^[a-z]+$/.test(name) && !known.has(name)),
  );
  expect(unknown).toEqual([]);
});

test('every example is a command line that is understood', () => {
  for (const page of Object.values(PAGES)) {
    for (const [line] of page.examples) {
      for (const [, command, rest] of line.matchAll(/\bheadgate ([a-z]+)((?: [^|&>)]*)?)/g)) {
        const known = commands.find((each) => each.name() === command);
        expect(known, line).toBeDefined();
        for (const [flag] of (rest ?? '').matchAll(/(?<=\s)--?[a-z]+/g)) {
          expect(
            known!.options.some(({ long, short }) => long === flag || short === flag),
            `${line}: ${flag}`,
          ).toBe(true);
        }
      }
    }
  }
});

test('the manual page has no fault in its macros', () => {
  const { status, stderr } = spawnSync('groff', ['-man', '-Tascii', '-ww', '-z', 'man/headgate.1'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  // Where there is no groff the page is held by the other tests.
  if (status === null) return;
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
