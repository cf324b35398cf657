import { Headgate, type Listening } from '../../app.ts';
import { loadConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problem.ts';
import { monotonicMs } from '../../lib/clock.ts';
import { HeadgateError } from '../../lib/errors.ts';
import { openLog, type ServerLog } from '../../telemetry/logger.ts';
import { configFile } from '../config-file.ts';

export interface ServeOptions {
  /** `-c FILE`; null = `config/headgate.yaml` when it exists, else the built-in defaults */
  readonly file: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Runs the ingest server until it is told to stop. Resolves with the exit code. */
export async function runServe(options: ServeOptions): Promise<number> {
  const file = configFile(options.file);
  const loaded = loadConfig(file, options.env);
  if (!loaded.ok) {
    for (const problem of loaded.problems) process.stderr.write(`${formatProblem(problem)}\n`);
    return 2;
  }
  const { config } = loaded;
  const isTty = process.stdout.isTTY === true;
  const log = openLog({ ...config.logging, isTty, fd: 1, color: isTty && !options.env['NO_COLOR'] });
  const orders = new StopOrders(log);
  for (const warning of loaded.warnings) log.logger.warn(formatProblem(warning));
  try {
    const server = new Headgate({ config, file, digest: loaded.digest, log, env: options.env });
    await server.start();
    const people = config.logging.pretty === 'auto' ? isTty : config.logging.pretty && isTty;
    if (people) log.logger.info(whereWords(server.listening));
    await orders.obey(server);
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
    log.flushSync();
    process.stderr.write(`headgate: ${error.message}\n`);
    return 1;
  }
  await log.close();
  return 0;
}

/** For whoever has just started it by hand: where an encoder sends to, and where to look. */
export function whereWords({ rtmp, rtmps, srt, admin }: Listening): string {
  const caller = srt?.[0];
  const publish =
    rtmp !== null
      ? `rtmp://${hostWords(rtmp)}/live/NAME`
      : rtmps !== null
        ? `rtmps://${hostWords(rtmps)}/live/NAME`
        : caller !== undefined
          ? `srt://${hostWords(caller)}?streamid=#!::r=live/NAME,m=publish`
          : null;
  const told = [
    publish === null ? 'nothing can be published: no listener is on' : `publish to ${publish}`,
    ...(admin === null ? [] : [`the dashboard is at http://${hostWords(admin)}/`]),
  ];
  return told.join('; ');
}

/** A listener on every address is reached here by the name of this one. */
function hostWords({ host, port }: { readonly host: string; readonly port: number }): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `${name}:${port}`;
}

/** A terminal and npm both pass one Ctrl-C on: a second signal this soon is the same one, ms. */
const ECHO_MS = 500;

/**
 * SIGTERM or SIGINT drains; a second one stops at once. Heard from before the
 * start on: one that comes while the server starts is obeyed as soon as it has.
 */
class StopOrders {
  readonly #log: ServerLog;
  #askedAt: number | null = null;
  #drain: (signal: NodeJS.Signals) => void = () => undefined;
  #stop: () => void = () => undefined;
  #asked: NodeJS.Signals | null = null;
  #server: Headgate | null = null;

  constructor(log: ServerLog) {
    this.#log = log;
    process.on('SIGTERM', (signal) => this.#hear(signal));
    process.on('SIGINT', (signal) => this.#hear(signal));
    // A fault of ours must be seen, and must not leave a half-dead server that still holds its ports.
    process.on('uncaughtException', (error) => {
      log.logger.fatal({ err: error }, 'a fault in headgate itself: please report this line');
      log.flushSync();
      this.#server?.telemetry.auditLog.flushSync();
      process.exit(1);
    });
  }

  /** Resolves when a running server has done as it was told. */
  obey(server: Headgate): Promise<void> {
    this.#server = server;
    return new Promise((resolve) => {
      this.#drain = (signal) => void server.drain(signal).then(resolve);
      this.#stop = () => void server.stop().then(resolve);
      if (this.#asked !== null) this.#drain(this.#asked);
    });
  }

  #hear(signal: NodeJS.Signals): void {
    const now = monotonicMs();
    if (this.#askedAt !== null && now - this.#askedAt < ECHO_MS) return;
    if (this.#askedAt !== null) {
      this.#log.logger.warn({ signal }, 'told to stop a second time: closing at once');
      this.#stop();
      return;
    }
    this.#askedAt = now;
    this.#asked = signal;
    this.#drain(signal);
  }
}
