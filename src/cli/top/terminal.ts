/**
 * The terminal `headgate top` runs in: alternate screen, raw keys, resizes.
 * Whatever ends it, the terminal is left as it was found.
 */
import type { EventEmitter } from 'node:events';
import { writeSync } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';
import { keysOf } from './keys.ts';
import type { Screen, TopMoment } from './moment.ts';
import { INITIAL, reduce, settle, type TopState } from './state.ts';
import { renderFrame } from './view.ts';

/** DEC private modes (xterm ctlseqs): alternate screen on, cursor and line wrap off. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const CLEAR = '\x1b[2J';

/** Signals that end a program at a terminal. */
const ENDINGS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What a terminal that does not tell its size is taken for. */
const COLUMNS = 80;
const ROWS = 24;

export interface TopTerminal {
  readonly input: ReadStream;
  readonly output: WriteStream & { readonly fd: number };
  readonly colour: boolean;
  readonly unicode: boolean;
}

/** Calls back with every new moment until the returned function is called. */
export type WatchMoments = (onMoment: (moment: TopMoment) => void) => () => void;

/** What brings the lines on the screen from `before` to `after`; lines that stay are not sent. */
export function changedLines(before: readonly string[], after: readonly string[]): string {
  let sent = '';
  for (let row = 0; row < Math.max(before.length, after.length); row += 1) {
    const line = after[row] ?? '';
    if (line !== before[row]) sent += `\x1b[${row + 1};1H${line}\x1b[K`;
  }
  return sent;
}

/** Shows moments until the reader quits, a signal comes or the terminal goes away. */
export async function runTerminal(terminal: TopTerminal, watch: WatchMoments): Promise<void> {
  const { input, output } = terminal;
  let state: TopState = INITIAL;
  let latest: TopMoment | null = null;
  let drawn: string[] = [];

  const screen = (): Screen => ({
    columns: output.columns || COLUMNS,
    rows: output.rows || ROWS,
    colour: terminal.colour,
    unicode: terminal.unicode,
  });
  const draw = (): void => {
    // A terminal that is slow to read gets the newest frame when it is done, not every frame.
    if (latest === null || output.writableNeedDrain) return;
    const frame = renderFrame(latest, state, screen());
    const changes = changedLines(drawn, frame);
    drawn = frame;
    if (changes !== '') output.write(changes);
  };
  const redraw = (): void => {
    if (latest !== null) state = settle(state, latest, screen());
    drawn = [];
    output.write(CLEAR);
    draw();
  };

  const show = (moment: TopMoment): void => {
    latest = moment;
    state = settle(state, moment, screen());
    draw();
  };
  /** Takes keys in; true when one of them was to quit. */
  const press = (chunk: string): boolean => {
    for (const key of keysOf(chunk)) {
      if (latest !== null) state = reduce(state, key, latest, screen());
      else if (key === 'quit' || (typeof key === 'object' && key.character === 'q')) return true;
    }
    draw();
    return state.quit;
  };

  const leave = enter(terminal);
  const listeners = new Listeners();
  try {
    await new Promise<void>((end) => {
      listeners.on(input, ['data'], (chunk: string) => press(chunk) && end());
      listeners.on(input, ['end', 'close', 'error'], () => end());
      listeners.on(output, ['close', 'error'], () => end());
      listeners.on(output, ['resize'], redraw);
      listeners.on(output, ['drain'], draw);
      listeners.on(process, ['SIGCONT'], redraw);
      listeners.on(process, ENDINGS, () => end());
      listeners.undo(watch(show));
    });
  } finally {
    listeners.undoAll();
    leave();
  }
}

/** What was listened to, so that all of it ends together. */
class Listeners {
  readonly #undo: (() => void)[] = [];

  on<A extends unknown[]>(
    emitter: EventEmitter,
    events: readonly string[],
    listener: (...heard: A) => void,
  ): void {
    const heard = listener as (...args: unknown[]) => void;
    for (const event of events) {
      emitter.on(event, heard);
      this.undo(() => emitter.off(event, heard));
    }
  }

  undo(undo: () => void): void {
    this.#undo.push(undo);
  }

  undoAll(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }
}

/**
 * Takes the terminal over; the returned function gives it back, once. It also
 * runs when the process exits on its own, as after an uncaught exception.
 */
function enter({ input, output }: TopTerminal): () => void {
  let entered = true;
  const leave = (): void => {
    if (!entered) return;
    entered = false;
    process.off('exit', leave);
    input.pause();
    // The exit may be under way: write at once. The terminal may be gone: then there is nothing to restore.
    try {
      writeSync(output.fd, LEAVE);
      input.setRawMode(false);
    } catch {}
  };
  process.once('exit', leave);
  output.write(ENTER + CLEAR);
  input.setRawMode(true);
  input.setEncoding('utf8');
  input.resume();
  return leave;
}
