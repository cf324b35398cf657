import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AuditLog } from '../../../../src/telemetry/audit-log/audit-log.ts';
import type { RotationSettings } from '../../../../src/telemetry/audit-log/rotating-file.ts';
import type { AuditEvent } from '../../../../src/telemetry/events.ts';
import { until } from '../../../support/server.ts';

let folder: string;
let file: string;
let wallMs: number;
let said: string[];
let log: AuditLog;
let now = 0;

const settings = (change: Partial<RotationSettings> = {}): RotationSettings => ({
  path: file,
  maxBytes: Number.POSITIVE_INFINITY,
  rotateEveryMs: Number.POSITIVE_INFINITY,
  keep: 3,
  ...change,
});

const action = (number: number, detail = 'x'): Extract<AuditEvent, { kind: 'audit' }> => ({
  kind: 'audit',
  action: {
    id: `a-${number}`,
    at: '2026-11-20T21:40:00.000Z',
    action: 'kick',
    by: 'operator alice@192.0.2.1',
    target: 's-1',
    result: 'ok',
    detail,
  },
});

/** A second passes, and what that brings about is done. */
function second(): void {
  now += 1_000;
  log.tick(now);
}

const linesOf = (name: string): { node: string; kind: string; count?: number; action?: { id: string } }[] =>
  readFileSync(name, 'utf8')
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

const written = (count: number) => until(() => log.counts.written >= count, `${count} lines`);

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'headgate-audit-'));
  file = path.join(folder, 'audit.jsonl');
  wallMs = Date.parse('2026-11-20T21:40:00.000Z');
  said = [];
  now = 0;
  const say = (_fields: unknown, sentence: string): void => {
    said.push(sentence);
  };
  log = new AuditLog({
    nodeId: 'ingest-1',
    wallMs: () => wallMs,
    logger: { info: say, error: say } as never,
  });
});
afterEach(async () => {
  await log.close(1_000);
  rmSync(folder, { recursive: true, force: true });
});

test('an event is a line in the shape of the API, with the node before it', async () => {
  log.configure(settings());
  log.write(action(1));
  await written(1);
  expect(linesOf(file)).toEqual([{ node: 'ingest-1', ...action(1) }]);
  expect(statSync(file).mode & 0o777 & ~0o640).toBe(0);
});

test('nothing is written, and nothing waits, while it is off', async () => {
  log.write(action(1));
  log.configure(settings());
  log.write(action(2));
  await written(1);
  expect(linesOf(file).map((line) => line.action?.id)).toEqual(['a-2']);
});

test('a field that is named like a secret is masked, whoever put it there', async () => {
  log.configure(settings());
  log.write({
    kind: 'audit',
    action: { ...action(1).action, token: 's3cret', passphrase: 's3cret' },
  } as never);
  await written(1);
  expect(readFileSync(file, 'utf8')).not.toContain('s3cret');
});

