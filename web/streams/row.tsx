import { Component } from 'preact';
import type { StreamSnapshot } from '../../src/core/stream.ts';
import type { Column } from './columns.tsx';

export interface RowProps {
  readonly stream: StreamSnapshot;
  readonly columns: readonly Column[];
  /** in the whole table, from 0 */
  readonly index: number;
  readonly selected: boolean;
  onSelect(id: string): void;
  onOpen(id: string): void;
}

/** Id of the element of a stream's row: the table names the active one. */
export function rowId(id: string): string {
  return `row-${id}`;
}

/** One stream. It is drawn again only for a new reading: while one scrolls, most rows stay as they are. */
export class StreamRow extends Component<RowProps> {
  override shouldComponentUpdate(next: Readonly<RowProps>): boolean {
    const { stream, columns, index, selected } = this.props;
    return (
      next.stream !== stream || next.columns !== columns || next.index !== index || next.selected !== selected
    );
  }

  readonly #click = (event: MouseEvent): void => {
    const { stream, onSelect, onOpen } = this.props;
    onSelect(stream.id);
    // A link in the row does by itself what it does, and so does text that is being marked.
    if ((event.target as Element).closest('a') !== null || getSelection()?.isCollapsed === false) return;
    onOpen(stream.id);
  };

  override render({ stream, columns, index, selected }: RowProps) {
    return (
      <tr
        id={rowId(stream.id)}
        // biome-ignore lint/a11y/noRedundantRoles: on a narrow screen it is drawn as a block, which takes its own role away
        role="row"
        class={`stream ${stream.state}`}
        aria-rowindex={index + 2}
        aria-selected={selected}
        onClick={this.#click}
      >
        {columns.map(({ name, number, cell }) => (
          // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: it belongs to a grid, see table.tsx
          // biome-ignore lint/a11y/useFocusableInteractive: the table has the focus and names the active row
          <td key={name} role="gridcell" class={`c-${name}${number === true ? ' num' : ''}`}>
            {cell(stream)}
          </td>
        ))}
      </tr>
    );
  }
}
