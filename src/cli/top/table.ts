/** The table of streams: a line of titles and a line for each stream in view. */
import type { StreamSnapshot } from '../../core/stream.ts';
import { columnsFor, GUTTER } from './columns.ts';
import type { Screen } from './moment.ts';
import { type Line, pad, type Span, span, widthOf } from './text.ts';

/**
 * @param selectedId the stream to mark, or null
 * @param squeezed whether any stream is held below its own limit, in view or not
 */
export function tableLines(
  streams: readonly StreamSnapshot[],
  selectedId: string | null,
  squeezed: boolean,
  screen: Screen,
): Line[] {
  const columns = columnsFor(screen.columns, squeezed);
  const titles = columns.map(({ title, cells, align }) => pad(title, cells, align)).join(' ');
  const lines: Line[] = [{ spans: [span(' '.repeat(GUTTER) + titles, 'bold')] }];
  for (const stream of streams) {
    const marked = stream.id === selectedId;
    const spans: Span[] = [span(marked ? '> ' : '  ', 'accent')];
    for (const [index, { cell, cells, align }] of columns.entries()) {
      if (index > 0) spans.push(span(' '));
      spans.push(...fitted(cell(stream, cells, screen.unicode), cells, align));
    }
    lines.push(marked ? { spans, reverse: true } : { spans });
  }
  return lines;
}

/** The spans of a cell, filled up to its width; a lone span is clipped to it. */
function fitted(spans: readonly Span[], cells: number, align: 'left' | 'right'): Span[] {
  const [only] = spans;
  if (spans.length === 1 && only !== undefined) return [span(pad(only.text, cells, align), only.style)];
  const used = spans.reduce((sum, { text }) => sum + widthOf(text), 0);
  return [...spans, span(' '.repeat(Math.max(0, cells - used)))];
}
