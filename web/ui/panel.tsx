import type { ComponentChildren } from 'preact';
import type { ApiError } from '../live/api.ts';

export interface PanelProps {
  readonly title: string;
  /** to the right of the title: a figure, a link, buttons */
  readonly aside?: ComponentChildren;
  /** further classes: `wide` takes a whole row of a grid, `flush` has no padding, for tables */
  readonly class?: string;
  readonly children: ComponentChildren;
}

export function Panel({ title, aside, class: more = '', children }: PanelProps) {
  return (
    <section class={`panel ${more}`}>
      <header>
        <h2>{title}</h2>
        {aside === undefined ? null : <div class="aside">{aside}</div>}
      </header>
      <div class="body">{children}</div>
    </section>
  );
}

/** In place of a list that holds nothing: why, and what would fill it. */
export function EmptyState({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children === undefined ? null : <p>{children}</p>}
    </div>
  );
}

/** An answer that failed: what the server said, and a way to try again. */
export function Failure({ error, again }: { error: ApiError; again?: () => void }) {
  return (
    <div class="failure" role="alert">
      <span>{error.message}</span>
      {again === undefined ? null : (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}
