/**
 * The filter of the streams page, one line of text that is kept in the URL:
 *
 *     cam state:throttled client:alice -protocol:srt >80%
 *
 * A bare word is looked for in everything that names a stream. `key:value`
 * asks one field; the same key twice means either, different keys mean both.
 * `>80%` asks for the most used limit, `fps>80%` for that one. A leading `-`
 * turns a term around. A value with spaces stands in double quotes. Whatever
 * cannot be read as a term is a word: nothing that can be typed is an error.
 */
import type { StreamSnapshot } from '../../src/core/stream.ts';
import { bitrateUse, fpsUse, mostUsed, packetsUse } from './use.ts';

const FIELDS = {
  state: ({ state }) => state,
  protocol: ({ protocol }) => protocol,
  client: ({ client }) => client,
  tier: ({ tier }) => tier ?? 'none',
  by: ({ share }) => share.by ?? 'none',
  ip: ({ ip }) => ip,
  app: ({ app }) => app,
  codec: ({ media }) => `${media.video_codec ?? 'none'} ${media.audio_codec ?? 'none'}`,
} as const satisfies Record<string, (stream: StreamSnapshot) => string>;

export type FilterField = keyof typeof FIELDS;

const MEASURES = {
  any: mostUsed,
  bitrate: (stream) => bitrateUse(stream).fraction,
  fps: (stream) => fpsUse(stream).fraction,
  packets: (stream) => packetsUse(stream).fraction,
} as const satisfies Record<string, (stream: StreamSnapshot) => number>;

type Measure = keyof typeof MEASURES;

export type Term = { readonly not: boolean } & (
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'field'; readonly field: FilterField; readonly value: string }
  | { readonly kind: 'use'; readonly measure: Measure; readonly above: boolean; readonly fraction: number }
);

/** Characters of a filter that are read: more than fits into any box, so that a pasted page costs nothing. */
const QUERY_CHARS_MAX = 400;

const TOKEN = /-?[a-z]+:"[^"]*"?|-?"[^"]*"?|\S+/gi;
const USE = /^([a-z]*)([<>])(\d{1,4}(?:\.\d+)?)%$/;

export function parseQuery(text: string): Term[] {
  const tokens = text.slice(0, QUERY_CHARS_MAX).match(TOKEN) ?? [];
  return tokens.map(termOf).filter((term) => term.kind !== 'word' || term.text !== '');
}

function termOf(token: string): Term {
  const not = token.length > 1 && token.startsWith('-');
  const said = (not ? token.slice(1) : token).toLowerCase();
  const use = USE.exec(said);
  if (use !== null) {
    const measure = use[1] === '' ? 'any' : use[1];
    if (isMeasure(measure)) {
      return { not, kind: 'use', measure, above: use[2] === '>', fraction: Number(use[3]) / 100 };
    }
  }
  const colon = said.indexOf(':');
  const field = said.slice(0, Math.max(colon, 0));
  const value = unquoted(said.slice(colon + 1));
  if (isField(field) && value !== '') return { not, kind: 'field', field, value };
  return { not, kind: 'word', text: unquoted(said) };
}

function isField(name: string): name is FilterField {
  return Object.hasOwn(FIELDS, name);
}

function isMeasure(name: string | undefined): name is Measure {
  return name !== undefined && Object.hasOwn(MEASURES, name);
}

function unquoted(text: string): string {
  return text.replaceAll('"', '');
}

/** The question that a filter asks of each stream. */
export function predicateOf(terms: readonly Term[]): (stream: StreamSnapshot) => boolean {
  const either = new Map<FilterField, string[]>();
  const all: ((stream: StreamSnapshot) => boolean)[] = [];
  for (const term of terms) {
    if (term.kind === 'field' && !term.not) {
      either.set(term.field, [...(either.get(term.field) ?? []), term.value]);
    } else {
      const holds = testOf(term);
      all.push(term.not ? (stream) => !holds(stream) : holds);
    }
  }
  for (const [field, values] of either)
    all.push((stream) => values.some((value) => has(stream, field, value)));
  return (stream) => all.every((holds) => holds(stream));
}

function testOf(term: Term): (stream: StreamSnapshot) => boolean {
  if (term.kind === 'field') return (stream) => has(stream, term.field, term.value);
  if (term.kind === 'use') {
    const measured = MEASURES[term.measure];
    return (stream) => (term.above ? measured(stream) > term.fraction : measured(stream) < term.fraction);
  }
  return (stream) => names(stream).some((name) => name.toLowerCase().includes(term.text));
}

/** Addresses and codecs are asked by any part of them, the rest is asked whole: `client:al` is not alice. */
function has(stream: StreamSnapshot, field: FilterField, value: string): boolean {
  const told = FIELDS[field](stream).toLowerCase();
  return field === 'ip' || field === 'codec' ? told.includes(value) : told === value;
}

function names({ path, client, id, ip, protocol, state, tier, share }: StreamSnapshot): string[] {
  return [path, client, id, ip, protocol, state, tier ?? '', share.by ?? ''];
}

/** `key:value` as it is typed. */
export function fieldToken(field: FilterField, value: string): string {
  return /[\s"]/.test(value) ? `${field}:"${value.replaceAll('"', '')}"` : `${field}:${value}`;
}

/** Whether the line has that token, however it is written. */
export function hasToken(query: string, token: string): boolean {
  return tokensOf(query).some((one) => one.toLowerCase() === token.toLowerCase());
}

/** The line with the token put at its end, or taken out where it stood. */
export function toggleToken(query: string, token: string): string {
  const kept = tokensOf(query).filter((one) => one.toLowerCase() !== token.toLowerCase());
  return (hasToken(query, token) ? kept : [...kept, token]).join(' ');
}

function tokensOf(query: string): readonly string[] {
  return query.slice(0, QUERY_CHARS_MAX).match(TOKEN) ?? [];
}
