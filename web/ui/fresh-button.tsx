import { plural } from '../format.ts';

/** Says that a list has grown above what is read, and goes there. */
export function FreshButton({ fresh, noun, release }: { fresh: number; noun: string; release(): void }) {
  return (
    <div class="fresh" role="status">
      {fresh === 0 ? null : (
        <button type="button" class="primary" onClick={release}>
          ↑ {plural(fresh, `new ${noun}`)}
        </button>
      )}
    </div>
  );
}
