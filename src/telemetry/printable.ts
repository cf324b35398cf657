/**
 * Strangers choose stream names, addresses and encoder strings. Before such a
 * text is kept or shown, everything that could drive a terminal, reorder a
 * line or forge a second one is written as `\uXXXX`: control characters,
 * format characters (bidirectional overrides, the "Trojan Source" set of
 * CVE-2021-42574, and zero-width marks), line and paragraph separators, and
 * unpaired surrogates.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const UNSAFE_ALL = new RegExp(UNSAFE, 'gu');

/** Characters of a stranger's text that are kept: longer than any sane path, short enough for 10,000 receipts. */
const CHARS_MAX = 256;

/** `text` with unsafe characters as `\uXXXX`. Inside a JSON string literal the result is the same string. */
export function escapeUnsafe(text: string): string {
  return UNSAFE.test(text) ? text.replace(UNSAFE_ALL, escapedCodeUnits) : text;
}

/** `escapeUnsafe`, cut to `charsMax` characters of the original with `…` at the end. */
export function printable(text: string, charsMax = CHARS_MAX): string {
  return escapeUnsafe(text.length <= charsMax ? text : `${text.slice(0, charsMax)}…`);
}

function escapedCodeUnits(character: string): string {
  let escaped = '';
  for (let index = 0; index < character.length; index++) {
    escaped += `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }
  return escaped;
}
