/**
 * A glob over one name: `*` is any run of characters, the empty one included,
 * `?` is exactly one, and a backslash takes the next character as it is. Names
 * hold no separator, so `*` has nothing to stop at.
 */
export class Glob {
  /** what every matching name begins with; the index of policies files by it */
  readonly literalPrefix: string;
  /** true when there is no wildcard: the prefix is the whole name */
  readonly exact: boolean;
  /** code units; negative numbers are the wildcards below */
  readonly #tokens: readonly number[];

  constructor(pattern: string) {
    const tokens = tokenize(pattern);
    const wild = tokens.findIndex((token) => token < 0);
    this.#tokens = tokens;
    this.exact = wild < 0;
    this.literalPrefix = String.fromCharCode(...(this.exact ? tokens : tokens.slice(0, wild)));
  }

  /**
   * Only the last `*` passed is ever taken back: a longer run for an earlier
   * one could not help, as the later one absorbs whatever it would skip. That
   * bounds the work to name length x pattern length for any pattern.
   */
  test(name: string): boolean {
    if (this.exact) return name === this.literalPrefix;
    const tokens = this.#tokens;
    let token = 0;
    let at = 0;
    let star = -1;
    let starAt = 0;
    while (at < name.length) {
      const wanted = token < tokens.length ? tokens[token]! : NONE;
      if (wanted === ANY_RUN) {
        star = token++;
        starAt = at;
      } else if (wanted === ANY_ONE || wanted === name.charCodeAt(at)) {
        token++;
        at++;
      } else if (star >= 0) {
        token = star + 1;
        at = ++starAt;
      } else return false;
    }
    while (tokens[token] === ANY_RUN) token++;
    return token === tokens.length;
  }
}

const ANY_RUN = -1;
const ANY_ONE = -2;
/** past the end of the pattern: equal to no character and no wildcard */
const NONE = -3;

function tokenize(pattern: string): number[] {
  const tokens: number[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern.charAt(at);
    if (char === '*') {
      if (tokens.at(-1) !== ANY_RUN) tokens.push(ANY_RUN);
    } else if (char === '?') tokens.push(ANY_ONE);
    // A backslash at the very end has nothing to protect and stands for itself.
    else if (char === '\\' && at + 1 < pattern.length) tokens.push(pattern.charCodeAt(++at));
    else tokens.push(pattern.charCodeAt(at));
  }
  return tokens;
}
