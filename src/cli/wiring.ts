import { type Argument, Command, InvalidArgumentError, type Option } from 'commander';
import type { Context } from './context.ts';
import type { Page } from './manual/page.ts';
import type { Terminal } from './terminal.ts';

/** What the commands are wired with: how they are described, completed, and given a server to ask. */

/** Wires one command into the program; `exit` takes its exit code. */
export type Wire = (program: Command, terminal: Terminal, exit: (code: number) => void) => Command;

export const CONFIG_HELP = 'config file (default: config/headgate.yaml, or the built-in defaults)';
export const STREAM_HELP = 'id (s-7k2f), path (/live/cam1) or name (cam1) of a live stream';
export const JSON_HELP = "the API's own JSON";

export interface ClientOptions {
  readonly url?: string;
  readonly token?: string;
  readonly json?: true;
}

/** What may stand somewhere on the command line, for a shell that completes it. */
export type Suggestion =
  | { readonly words: readonly string[] }
  /** asked from the server: streams by path and id, clients, addresses, or all of them and what was refused lately */
  | { readonly live: 'streams' | 'clients' | 'ips' | 'anybody' }
  | { readonly files: true };

const SUGGESTIONS = new WeakMap<Argument | Option, Suggestion>();
const PAGES = new WeakMap<Command, Page>();

/** Says what completes an argument or the value of an option. */
export function suggesting<T extends Argument | Option>(part: T, suggestion: Suggestion): T {
  SUGGESTIONS.set(part, suggestion);
  return part;
}

export function suggestionOf(part: Argument | Option): Suggestion | undefined {
  return SUGGESTIONS.get(part) ?? (part.argChoices === undefined ? undefined : { words: part.argChoices });
}

/** Gives a command its page of the manual. */
function documentedBy(command: Command, page: Page): Command {
  PAGES.set(command, page);
  return command.summary(page.summary).description([page.summary, ...page.about].join('\n\n'));
}

/** Every command has one; a test sees to it. */
export function pageOf(command: Command): Page {
  return PAGES.get(command) ?? { summary: command.summary(), about: [], examples: [], seeAlso: [] };
}

/** A command that asks a running server. */
export function client(program: Command, usage: string, page: Page): Command {
  const command = documentedBy(new Command(usage), { ...page, asksServer: true })
    .option('--url <url>', 'admin API of the server (default: HEADGATE_URL, or http://127.0.0.1:8080)')
    .option(
      '--token <token>',
      'admin token (default: HEADGATE_TOKEN, which other users of this machine do not see)',
    );
  return added(program, command);
}

/** A command that asks nobody. */
export function local(program: Command, usage: string, page: Page): Command {
  return added(program, documentedBy(new Command(usage), page));
}

function added(program: Command, command: Command): Command {
  program.addCommand(command.copyInheritedSettings(program));
  return command;
}

export async function contextOf({ url, token }: ClientOptions, terminal: Terminal): Promise<Context> {
  const [{ ApiClient }, { apiAddress }] = await Promise.all([
    import('./api/client.ts'),
    import('./api/address.ts'),
  ]);
  return { api: new ApiClient(apiAddress({ url, token }, terminal.env)), terminal };
}

/** Reads the value of an option that counts: a whole number from 1 to `most`. */
export function counted(most: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
    if (count < 1 || count > most) throw new InvalidArgumentError(`Expected 1 to ${most}.`);
    return count;
  };
}
