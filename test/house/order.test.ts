import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { codeLinesMatching, filesBelow, ROOT } from './repository.ts';

const CODE = ['.ts', '.js', '.cc', '.h'];
/** This directory names what it forbids. */
const isHouse = ({ name }: { name: string }) => name.startsWith('test/house/');
const everything = ['src', 'native', 'test', 'bench', 'scripts']
  .filter((dir) => existsSync(path.join(ROOT, dir)))
  .flatMap((dir) => filesBelow(dir, CODE))
  .filter((file) => !isHouse(file));

test('nothing is left to do later', () => {
  const marks = everything.flatMap(({ name, lines }) =>
    lines.flatMap((line, index) =>
      /\b(TODO|FIXME|XXX|HACK)\b/.test(line) ? [`${name}:${index + 1}: ${line.trim()}`] : [],
    ),
  );
  expect(marks).toEqual([]);
});

test('every test runs', () => {
  const tests = everything.filter(({ name }) => name.startsWith('test/'));
  const left =
    /\b(describe|suite|test|it)(\.\w+)*\.(only|skip|todo|skipIf|runIf)\b|\b(xit|xdescribe|fit|fdescribe)\(/;
  expect(codeLinesMatching(tests, left)).toEqual([]);
});

test('each half of the addon is loaded in one place', () => {
  // The set-up's test plays a build that leaves an addon.
  const allowed = ['src/native/binding.ts', 'src/native/srt.ts', 'test/e2e/setup.test.ts'];
  const elsewhere = everything.filter(({ name }) => !name.startsWith('scripts/') && !allowed.includes(name));
  expect(codeLinesMatching(elsewhere, /\.node['"`]|process\.dlopen/)).toEqual([]);
});

test('files are named after what they hold', () => {
  const vague = /(^|[-_/])(managers?|handlers?|helpers?|utils?)([-_.]|$)/;
  expect(everything.map(({ name }) => name).filter((name) => vague.test(name))).toEqual([]);
});

test.each(['bin/headgate', '.ci/run'])('%s can be executed', (name) => {
  expect(statSync(path.join(ROOT, name)).mode & 0o111).toBe(0o111);
});
