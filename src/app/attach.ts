import { Headgate } from '../app.ts';
import { ConfigError, type Loaded, loadObject } from '../config/load-object.ts';
import type { ConfigOptions, ListenOptions } from '../config/options.ts';
import type { Config } from '../config/schema.ts';
import { NmsDoors, type NodeMediaServerLike } from '../ingest/rtmp/nms-doors.ts';
import { embeddedLog } from '../telemetry/logger.ts';
import { controlOf, type EmbeddedOptions, type HeadgateControl, warn } from './control.ts';

/**
 * Everything of the config but where to listen, which is the application's; of
 * `listen` only `admin` may be given, for the API and dashboard over it.
 */
export interface AttachOptions extends Omit<ConfigOptions, 'listen' | 'playback'>, EmbeddedOptions {
  readonly listen?: Pick<ListenOptions, 'admin'>;
}

/** The gate before an application of node-media-server. */
export interface Attachment extends HeadgateControl {
  /** Takes the gate away: connections that came through it are closed, node-media-server goes on without limits. Idempotent. */
  detach(): Promise<void>;
}

/**
 * Puts the limits on a node-media-server application (4.4), before it runs:
 *
 * ```ts
 * const nms = new NodeMediaServer(config);
 * attach(nms, { limits: { stream: { max_bitrate: '4Mbps' }, client: { max_streams: 2 } } });
 * nms.run();
 * ```
 *
 * RTMP and RTMPS connections go through the gate: it holds the conversation
 * with the encoder, decides, measures, slows down, drops and cuts, and hands
 * what it lets in on to a session of node-media-server, whose events, players,
 * recordings and relays work as ever. A refused publisher is told
 * `NetStream.Publish.Rejected` and node-media-server never hears of it.
 * `nms.run()` and `nms.stop()` start and stop the gate too.
 *
 * Not covered: players over HTTP are not counted as connections, RTMPS is
 * looked at after its TLS handshake, and what the application pulls itself
 * (RTSP, relays) is its own affair. Publishing over HTTP is refused.
 */
export function attach(nms: NodeMediaServerLike, options: AttachOptions = {}): Attachment {
  const { logger = null, listen = {}, ...config } = options;
  const doors = new NmsDoors(nms);
  const shaped = (loaded: Loaded): Loaded => ({ ...loaded, config: behindDoors(loaded.config) });
  const loaded = shaped(loadObject({ ...config, listen: onlyAdmin(listen) }));
  const headgate: Headgate = new Headgate({
    config: loaded.config,
    file: null,
    digest: null,
    log: embeddedLog(logger),
    env: {},
    embedded: true,
    relay: {
      maxQueueBytes: () => headgate.ingest.config.playback.max_queue,
      open: (request) => doors.open(request),
    },
  });
  warn(headgate, loaded);
  doors.guard((socket, protocol) => headgate.ingest.rtmp.adopt(socket, protocol));
  const { run, stop } = nms;
  const detach = async (): Promise<void> => {
    doors.unguard();
    nms.run = run;
    nms.stop = stop;
    await headgate.stop();
  };
  nms.run = async () => {
    await headgate.start();
    await run.call(nms);
  };
  nms.stop = async () => {
    await detach();
    await stop.call(nms);
  };
  const control = controlOf(headgate, shaped);
  return {
    ...control,
    configure: ({ listen: next, ...rest }) =>
      control.configure({ ...rest, listen: onlyAdmin(next ?? listen) }),
    detach,
  };
}

/** The application's listeners are not the gate's, and of what its players join it keeps nothing. */
function behindDoors(config: Config): Config {
  return Object.freeze({
    ...config,
    playback: { ...config.playback, gop_per_stream: 0, gop_total: 0 },
  });
}

function onlyAdmin(listen: ListenOptions): ListenOptions {
  const own = Object.keys(listen).filter((key) => key !== 'admin');
  if (own.length > 0) {
    const message =
      'belongs to node-media-server here: give its own config the port; only listen.admin is read';
    throw new ConfigError(
      'HG_CONFIG_INVALID',
      own.map((key) => ({ ...NOWHERE, path: `listen.${key}`, message })),
    );
  }
  return { rtmp: null, rtmps: null, srt: null, playback: null, admin: listen.admin ?? null };
}

const NOWHERE = { file: null, line: null, column: null, variable: null };
