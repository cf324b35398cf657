import type { ComponentChildren } from 'preact';
import type { Tone } from './tone.ts';

export type { Tone };

const GLYPHS: Readonly<Record<Tone, string>> = { ok: '●', warn: '▲', bad: '■', info: '◆', idle: '○' };

export interface BadgeProps {
  readonly tone: Tone;
  readonly title?: string;
  readonly children: ComponentChildren;
}

export function Badge({ tone, title, children }: BadgeProps) {
  return (
    <span class={`badge ${tone}`} {...(title === undefined ? {} : { title })}>
      <span class="glyph" aria-hidden="true">
        {GLYPHS[tone]}
      </span>
      {children}
    </span>
  );
}
