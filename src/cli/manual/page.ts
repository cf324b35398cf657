/** What the manual says of a command beside its arguments and options, which commander knows. */
export interface Page {
  /** one clause, for the list of commands */
  readonly summary: string;
  /** paragraphs */
  readonly about: readonly string[];
  readonly examples: readonly (readonly [line: string, does: string])[];
  /** names of other commands, and documents */
  readonly seeAlso: readonly string[];
  /** it asks a running server: the environment and exit codes of such commands are its own */
  readonly asksServer?: boolean;
  /** exit codes that mean something else here */
  readonly exit?: Readonly<Record<number, string>>;
  /** variables that only it knows */
  readonly environment?: Readonly<Record<string, string>>;
}

export function exitCodesOf({ asksServer = false, exit = {} }: Page): [code: string, means: string][] {
  const codes: Record<number, string> = {
    0: 'done',
    1: asksServer ? 'the server cannot be reached, or refuses' : 'it failed while running',
    2: 'the command line is wrong, or the config is',
    ...exit,
  };
  return Object.entries(codes);
}

export function environmentOf({
  asksServer = false,
  environment = {},
}: Page): [name: string, means: string][] {
  const shared = asksServer
    ? {
        HEADGATE_URL: 'the server to ask where --url is not given',
        HEADGATE_TOKEN: 'the token where --token is not given',
        NODE_EXTRA_CA_CERTS: 'a file with the CA of its certificate, for https:// with a CA of your own',
      }
    : {};
  return Object.entries({ ...shared, ...environment, NO_COLOR: 'set to anything: no colours' });
}
