/** Short words about what was just done. They are read out, and leave by themselves. */
import { Cell, useCell } from '../live/cell.ts';
import { Badge, type Tone } from './badge.tsx';

/** ms that a word stays: long enough to be read twice. */
const STAY_MS = 6_000;

/** At once on the screen; an older one gives way. */
const TOASTS_MAX = 4;

interface Toast {
  readonly number: number;
  readonly tone: Tone;
  readonly text: string;
}

const toasts = new Cell<readonly Toast[]>([]);
let next = 1;

/** `toast('Kicked /live/cam1', 'ok')` */
export function toast(text: string, tone: Tone = 'info'): void {
  const number = next++;
  toasts.set([...toasts.get(), { number, tone, text }].slice(-TOASTS_MAX));
  setTimeout(() => toasts.set(toasts.get().filter((other) => other.number !== number)), STAY_MS);
}

export function Toaster() {
  const shown = useCell(toasts);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map(({ number, tone, text }) => (
        <div key={number} class="toast">
          <Badge tone={tone}>{text}</Badge>
        </div>
      ))}
    </div>
  );
}
