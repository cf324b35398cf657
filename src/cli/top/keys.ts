/** Keys out of what a terminal sends in raw mode. */

export type Key =
  | 'up'
  | 'down'
  | 'page-up'
  | 'page-down'
  | 'home'
  | 'end'
  | 'enter'
  | 'escape'
  | 'backspace'
  | 'clear'
  | 'quit'
  /** a printable character */
  | { readonly character: string };

/** Escape sequences of xterm and its kin (ctlseqs), in normal and application mode. */
const SEQUENCES: Readonly<Record<string, Key>> = {
  '[A': 'up',
  OA: 'up',
  '[B': 'down',
  OB: 'down',
  '[5~': 'page-up',
  '[6~': 'page-down',
  '[H': 'home',
  OH: 'home',
  '[1~': 'home',
  '[F': 'end',
  OF: 'end',
  '[4~': 'end',
};

const CONTROLS: Readonly<Record<string, Key>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\x7f': 'backspace',
  '\b': 'backspace',
  '\x15': 'clear',
  '\x03': 'quit',
  '\x04': 'quit',
};

/** One escape sequence, one lone escape, or one character, in turn. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
const TOKEN = /\x1b(?<sequence>\[[0-9;?]*[ -/]*[@-~]|O[@-~])|(?<lone>\x1b)|(?<character>.)/gsu;

/** The keys in one chunk of input, in order. Sequences of keys without a meaning here are left out. */
export function keysOf(chunk: string): Key[] {
  const keys: Key[] = [];
  for (const { groups } of chunk.matchAll(TOKEN)) {
    const { sequence, lone, character } = groups ?? {};
    if (sequence !== undefined) {
      const key = SEQUENCES[sequence];
      if (key !== undefined) keys.push(key);
    } else if (lone !== undefined) {
      keys.push('escape');
    } else if (character !== undefined) {
      const key = CONTROLS[character];
      if (key !== undefined) keys.push(key);
      else if (!/\p{C}/u.test(character)) keys.push({ character });
    }
  }
  return keys;
}
