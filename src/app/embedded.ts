import { Headgate } from '../app.ts';
import { type Loaded, loadFile, loadObject } from '../config/load-object.ts';
import type { ConfigOptions } from '../config/options.ts';
import { embeddedLog } from '../telemetry/logger.ts';
import { controlOf, type EmbeddedOptions, type HeadgateControl, warn } from './control.ts';

/** A whole ingest server inside this program. */
export interface HeadgateServer extends HeadgateControl {
  /** Listens everywhere the config says. Throws HG_LISTEN, HG_TLS or HG_SRT_MISSING and leaves nothing behind. */
  start(): Promise<void>;
  /** Lets nobody in any more, tells publishers, and stops within `timeouts.drain`. */
  drain(): Promise<void>;
  /** Closes everything at once: no port, timer or connection is left. Idempotent; a stopped server stays stopped. */
  stop(): Promise<void>;
}

/** The config itself, or the file that holds it; a saved change of the file is applied as by `headgate serve`. */
export type ServerOptions = EmbeddedOptions &
  (
    | (ConfigOptions & { readonly file?: undefined; readonly env?: undefined })
    | {
        readonly file: string;
        /** HEADGATE_ variables laid over the file; `process.env` if you want those, none when absent */
        readonly env?: Readonly<Record<string, string | undefined>>;
      }
  );

/**
 * Makes an ingest server that runs inside this program. It takes no signal and
 * no global: several of them do not know of each other.
 *
 * ```ts
 * const server = createServer({ listen: { rtmp: '0.0.0.0:1935', admin: null }, limits: { stream: { max_bitrate: '4Mbps' } } });
 * server.on('receipt', ({ reason, path }) => console.log(reason, path));
 * await server.start();
 * ```
 *
 * Throws ConfigError (`HG_CONFIG_INVALID`, `HG_CONFIG_READ`) when the config is
 * wrong, and HG_NATIVE_MISSING when the addon is not built.
 */
export function createServer(options: ServerOptions = {}): HeadgateServer {
  const { logger = null, file, env = {}, ...config } = options;
  const loaded: Loaded = file === undefined ? loadObject(config) : loadFile(file, env);
  const headgate = new Headgate({
    config: loaded.config,
    file: file ?? null,
    digest: loaded.digest,
    log: embeddedLog(logger),
    env,
    embedded: true,
  });
  warn(headgate, loaded);
  return { ...controlOf(headgate, (next) => next), ...lifeOf(headgate) };
}

/** Each step is taken once, however often it is asked for. */
function lifeOf(headgate: Headgate): Pick<HeadgateServer, 'start' | 'drain' | 'stop'> {
  let started: Promise<void> | null = null;
  let drained: Promise<void> | null = null;
  let stopped: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    // Half a start cannot be taken back; what went wrong with it is told to who started.
    await started?.catch(() => {});
    await headgate.stop();
  };
  return {
    start: () => {
      if (stopped !== null || drained !== null)
        return Promise.reject(new Error('a server that was stopped stays stopped: create another'));
      started ??= headgate.start();
      return started;
    },
    drain: () => {
      drained ??= headgate.drain('program');
      return drained;
    },
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}