test('what is there already stays, and half a line of a process that died is ended', async () => {
  writeFileSync(file, '{"kind":"audit"}\n{"kind":"rec');
  log.configure(settings());
  log.write(action(1));
  await written(1);
  expect(readFileSync(file, 'utf8')).toMatch(/^\{"kind":"audit"\}\n\{"kind":"rec\n\{"node":/);
});

describe('rotation', () => {
  test('by size: no file is larger, so many are kept, and none of their lines is lost or doubled', async () => {
    const maxBytes = 64 * 1024;
    log.configure(settings({ maxBytes }));
    for (let number = 0; number < 1_000; number++) log.write(action(number, 'x'.repeat(200)));
    await written(1_000);
    const files = readdirSync(folder).sort();
    expect(files).toEqual(['audit.jsonl', 'audit.jsonl.1', 'audit.jsonl.2', 'audit.jsonl.3']);
    for (const name of files) expect(statSync(path.join(folder, name)).size).toBeLessThanOrEqual(maxBytes);
    const order = ['.3', '.2', '.1', ''].flatMap((end) => linesOf(file + end)).map((line) => line.action?.id);
    const first = 1_000 - order.length;
    expect(order).toEqual(Array.from({ length: order.length }, (_, index) => `a-${first + index}`));
    expect(log.counts).toMatchObject({ dropped: 0, failing: false });
  });

  test('by time: each stretch begins a new file, but an empty one is not put aside', async () => {
    wallMs = Date.now();
    log.configure(settings({ rotateEveryMs: 86_400_000 }));
    log.write(action(1));
    await written(1);
    wallMs += 86_400_000;
    second();
    await until(() => existsSync(`${file}.1`), 'the rotation');
    await until(() => existsSync(file), 'the new file');
    wallMs += 86_400_000;
    second();
    log.write(action(2));
    await written(2);
    expect(readdirSync(folder).sort()).toEqual(['audit.jsonl', 'audit.jsonl.1']);
    expect(linesOf(`${file}.1`).map((line) => line.action?.id)).toEqual(['a-1']);
  });

  test('by time: a file counts from its first line on, whatever the clock of its disk says', async () => {
    wallMs = Date.now() + 3 * 86_400_000;
    log.configure(settings({ rotateEveryMs: 86_400_000 }));
    for (let number = 1; number <= 3; number++) {
      log.write(action(number));
      await written(number);
      second();
    }
    expect(linesOf(file).map((line) => line.action?.id)).toEqual(['a-1', 'a-2', 'a-3']);
    expect(readdirSync(folder)).toEqual(['audit.jsonl']);
  });

  test('fewer to keep deletes the older ones, compressed ones too, and nothing else', async () => {
    for (const end of ['.1', '.2.gz', '.3', '.7', '.old', '.1.bak']) writeFileSync(file + end, '');
    writeFileSync(file, `${'x'.repeat(70_000)}\n`);
    log.configure(settings({ maxBytes: 65_536, keep: 2 }));
    log.write(action(1));
    await written(1);
    expect(readdirSync(folder).sort()).toEqual(
      ['', '.1', '.1.bak', '.2', '.old'].map((end) => `audit.jsonl${end}`),
    );
  });
});

describe('somebody else moves the file', () => {
  test('reopening begins a new one at once', async () => {
    log.configure(settings());
    log.write(action(1));
    await written(1);
    renameSync(file, `${file}.moved`);
    log.reopen();
    log.write(action(2));
    await written(2);
    expect(linesOf(file).map((line) => line.action?.id)).toEqual(['a-2']);
  });

  test('without a word it is noticed within a second', async () => {
    log.configure(settings());
    log.write(action(1));
    await written(1);
    rmSync(file);
    second();
    await until(() => existsSync(file), 'the new file');
  });

  test('another path in the config is written from then on', async () => {
    log.configure(settings());
    log.write(action(1));
    await written(1);
    log.configure(settings({ path: `${file}.other` }));
    log.write(action(2));
    await written(2);
    expect(linesOf(`${file}.other`).map((line) => line.action?.id)).toEqual(['a-2']);
  });
});

describe('lines that never stop coming', () => {
  let coming = true;

  /** There is another line whenever the disk has taken the one before. */
  function flood(): void {
    log.write(action(1, 'x'.repeat(1_000)));
    if (coming) setImmediate(flood);
  }

  beforeEach(() => {
    coming = true;
    log.configure(settings());
    flood();
  });
  afterEach(() => {
    coming = false;
  });

  test('hide from nobody that the file was moved', async () => {
    await written(10);
    renameSync(file, `${file}.moved`);
    second();
    await until(() => existsSync(file), 'the new file', 5_000);
  });

  test('go to another path as soon as the config says so', async () => {
    await written(10);
    log.configure(settings({ path: `${file}.other` }));
    await until(() => existsSync(`${file}.other`), 'the other file', 5_000);
  });

  test('do not keep a log open that is turned off', async () => {
    await written(10);
    log.configure(null);
    await until(() => openFiles().length === 0, 'the end of the file', 5_000);
  });
});

/** Files of the log that this process has open. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      return false;
    }
  });
}

describe('a disk that fails', () => {
  test('a folder that vanishes is told once; what came meanwhile is written when it is back', async () => {
    log.configure(settings());
    log.write(action(1));
    await written(1);
    rmSync(folder, { recursive: true });
    second();
    await until(() => log.counts.failing, 'the failure');
    log.write(action(2));
    second();
    second();
    mkdirSync(folder);
    await until(() => {
      second();
      return !log.counts.failing && existsSync(file);
    }, 'the recovery');
    await written(2);
    expect(linesOf(file).map((line) => line.action?.id)).toEqual(['a-2']);
    expect(said).toEqual([
      'the audit log cannot be written: its folder is gone; tried again every second, what waits is kept as long as there is room',
      'the audit log is written again',
    ]);
  });

  test('what finds no room is counted, and told in the file when it can be written', async () => {
    const away = path.join(folder, 'away');
    log.configure(settings({ path: path.join(away, 'audit.jsonl') }));
    await until(() => log.counts.failing, 'the failure');
    const detail = 'x'.repeat(1_000);
    for (let number = 0; number < 5_000; number++) log.write(action(number, detail));
    const { dropped } = log.counts;
    expect(dropped).toBeGreaterThan(500);
    expect(dropped).toBeLessThan(2_000);
    mkdirSync(away);
    second();
    await until(() => !log.counts.failing, 'the recovery');
    await written(5_000 - dropped);
    log.write(action(5_000));
    await written(5_000 - dropped + 2);
    const lines = linesOf(path.join(away, 'audit.jsonl'));
    expect(lines).toHaveLength(5_000 - dropped + 2);
    expect(lines.at(-2)).toEqual({ node: 'ingest-1', kind: 'dropped', count: dropped });
  });

  test('a device that is always full holds nobody up, and is not rotated', async () => {
    symlinkSync('/dev/full', file);
    log.configure(settings());
    log.write(action(1));
    await until(() => log.counts.failing, 'the failure');
    expect(said[0]).toContain('it is no regular file');
    expect(log.counts.written).toBe(0);
  });
});

test('closing writes what waits', async () => {
  log.configure(settings());
  for (let number = 0; number < 500; number++) log.write(action(number));
  await log.close(1_000);
  expect(linesOf(file)).toHaveLength(500);
});
