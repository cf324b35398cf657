/**
 * Text for a terminal: safe, measured, styled.
 *
 * Names come from strangers. `printable` makes every character that is not
 * plainly visible into an escape, and `paint`, the only way to a string, puts
 * every span through it: no name can move the cursor, hide or turn text around.
 */

/** How a span looks; `paint` knows the codes. */
export type Style = keyof typeof STYLES;

export interface Span {
  readonly text: string;
  readonly style: Style;
}

export interface Line {
  readonly spans: readonly Span[];
  /** drawn in reverse over the whole width */
  readonly reverse?: boolean;
}

/** Select Graphic Rendition parameters (ECMA-48, 8.3.117); the 16 colours every theme has tuned. */
const STYLES = {
  plain: '',
  dim: '2',
  bold: '1',
  good: '32',
  warn: '33',
  bad: '31',
  odd: '35',
  accent: '36',
} as const;

/** Controls, formatting (bidirectional overrides too), separators, lone surrogates, private and unassigned. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;

/** Characters that take no cell of their own. */
const COMBINING = /[\p{Mn}\p{Me}]/u;

/** Characters that take two cells: East Asian wide and emoji (Unicode Annex 11), halfwidth forms left out. */
const WIDE =
  /(?![\uff61-\uffdc])[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Bopomofo}\p{sc=Yi}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;

/** Combining marks beyond four on one character: more than any script needs, enough to paint over other lines. */
const STACKED = /([\p{Mn}\p{Me}]{4})[\p{Mn}\p{Me}]+/gu;

/** Characters beyond ASCII, which need looking at one by one. */
const BEYOND_ASCII = /[^ -~]/;

/** The text with every hidden character written as its escape, `\u{1b}`. */
export function printable(text: string): string {
  if (!BEYOND_ASCII.test(text)) return text;
  return text
    .normalize('NFC')
    .replace(HIDDEN, (hidden) => `\\u{${hidden.codePointAt(0)!.toString(16)}}`)
    .replace(STACKED, '$1');
}

/** Cells that printable text takes. */
export function widthOf(text: string): number {
  if (!BEYOND_ASCII.test(text)) return text.length;
  let cells = 0;
  for (const character of text) cells += cellsOf(character);
  return cells;
}

function cellsOf(character: string): number {
  if (!BEYOND_ASCII.test(character)) return 1;
  if (COMBINING.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** As much of the text as fits in `cells`; what was cut is told by a last `~`. */
export function clip(text: string, cells: number): string {
  const safe = printable(text);
  if (widthOf(safe) <= cells) return safe;
  let kept = '';
  let used = 0;
  for (const character of safe) {
    used += cellsOf(character);
    if (used > cells - 1) break;
    kept += character;
  }
  return cells > 0 ? `${kept}~` : '';
}

/** Exactly `cells` wide, clipped or filled with spaces. */
export function pad(text: string, cells: number, align: 'left' | 'right' = 'left'): string {
  const shown = clip(text, cells);
  const fill = ' '.repeat(Math.max(0, cells - widthOf(shown)));
  return align === 'left' ? shown + fill : fill + shown;
}

export function span(text: string, style: Style = 'plain'): Span {
  return { text: printable(text), style };
}

/** Spans of the parts that fit in `cells`, two spaces between them; the first is clipped rather than left out. */
export function joinFitting(parts: readonly (readonly Span[])[], cells: number): Span[] {
  const joined: Span[] = [];
  let used = 0;
  for (const part of parts) {
    const width = part.reduce((sum, { text }) => sum + widthOf(text), 0);
    if (joined.length === 0) {
      joined.push(...part);
      used = width;
    } else if (used + 2 + width <= cells) {
      joined.push(span('  '), ...part);
      used += 2 + width;
    }
  }
  return joined;
}

/** A line as a string of at most `columns` cells; without colour it is plain text with no escape at all. */
export function paint(line: Line, columns: number, colour: boolean): string {
  let painted = '';
  let left = columns;
  for (const { text, style } of line.spans) {
    const shown = clip(text, left);
    left -= widthOf(shown);
    painted += colour ? styled(shown, style, line.reverse === true) : shown;
    if (left <= 0) break;
  }
  if (line.reverse !== true || !colour) return colour ? painted : painted.trimEnd();
  return painted + styled(' '.repeat(Math.max(0, left)), 'plain', true);
}

function styled(text: string, style: Style, reverse: boolean): string {
  const codes = [STYLES[style], reverse ? '7' : ''].filter((code) => code !== '').join(';');
  return codes === '' || text === '' ? text : `\x1b[${codes}m${text}\x1b[0m`;
}
