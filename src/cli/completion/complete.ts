/**
 * What may come next on a command line that somebody is typing. It is found by
 * walking the very commands that are run, so it cannot be out of date.
 */
import type { Argument, Command, Option } from 'commander';
import { escapeUnsafe } from '../../telemetry/printable.ts';
import { printLines } from '../context.ts';
import type { Terminal } from '../terminal.ts';
import { type Suggestion, suggestionOf } from '../wiring.ts';
import type { Candidate } from './candidate.ts';
import { type Asked, liveCandidates } from './live.ts';

/** Where the word stands that is being typed. */
type Place =
  | { readonly kind: 'command'; readonly of: Command }
  | { readonly kind: 'option'; readonly of: Command }
  | {
      readonly kind: 'value';
      readonly part: Argument | Option;
      readonly typed: string;
      readonly before: string;
    };

/** Stands for the names of files, which the shell knows itself. */
const FILES = ':files';

/** `headgate __complete -- WORD...`: prints candidates for the last word. Never fails, never says a word of its own. */
export async function runComplete(
  program: Command,
  words: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const found = await candidates(program, words, terminal.env);
  printLines(
    terminal,
    found.map(({ value, description }) =>
      description === undefined ? value : `${value}\t${oneLine(description)}`,
    ),
  );
  return 0;
}

async function candidates(
  program: Command,
  words: readonly string[],
  env: Terminal['env'],
): Promise<Candidate[]> {
  const typed = words.at(-1) ?? '';
  const { places, asked } = placesOf(program, words);
  const found: Candidate[] = [];
  for (const place of places) {
    if (place.kind === 'command') found.push(...commandsOf(place.of));
    else if (place.kind === 'option') found.push(...optionsOf(place.of));
    else {
      const suggested = await suggestedBy(suggestionOf(place.part), { ...asked, env });
      if (suggested === FILES) return [{ value: FILES }];
      found.push(...suggested.map((each) => ({ ...each, value: place.before + each.value })));
    }
  }
  return found.filter(({ value }) => value.startsWith(typed));
}

async function suggestedBy(
  suggestion: Suggestion | undefined,
  asked: Asked,
): Promise<Candidate[] | typeof FILES> {
  if (suggestion === undefined) return [];
  if ('files' in suggestion) return FILES;
  if ('words' in suggestion) return suggestion.words.map((value) => ({ value }));
  return liveCandidates(suggestion.live, asked);
}

function commandsOf(program: Command): Candidate[] {
  const { visibleCommands } = program.createHelp();
  return visibleCommands
    .call(program.createHelp(), program)
    .map((command) => ({ value: command.name(), description: command.summary() }));
}

function optionsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(({ long, short, description }) => ({ value: long ?? short ?? '', description }));
}

/** Walks the words before the last one, as commander would. */
function placesOf(
  program: Command,
  words: readonly string[],
): { places: Place[]; asked: Omit<Asked, 'env'> } {
  let command = program;
  let pending: Option | undefined;
  let position = 0;
  const asked: { url?: string; token?: string } = {};
  for (const word of words.slice(0, -1)) {
    if (pending !== undefined) {
      note(asked, pending, word);
      pending = undefined;
    } else if (word.startsWith('-')) {
      const [flag, value] = cutAt(word, '=');
      const option = optionNamed(command, flag);
      if (option !== undefined && value !== null) note(asked, option, value);
      else if (option !== undefined && (option.required || option.optional)) pending = option;
    } else {
      const next = command === program ? program.commands.find((each) => each.name() === word) : undefined;
      if (next !== undefined) command = next;
      else position++;
    }
  }
  return { places: placesAt(command, position, pending, words.at(-1) ?? ''), asked };
}

function placesAt(command: Command, position: number, pending: Option | undefined, typed: string): Place[] {
  if (pending !== undefined) return [{ kind: 'value', part: pending, typed, before: '' }];
  const [flag, value] = cutAt(typed, '=');
  const given = typed.startsWith('--') && value !== null ? optionNamed(command, flag) : undefined;
  if (given !== undefined) return [{ kind: 'value', part: given, typed, before: `${flag}=` }];
  if (typed.startsWith('-')) return [{ kind: 'option', of: command }];
  if (command.commands.length > 0) return [{ kind: 'command', of: command }];
  const all = command.registeredArguments;
  const argument = all[position] ?? (all.at(-1)?.variadic === true ? all.at(-1) : undefined);
  return argument === undefined
    ? [{ kind: 'option', of: command }]
    : [{ kind: 'value', part: argument, typed, before: '' }];
}

function optionNamed(command: Command, flag: string): Option | undefined {
  return command.options.find(({ long, short }) => long === flag || short === flag);
}

function note(asked: { url?: string; token?: string }, option: Option, value: string): void {
  if (option.long === '--url') asked.url = value;
  if (option.long === '--token') asked.token = value;
}

function cutAt(text: string, mark: string): [before: string, after: string | null] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + mark.length)];
}

/** What a server says of a name is not always fit for a terminal. */
function oneLine(text: string): string {
  return escapeUnsafe(text.replace(/\s+/g, ' '));
}
