/** Every command as the manual tells it: from what commander runs, and from its page. */
import type { Command } from 'commander';
import { pageOf } from '../wiring.ts';
import { environmentOf, exitCodesOf } from './page.ts';

type Pairs = readonly (readonly [term: string, means: string])[];

export interface ManualEntry {
  readonly name: string;
  readonly synopsis: string;
  readonly summary: string;
  readonly about: readonly string[];
  readonly arguments: Pairs;
  readonly options: Pairs;
  readonly examples: Pairs;
  readonly exitCodes: Pairs;
  readonly environment: Pairs;
  readonly seeAlso: readonly string[];
}

export function manualEntries(program: Command): ManualEntry[] {
  return program.commands.map((command) => {
    const help = command.createHelp();
    const page = pageOf(command);
    return {
      name: command.name(),
      synopsis: help.commandUsage(command),
      summary: page.summary,
      about: page.about,
      arguments: help
        .visibleArguments(command)
        .map((each) => [help.argumentTerm(each), help.argumentDescription(each)]),
      options: help
        .visibleOptions(command)
        .map((each) => [help.optionTerm(each), help.optionDescription(each)]),
      examples: page.examples,
      exitCodes: exitCodesOf(page),
      environment: environmentOf(page),
      seeAlso: page.seeAlso,
    };
  });
}
