/**
 * What the audit log costs the event loop, beside the ways to write that pino has: a worker thread, and sonic-boom in
 * this one. `node bench/micro/audit-log.ts [lines]`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import pino from 'pino';
import { AuditLog } from '../../src/telemetry/audit-log/audit-log.ts';
import type { AuditEvent } from '../../src/telemetry/events.ts';
import { REDACTION } from '../../src/telemetry/logger.ts';

const LINES = Number(process.argv[2] ?? 100_000);
/** Events between two turns of the loop: a flood of refusals, far more than the trail lets through. */
const AT_ONCE = 100;

const folder = mkdtempSync(path.join(tmpdir(), 'headgate-bench-'));
const event: AuditEvent = {
  kind: 'receipt',
  receipt: {
    id: 'r-1f3c',
    at: '2026-11-20T21:40:00.000Z',
    count: 1,
    last_at: '2026-11-20T21:40:00.000Z',
    action: 'refuse',
    reason: 'client_streams',
    scope: 'client',
    key: 'alice',
    limit: 3,
    observed: 4,
    window: null,
    retry_after_ms: 1_000,
    ip: '192.0.2.10',
    protocol: 'rtmp',
    path: '/live/cam1',
    client: 'alice',
    stream: null,
    detail: 'this client had 3 streams live and may have 3',
  },
};

interface Writer {
  write(event: AuditEvent): void;
  close(): Promise<void>;
}

const WRITERS: Readonly<Record<string, (file: string) => Writer>> = {
  'this log': (file) => {
    const log = new AuditLog({ nodeId: 'ingest-1', wallMs: () => 0, logger: { info() {}, error() {} } });
    log.configure({ path: file, maxBytes: 64 * 2 ** 20, rotateEveryMs: Number.POSITIVE_INFINITY, keep: 8 });
    return { write: (each) => log.write(each), close: () => log.close(60_000) };
  },
  'sonic-boom': (file) => {
    const destination = pino.destination({ dest: file, sync: false });
    const logger = pino({ base: null, redact: REDACTION }, destination);
    return {
      write: (each) => logger.info(each),
      close: () =>
        new Promise((resolve) => {
          destination.once('close', resolve);
          destination.end();
        }),
    };
  },
  'worker thread': (file) => {
    const transport = pino.transport({ target: 'pino/file', options: { destination: file } });
    const logger = pino({ base: null, redact: REDACTION }, transport);
    return {
      write: (each) => logger.info(each),
      close: () =>
        new Promise((resolve) => {
          transport.once('close', resolve);
          transport.end();
        }),
    };
  },
};

// A worker that has been told to end keeps no process alive.
const alive = setInterval(() => undefined, 1_000);
for (const [name, open] of Object.entries(WRITERS)) {
  const writer = open(path.join(folder, name.replace(' ', '-')));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const rssBefore = process.memoryUsage().rss;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const cpu = process.threadCpuUsage();
  const began = performance.now();
  for (let line = 0; line < LINES; line += AT_ONCE) {
    for (let index = 0; index < AT_ONCE; index++) writer.write(event);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const { user, system } = process.threadCpuUsage(cpu);
  delay.disable();
  const tookMs = performance.now() - began;
  await writer.close();
  const rssMiB = (process.memoryUsage().rss - rssBefore) / 2 ** 20;
  process.stdout.write(
    `${name.padEnd(14)} ${((user + system) / LINES).toFixed(2)} us of the main thread a line, loop p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms, max ${(delay.max / 1e6).toFixed(1)} ms, ${Math.round(LINES / (tookMs / 1_000))} lines/s, ${rssMiB.toFixed(0)} MiB more\n`,
  );
}
clearInterval(alive);
rmSync(folder, { recursive: true, force: true });
