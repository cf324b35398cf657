import { SQUEEZE_WORDS } from '../../src/core/held.ts';
import { percent } from '../format.ts';
import { Bar } from '../ui/bar.tsx';
import type { Use } from './use.ts';
import { KIND_WORDS, limitText, NEARNESS_SIGNS, seenText, useText } from './words.ts';

export interface UseMeterProps {
  readonly use: Use;
  /** without the limit and its unit: for narrow columns */
  readonly short?: boolean;
}

/** A bar of how much of one limit is used, with the figures above it. */
export function UseMeter({ use, short = false }: UseMeterProps) {
  const { kind, seen, limit, fraction, nearness } = use;
  const { glyph, word } = NEARNESS_SIGNS[nearness];
  const figures = short ? seenText(kind, seen).replace(/ \S+$/, '') : seenText(kind, seen);
  return (
    <div class={`limit-use ${nearness}`} title={titleOf(use)}>
      <div class="figures">
        <b>{figures}</b>
        {limit === null ? null : (
          <span class="soft"> / {short ? shortLimit(use) : limitText(kind, limit)}</span>
        )}
        <span class="sign">
          {word === '' ? (limit === null ? '' : percent(fraction)) : `${glyph} ${word}`}
        </span>
      </div>
      <Bar
        value={limit === null ? null : fraction}
        label={KIND_WORDS[kind]}
        text={`${useText(use)}${word === '' ? '' : `, ${word}`}`}
      />
    </div>
  );
}

function shortLimit({ kind, limit }: Use): string {
  return limitText(kind, limit).replace(/ \S+$/, '');
}

function titleOf(use: Use): string {
  const { limit, fraction, by, source } = use;
  if (limit === null) return `${useText(use)}`;
  const from = by === null ? (source === '' ? '' : `, set in ${source}`) : `, ${SQUEEZE_WORDS[by]}`;
  return `${useText(use)} (${percent(fraction)})${from}`;
}
