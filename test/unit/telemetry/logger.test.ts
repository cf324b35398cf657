import { describe, expect, test } from 'vitest';
import type { Receipt } from '../../../src/core/verdict.ts';
import { DecisionLog } from '../../../src/telemetry/decision-log.ts';
import { LogSink, type SinkWriter } from '../../../src/telemetry/log-sink.ts';
import { openLog } from '../../../src/telemetry/logger.ts';

/** A reader of the log that takes what it is told to, when it is told to. */
class Reader implements SinkWriter {
  #bytes = Buffer.alloc(0);
  waiting: (() => void)[] = [];
  automatic = true;
  errors: string[] = [];
  bytesPerWrite = Number.POSITIVE_INFINITY;

  write(
    _fd: number,
    chunk: Buffer,
    done: (error: NodeJS.ErrnoException | null, bytes: number) => void,
  ): void {
    const take = (): void => {
      const code = this.errors.shift();
      if (code !== undefined) {
        done(Object.assign(new Error(code), { code }), 0);
        return;
      }
      const part = chunk.subarray(0, Math.min(chunk.length, this.bytesPerWrite));
      this.#bytes = Buffer.concat([this.#bytes, part]);
      done(null, part.length);
    };
    if (this.automatic) setImmediate(take);
    else this.waiting.push(take);
  }

  writeSync(_fd: number, chunk: Buffer): number {
    const code = this.errors.shift();
    if (code !== undefined) throw Object.assign(new Error(code), { code });
    const part = chunk.subarray(0, this.bytesPerWrite);
    this.#bytes = Buffer.concat([this.#bytes, part]);
    return part.length;
  }

  get text(): string {
    return this.#bytes.toString();
  }

  get lines(): string[] {
    return this.text.split('\n').filter((line) => line !== '');
  }
}

const note = (dropped: number): string => `dropped ${dropped}\n`;

describe('the sink', () => {
  test('keeps order and loses nothing when writes are split', async () => {
    const reader = new Reader();
    reader.bytesPerWrite = 3;
    const sink = new LogSink(1, note, reader);
    for (let n = 0; n < 50; n++) sink.write(`line ${n} ü\n`);
    await sink.flush(5_000);
    expect(reader.lines).toEqual(Array.from({ length: 50 }, (_, n) => `line ${n} ü`));
  });

  test('goes on after EAGAIN, and after a disk that was full', async () => {
    const reader = new Reader();
    reader.errors = ['EAGAIN', 'EAGAIN'];
    const sink = new LogSink(1, note, reader);
    sink.write('one\n');
    await sink.flush(5_000);
    reader.errors = ['ENOSPC'];
    sink.write('lost\n');
    await sink.flush(5_000);
    sink.write('three\n');
    await sink.flush(5_000);
    expect(reader.lines).toEqual(['one', 'dropped 1', 'three']);
    expect(sink.dropped).toBe(1);
  });

  test('says nothing more to a reader that has gone, and does not throw', async () => {
    const reader = new Reader();
    reader.errors = ['EPIPE'];
    const sink = new LogSink(1, note, reader);
    sink.write('one\n');
    await sink.flush(5_000);
    sink.write('two\n');
    await sink.flush(5_000);
    sink.flushSync();
    expect(reader.text).toBe('');
  });

  test('holds a bounded amount for a reader that does not read, and says what it dropped', async () => {
    const reader = new Reader();
    reader.automatic = false;
    const sink = new LogSink(1, note, reader);
    const line = `${'x'.repeat(1_023)}\n`;
    for (let n = 0; n < 5_000; n++) sink.write(line);
    expect(sink.dropped).toBe(5_000 - 4_096);
    reader.automatic = true;
    reader.waiting.shift()!();
    await sink.flush(10_000);
    sink.write('after\n');
    await sink.flush(5_000);
    expect(reader.lines.slice(-2)).toEqual(['dropped 904', 'after']);
  });

  test('gives up on a stuck reader at the deadline, also when the process then exits', async () => {
    const reader = new Reader();
    reader.automatic = false;
    const sink = new LogSink(1, note, reader);
    sink.write('one\n');
    await sink.flush(10);
    sink.flushSync();
    expect(reader.text).toBe('');
  });

  test('writes what waits at a crash', () => {
    const reader = new Reader();
    reader.automatic = false;
    const sink = new LogSink(1, note, reader);
    sink.write('in flight\n');
    sink.write('waits\n');
    reader.errors = ['EAGAIN'];
    sink.flushSync();
    expect(reader.lines).toEqual(['waits']);
  });
});

