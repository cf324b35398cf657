/** docs/cli.md. */
import type { ManualEntry } from './entries.ts';
import { referenceOf } from './help.ts';
import { PROGRAM_ABOUT } from './pages.ts';

export function manualMarkdown(entries: readonly ManualEntry[]): string {
  const lines = [
    '# Commands',
    '',
    '<!-- Written by `npm run -s manual` from what `headgate COMMAND --help` says. -->',
    ...PROGRAM_ABOUT.flatMap((text) => ['', cell(text)]),
    '',
    '| command | does |',
    '| --- | --- |',
    ...entries.map(({ name, summary }) => `| [\`headgate ${name}\`](#headgate-${name}) | ${cell(summary)} |`),
    ...entries.flatMap(commandLines),
  ];
  return `${lines.join('\n')}\n`;
}

function commandLines(entry: ManualEntry): string[] {
  const examples = entry.examples.flatMap(([line, does]) => [`# ${does}`, line]);
  return [
    '',
    `## headgate ${entry.name}`,
    '',
    '```',
    entry.synopsis,
    '```',
    '',
    cell(`${entry.summary[0]?.toUpperCase()}${entry.summary.slice(1)}.`),
    ...entry.about.flatMap((text) => ['', cell(text)]),
    ...rows('argument', entry.arguments),
    ...rows('option', entry.options),
    ...(examples.length === 0 ? [] : ['', '```sh', ...examples, '```']),
    ...rows('exit code', entry.exitCodes),
    ...rows('environment', entry.environment),
    ...(entry.seeAlso.length === 0
      ? []
      : ['', `See also ${entry.seeAlso.map((name) => `\`${referenceOf(name)}\``).join(', ')}.`]),
  ];
}

function rows(what: string, entries: readonly (readonly [string, string])[]): string[] {
  if (entries.length === 0) return [];
  return [
    '',
    `| ${what} | |`,
    '| --- | --- |',
    ...entries.map(([term, means]) => `| \`${term.replaceAll('|', '\\|')}\` | ${cell(means)} |`),
  ];
}

/** Text that Markdown would take for its own. */
function cell(text: string): string {
  return text.replace(/[|<>*_]/g, '\\$&');
}
