/**
 * The server's log: pino lines, JSON when a machine reads them and pretty on a
 * terminal. Secrets are removed by key name, and what strangers wrote cannot
 * drive the terminal of whoever reads (`printable.ts`).
 */
import pino from 'pino';
import { prettyFactory } from 'pino-pretty';
import { wallMs } from '../lib/clock.ts';
import { LogSink, type SinkWriter } from './log-sink.ts';
import { escapeUnsafe } from './printable.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** The part of pino that the server uses. Fields first, sentence second. */
export type Logger = pino.Logger;

export interface LoggerOptions {
  readonly level: LogLevel;
  /** `auto` = pretty when `isTty` */
  readonly pretty: 'auto' | boolean;
  readonly isTty: boolean;
  /** 1 = stdout */
  readonly fd: number;
  /** false when NO_COLOR is set (https://no-color.org) or there is no terminal */
  readonly color: boolean;
  /** tests pass their own */
  readonly writer?: SinkWriter;
}

export interface ServerLog {
  readonly logger: Logger;
  /** lines dropped because nobody read them */
  readonly dropped: () => number;
  /** for a clean stop: resolves when all is written, within a second */
  close(): Promise<void>;
  /** for a crash */
  flushSync(): void;
  /** the level is the embedding program's, whatever the config says */
  readonly levelIsFixed?: true;
}

/** How long a clean stop waits for the log's reader, ms: a stuck one must not hold the process. */
const CLOSE_DEADLINE_MS = 1_000;

const MASK = '***';

/** Field names whose value is a secret wherever they appear in the first three levels. */
const SECRET_FIELDS = [
  'token',
  'tokens',
  'stream_key',
  'streamKey',
  'keys',
  'secret',
  'password',
  'passphrase',
  'authorization',
];

/** What takes secrets out of every line that is written. */
export const REDACTION = {
  paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
  censor: MASK,
};

/** Opens the log. The one place that makes a pino logger. */
export function openLog(options: LoggerOptions): ServerLog {
  const pretty = options.pretty === 'auto' ? options.isTty : options.pretty;
  const format = pretty ? prettyLine(options.color) : escapeUnsafeLine;
  const note = (dropped: number): string =>
    format(
      `${JSON.stringify({ level: 40, time: wallMs(), msg: `${dropped} log lines dropped: nobody read them` })}\n`,
    );
  const sink = new LogSink(options.fd, note, options.writer);
  const logger = pino(
    {
      level: options.level,
      base: null,
      redact: REDACTION,
      timestamp: pretty ? pino.stdTimeFunctions.epochTime : pino.stdTimeFunctions.isoTime,
      formatters: pretty ? {} : { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => sink.write(format(line)) },
  );
  return {
    logger,
    dropped: () => sink.dropped,
    close: () => sink.flush(CLOSE_DEADLINE_MS),
    flushSync: () => sink.flushSync(),
  };
}

/** The log of a program that runs the server inside itself; null: nothing is logged. */
export function embeddedLog(logger: Logger | null): ServerLog {
  return {
    logger: logger === null ? pino({ level: 'silent' }) : logger.child({}, { redact: REDACTION }),
    dropped: () => 0,
    close: async () => {},
    flushSync: () => {},
    levelIsFixed: true,
  };
}

/** A JSON line stays the same JSON: what JSON leaves raw (C1, bidi) becomes `\uXXXX`. */
function escapeUnsafeLine(line: string): string {
  return `${escapeUnsafe(line.slice(0, -1))}\n`;
}

/** Formats one JSON line for people. The strings are escaped before, so only our own colours reach the terminal. */
function prettyLine(color: boolean): (line: string) => string {
  const format = prettyFactory({ colorize: color, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname' });
  return (line) => format(JSON.parse(line, safeValue));
}

function safeValue(key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  // A stack trace is ours, and its line breaks are what makes it readable.
  return key === 'stack' ? value.split('\n').map(escapeUnsafe).join('\n') : escapeUnsafe(value);
}
