/** What `--help` says after arguments and options: examples, exit codes, environment, where to read on. */
import type { Command } from 'commander';
import { environmentOf, exitCodesOf, type Page } from './page.ts';

const INDENT = '  ';

export function helpAfter(page: Page, command: Command): string {
  const { helpWidth = 80 } = command.createHelp();
  const sections: [title: string, lines: string[]][] = [
    [
      'Examples',
      page.examples.flatMap(([line, does]) => [
        `${INDENT}$ ${line}`,
        ...wrapped(does, helpWidth, `${INDENT}    `),
      ]),
    ],
    ['Exit codes', defined(exitCodesOf(page), helpWidth)],
    ['Environment', defined(environmentOf(page), helpWidth)],
    ['See also', wrapped(page.seeAlso.map(referenceOf).join(', '), helpWidth, INDENT)],
  ];
  return sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => `\n${title}:\n${lines.join('\n')}`)
    .join('\n');
}

/** A command in full, or a document as it is. */
export function referenceOf(name: string): string {
  return /^[a-z]+$/.test(name) ? `headgate ${name}` : name;
}

function defined(pairs: readonly (readonly [string, string])[], width: number): string[] {
  const column = Math.min(24, Math.max(...pairs.map(([term]) => term.length)) + 2);
  return pairs.flatMap(([term, means]) => {
    const [first = '', ...more] = wrapped(means, width - INDENT.length - column, '');
    const hanging = INDENT + ' '.repeat(column);
    const head =
      term.length + 2 <= column
        ? [`${INDENT}${term.padEnd(column)}${first}`]
        : [`${INDENT}${term}`, hanging + first];
    return [...head, ...more.map((line) => hanging + line)];
  });
}

/** Words in lines of at most `width`, each with `indent` before it; a word that is longer stands alone. */
function wrapped(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').filter((each) => each !== '')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, indent + line];
}
