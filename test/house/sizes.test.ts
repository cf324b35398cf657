import { expect, test } from 'vitest';
import { filesBelow, type SourceFile } from './repository.ts';

/** A file longer than this holds more than one concept; 250 is the aim. */
const FILE_LINES_MAX = 400;
/** Functions stay below this. For TypeScript the linter counts (biome.json); it does not read C++. */
const FUNCTION_LINES_BELOW = 70;

const native = filesBelow('native', ['.cc', '.h']);

test('no source file is longer than 400 lines', () => {
  const long = [...filesBelow('src', ['.ts']), ...native].filter(
    ({ lines }) => lines.length > FILE_LINES_MAX,
  );
  expect(long.map(({ name, lines }) => `${name}: ${lines.length}`)).toEqual([]);
});

/** The same text, line for line, without comments, strings and characters: braces in them open nothing. */
function withoutWords(text: string): string {
  const words = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;
  return text.replace(words, (word) => word.replace(/[^\n]/g, ' '));
}

/** What holds functions but is none, and tables of values. */
const NO_FUNCTION = /\b(namespace|class|struct|union|enum|extern)\b(?!.*\))|=\s*$/s;

/** The outermost blocks of a C++ file that are functions, when they are too long. */
function longFunctions({ name, text }: SourceFile): string[] {
  const found: string[] = [];
  /** the line on which the function began, or null for a block that only holds others */
  const open: (number | null)[] = [];
  let head = '';
  let line = 1;
  for (const character of withoutWords(text)) {
    if (character === '\n') line += 1;
    if (character === '{') {
      const isInside = open.some((start) => start !== null);
      open.push(isInside || NO_FUNCTION.test(head) ? null : line);
    } else if (character === '}') {
      const start = open.pop() ?? null;
      const length = start === null ? 0 : line - start - 1;
      if (length >= FUNCTION_LINES_BELOW) found.push(`${name}:${start}: ${length} lines`);
    }
    head = '{};'.includes(character) ? '' : head + character;
  }
  return found;
}

test('no native function has 70 lines', () => {
  expect(native.flatMap(longFunctions)).toEqual([]);
});

test.each([
  ['a method', ['class A {', 'int f(int x,', '      int y) const {'], ['}', '};'], 3],
  ['a constructor', ['A::A(int x) : x_{x}, y_(x) {'], ['}'], 1],
  ['a function in a namespace', ['namespace a {', '// {', 'int f() {'], ['}', '}'], 3],
])('%s of 70 lines is noticed', (_what, head, tail, line) => {
  const body = Array.from({ length: FUNCTION_LINES_BELOW }, () => '  if (x) { step("}"); }');
  const lines = [...head, ...body, ...tail];
  expect(longFunctions({ name: 'x.cc', text: lines.join('\n'), lines })).toEqual([`x.cc:${line}: 70 lines`]);
  const shorter = lines.toSpliced(head.length, 1);
  expect(longFunctions({ name: 'x.cc', text: shorter.join('\n'), lines: shorter })).toEqual([]);
});