function logInto(reader: Reader, pretty: boolean) {
  return openLog({ level: 'info', pretty, isTty: false, fd: 1, color: false, writer: reader });
}

describe('the log', () => {
  test('is JSON for machines, without secrets', async () => {
    const reader = new Reader();
    const log = logInto(reader, false);
    log.logger.info(
      { token: 'hunter2', a: { passphrase: 'hunter2', b: { stream_key: 'hunter2' } }, key: 'alice' },
      'hello',
    );
    await log.close();
    expect(reader.text).not.toContain('hunter2');
    const line = JSON.parse(reader.lines[0]!);
    expect(line).toMatchObject({ level: 'info', msg: 'hello', key: 'alice', token: '***' });
    expect(Date.parse(line.time)).toBeGreaterThan(0);
  });

  test.each([true, false])('lets nobody drive the terminal of who reads it (pretty: %s)', async (pretty) => {
    const reader = new Reader();
    const log = logInto(reader, pretty);
    log.logger.info({ path: '/live/\u001b[2J', who: { name: '\u009b\u202e' } }, 'publish \u001b]0;x\u0007');
    await log.close();
    expect(reader.text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(reader.text).toContain('publish');
  });

  test('keeps a stack trace readable', async () => {
    const reader = new Reader();
    const log = logInto(reader, true);
    log.logger.error({ err: new Error('broke') }, 'fault');
    await log.close();
    expect(reader.lines.some((line) => /^\s+at /.test(line))).toBe(true);
  });

  test('respects the level', async () => {
    const reader = new Reader();
    const log = openLog({ level: 'warn', pretty: 'auto', isTty: false, fd: 1, color: false, writer: reader });
    log.logger.info('no');
    log.logger.warn('yes');
    await log.close();
    expect(reader.lines).toHaveLength(1);
  });
});

describe('the decision log', () => {
  const receipt = (reason: Receipt['reason'], action: Receipt['action'] = 'refuse') =>
    ({ id: 'r-1', reason, action, detail: 'why', at: 'x', last_at: 'x' }) as Receipt;

  function recording() {
    const lines: [string, object, string][] = [];
    const log = new DecisionLog({
      info: (fields, sentence) => lines.push(['info', fields, sentence]),
      warn: (fields, sentence) => lines.push(['warn', fields, sentence]),
    });
    return { lines, log };
  }

  test('writes the first of a second and counts the rest', () => {
    const { lines, log } = recording();
    for (let n = 0; n < 100; n++) log.write(receipt('cooldown'), n);
    expect(lines).toHaveLength(5);
    log.tick(999);
    expect(lines).toHaveLength(5);
    log.tick(1_000);
    expect(lines[5]).toEqual([
      'warn',
      { reason: 'cooldown', suppressed: 95 },
      '95 more cooldown decisions are not logged one by one',
    ]);
    log.tick(2_000);
    expect(lines).toHaveLength(6);
  });

  test('counts each reason by itself, and tells a summary also without a tick', () => {
    const { lines, log } = recording();
    for (let n = 0; n < 7; n++) log.write(receipt('cooldown'), 0);
    log.write(receipt('kicked', 'cut'), 0);
    expect(lines.at(-1)![0]).toBe('warn');
    log.write(receipt('cooldown'), 1_500);
    expect(lines.slice(-2)).toEqual([
      ['warn', { reason: 'cooldown', suppressed: 2 }, expect.any(String)],
      ['info', { reason: 'cooldown', action: 'refuse', receipt: 'r-1' }, 'why'],
    ]);
  });
});
