import type { ComponentChildren } from 'preact';

/** How something fares. Told by a glyph and words as well, never by colour alone. */
export type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'idle';

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
