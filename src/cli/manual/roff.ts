/** man/headgate.1, in the man(7) macros. */
import { VERSION } from '../../version.ts';
import type { ManualEntry } from './entries.ts';
import { referenceOf } from './help.ts';
import { PROGRAM_ABOUT } from './pages.ts';

/** Text that stands for itself: a dot or quote at the beginning of a line would be a request. */
function plain(text: string): string {
  return text
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/^([.'])/gm, '\\&$1');
}

function pairs(title: string, entries: readonly (readonly [string, string])[]): string[] {
  if (entries.length === 0) return [];
  return [
    `.PP`,
    plain(title),
    ...entries.flatMap(([term, means]) => ['.RS', '.TP', `\\fB${plain(term)}\\fR`, plain(means), '.RE']),
  ];
}

export function manualPage(entries: readonly ManualEntry[]): string {
  const [first = '', ...rest] = PROGRAM_ABOUT;
  const lines = [
    `.TH HEADGATE 1 "" "headgate ${plain(VERSION)}" "User Commands"`,
    '.SH NAME',
    'headgate \\- ingest server for live media that decides how much is let in',
    '.SH SYNOPSIS',
    '\\fBheadgate\\fR \\fICOMMAND\\fR [\\fIoptions\\fR]',
    '.SH DESCRIPTION',
    plain(first),
    ...rest.flatMap((text) => ['.PP', plain(text)]),
    '.SH COMMANDS',
    ...entries.flatMap(commandLines),
    '.SH EXIT STATUS',
    '0 done, 1 it failed while running, 2 bad usage or bad config. Errors go to standard error, one line each.',
    '.SH FILES',
    'config/headgate.yaml: every key with its default.',
  ];
  return `${lines.join('\n')}\n`;
}

function commandLines(entry: ManualEntry): string[] {
  return [
    `.SS ${plain(entry.synopsis)}`,
    plain(`${entry.summary[0]?.toUpperCase()}${entry.summary.slice(1)}.`),
    ...entry.about.flatMap((text) => ['.PP', plain(text)]),
    ...pairs('Arguments:', entry.arguments),
    ...pairs('Options:', entry.options),
    ...pairs('Examples:', entry.examples),
    ...pairs('Exit codes:', entry.exitCodes),
    ...pairs('Environment:', entry.environment),
    ...(entry.seeAlso.length === 0
      ? []
      : ['.PP', plain(`See also: ${entry.seeAlso.map(referenceOf).join(', ')}.`)]),
  ];
}
