import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TopMoment } from '../../../../src/cli/top/moment.ts';
import { changedLines, runTerminal, type TopTerminal } from '../../../../src/cli/top/terminal.ts';
import { momentOf, STREAMS } from './samples.ts';

/** A terminal made of streams: what is written is kept, raw mode is remembered. */
class FakeTerminal {
  readonly input = Object.assign(new PassThrough(), {
    raw: false,
    setRawMode: (raw: boolean) => this.#setRaw(raw),
  });
  readonly output = Object.assign(new PassThrough({ encoding: 'utf8' }), { columns: 80, rows: 24, fd: -1 });

  #setRaw(raw: boolean): void {
    this.input.raw = raw;
  }

  /** What was written since the last look. */
  seen(): string {
    return (this.output.read() as string | null) ?? '';
  }

  as(): TopTerminal {
    return { input: this.input, output: this.output, colour: false, unicode: true } as unknown as TopTerminal;
  }
}

let folder: string;
let terminal: FakeTerminal;
let show: (moment: TopMoment) => void;
let watching: boolean;
let running: Promise<void>;
let exitListeners: Set<NodeJS.ExitListener>;

/** What was written past the stream, at once, on leaving. */
function restored(): string {
  return readFileSync(join(folder, 'tty'), 'utf8');
}

/** Lets the streams deliver what was written to them. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-top-'));
  terminal = new FakeTerminal();
  exitListeners = new Set(process.listeners('exit'));
  terminal.output.fd = openSync(join(folder, 'tty'), 'w');
  running = runTerminal(terminal.as(), (onMoment) => {
    watching = true;
    show = onMoment;
    return () => {
      watching = false;
    };
  });
});

afterEach(async () => {
  terminal.input.end();
  await running;
  closeSync(terminal.output.fd);
  rmSync(folder, { recursive: true });
});

describe('terminal', () => {
  it('takes the screen and the keys, shows what comes, and gives everything back on q', async () => {
    expect(terminal.seen()).toContain('\x1b[?1049h');
    expect(terminal.input.raw).toBe(true);
    show(momentOf(STREAMS));
    expect(terminal.seen()).toContain('/live/cam1');
    terminal.input.write('q');
    await running;
    expect(restored()).toBe('\x1b[?7h\x1b[?25h\x1b[?1049l');
    expect(terminal.input.raw).toBe(false);
    expect(watching).toBe(false);
  });

  it('quits before the first moment came', async () => {
    terminal.input.write('\x03');
    await running;
    expect(restored()).toContain('\x1b[?1049l');
  });

  it('gives everything back on a signal, and leaves no listener behind', async () => {
    const before = process.listenerCount('SIGTERM');
    process.emit('SIGTERM', 'SIGTERM');
    await running;
    expect(restored()).toContain('\x1b[?1049l');
    expect(process.listenerCount('SIGTERM')).toBe(before - 1);
    expect(terminal.output.listenerCount('resize')).toBe(0);
  });

  it('gives everything back when the program crashes', async () => {
    for (const listener of process.listeners('exit')) if (!exitListeners.has(listener)) listener(1);
    expect(restored()).toContain('\x1b[?1049l');
    expect(terminal.input.raw).toBe(false);
  });

  it('ends when the terminal goes away', async () => {
    terminal.output.emit('error', new Error('EIO'));
    await running;
    expect(watching).toBe(false);
  });

  it('sends only the lines that changed', () => {
    const moment = momentOf(STREAMS);
    show(moment);
    terminal.seen();
    show(moment);
    expect(terminal.seen()).toBe('');
    show({ ...moment, denied: { kicked: 1 } });
    expect(terminal.seen()).toBe('\x1b[5;1Hdenied 1  kicked 1\x1b[K');
  });

  it('draws anew after a resize', async () => {
    show(momentOf(STREAMS));
    terminal.seen();
    terminal.output.columns = 40;
    terminal.output.emit('resize');
    await turn();
    const drawn = terminal.seen();
    expect(drawn.startsWith('\x1b[2J')).toBe(true);
    expect(drawn).toContain('/live/cam1');
    expect(drawn).not.toContain('DROPPED');
  });

  it('acts on keys', async () => {
    show(momentOf(STREAMS));
    terminal.seen();
    terminal.input.write('/cam1\r');
    await turn();
    const drawn = terminal.seen();
    expect(drawn).toContain('1/1');
    expect(drawn).not.toContain('stage-left');
  });

  it('skips frames while the terminal is slow, and shows the newest when it is not', async () => {
    const moment = momentOf(STREAMS);
    terminal.output.write('x'.repeat(200_000));
    show({ ...moment, denied: { kicked: 1 } });
    show({ ...moment, denied: { kicked: 2 } });
    let seen = '';
    for (let look = 0; look < 20; look += 1) {
      seen += terminal.seen();
      await turn();
    }
    expect(seen).not.toContain('kicked 1');
    expect(seen).toContain('kicked 2');
  });
});

describe('changed lines', () => {
  it('wipe what the new frame no longer has', () => {
    expect(changedLines(['a', 'b'], ['a'])).toBe('\x1b[2;1H\x1b[K');
    expect(changedLines([], ['a'])).toBe('\x1b[1;1Ha\x1b[K');
    expect(changedLines(['a'], ['a'])).toBe('');
  });
});
