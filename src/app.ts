import { openAdmin } from './app/admin.ts';
import { Ingest } from './app/ingest.ts';
import { Reloader } from './app/reloader.ts';
import { openSrt } from './app/srt.ts';
import { Telemetry } from './app/telemetry.ts';
import type { LoadResult } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { ControlLoop } from './control/control-loop.ts';
import type { AdminServer } from './http/server.ts';
import type { LiveStream } from './ingest/live-stream.ts';
import { PlaybackServer } from './ingest/playback/playback-server.ts';
import { assertNodeMediaServer } from './ingest/rtmp/nms.ts';
import type { RtmpRelay } from './ingest/rtmp/relay.ts';
import { monotonicMs, wallMs } from './lib/clock.ts';
import type { ServerLog } from './telemetry/logger.ts';
import { VERSION } from './version.ts';

/**
 * The composition root: with `app/`, the only place that knows every part. It
 * builds them, hands each what it asks for, and starts and stops them in order.
 *
 * Who closes whom: `stop` closes the listeners and thereby every connection;
 * a connection ends its stream and gives back its leases; then the players,
 * the API and the control loop stop.
 */

/** How long before the end of `timeouts.drain` publishers that did not leave are cut, ms. */
const DRAIN_MARGIN_MS = 1_000;

/** Where the server ended up listening; null = off. */
export interface Listening {
  rtmp: { host: string; port: number } | null;
  rtmps: { host: string; port: number } | null;
  srt: { host: string; port: number }[] | null;
  playback: { host: string; port: number } | null;
  admin: { host: string; port: number } | null;
}

export interface HeadgateOptions {
  readonly config: Config;
  /** the config file, watched for changes; null: built-in defaults */
  readonly file: string | null;
  /** of the file's text, see `digestOf` */
  readonly digest: string | null;
  readonly log: ServerLog;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** inside another program, whose signals are its own */
  readonly embedded?: boolean;
  /** a server of this program that publishers are handed on to and players belong to */
  readonly relay?: RtmpRelay;
}

export class Headgate {
  /** Sockets, streams and decisions. */
  readonly ingest: Ingest;
  /** What is written down of them. */
  readonly telemetry: Telemetry;
  readonly #control: ControlLoop<LiveStream>;
  readonly #reloader: Reloader;
  readonly #startedAt = new Date(wallMs()).toISOString();
  #admin: AdminServer | null = null;
  #playbackServer: PlaybackServer | null = null;
  /** ISO time, null until it does */
  drainingSince: string | null = null;
  readonly listening: Listening = { rtmp: null, rtmps: null, srt: null, playback: null, admin: null };

  /** Throws HG_NATIVE_MISSING or HG_NMS_CHANGED when a part it stands on is not what it must be. */
  constructor(options: HeadgateOptions) {
    assertNodeMediaServer();
    const { config, log, file, env, digest, embedded = false, relay = null } = options;
    const telemetry = new Telemetry(config, log);
    const ingest = new Ingest(config, telemetry, relay);
    this.telemetry = telemetry;
    this.ingest = ingest;
    this.#control = new ControlLoop({
      batches: (size) => ingest.registry.batches(size),
      step: (stream, now) => {
        ingest.step(stream, now);
        ingest.history.step(stream, now);
      },
      round: (now) => {
        ingest.round(now);
        ingest.history.begin(now);
        telemetry.tick(now);
      },
      failed: (error) => telemetry.logger.error({ err: error }, 'a control step failed'),
      finished: (tookMs, now) => {
        ingest.governance.governor.took(tookMs, now);
        ingest.history.finish(now);
      },
    });
    this.#reloader = new Reloader({
      file,
      env,
      digest,
      onSignal: !embedded,
      running: () => ingest.config,
      apply: (next) => ingest.apply(next),
      reopenFiles: () => telemetry.auditLog.reopen(),
      logger: telemetry.logger,
      audit: telemetry.audit,
    });
  }

  /** Starts to listen everywhere the config says; throws HG_LISTEN, HG_TLS or HG_SRT_MISSING and leaves nothing behind. */
  async start(): Promise<void> {
    const { listen } = this.ingest.config;
    try {
      await this.#listenAdmin();
      if (listen.playback !== null) {
        this.#playbackServer = new PlaybackServer(this.ingest.playback);
        this.listening.playback = placeOf(await this.#playbackServer.listen(listen.playback));
      }
      if (listen.rtmp !== null) this.listening.rtmp = placeOf(await this.ingest.rtmp.listen(listen.rtmp));
      if (listen.rtmps !== null) {
        this.listening.rtmps = placeOf(await this.ingest.rtmp.listenTls(listen.rtmps));
      }
      this.listening.srt = await openSrt(this.ingest, this.telemetry.logger);
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.ingest.governance.start();
    this.#control.start();
    this.#reloader.watch();
    this.telemetry.audit.act({
      action: 'start',
      by: 'server',
      target: null,
      result: 'ok',
      detail: `headgate ${VERSION} started`,
    });
    this.telemetry.logger.info(
      { version: VERSION, node: this.ingest.config.node.id, listening: this.listening },
      'headgate is ready',
    );
  }

  /** Puts a config that was read in force as a saved change of the file would; `by` says who wanted it. */
  reload(result: LoadResult, by: string): void {
    this.#reloader.loaded(result, by);
  }

  /**
   * Stops in peace: newcomers are refused, publishers are told, and those that
   * have not left within `timeouts.drain` are cut. Resolves when all is closed.
   */
  async drain(by: string): Promise<void> {
    if (this.drainingSince !== null) return;
    this.drainingSince = new Date(wallMs()).toISOString();
    const began = monotonicMs();
    const budgetMs = this.ingest.config.timeouts.drain;
    const cutAt = began + Math.max(budgetMs / 2, budgetMs - DRAIN_MARGIN_MS);
    this.ingest.admission.setDraining(true);
    this.telemetry.audit.act({
      action: 'drain',
      by,
      target: null,
      result: 'ok',
      detail: `${this.ingest.registry.size} streams live`,
    });
    this.telemetry.logger.info({ by, streams: this.ingest.registry.size, within_ms: budgetMs }, 'draining');
    this.ingest.rtmp.drain();
    while (this.ingest.registry.size > 0 && monotonicMs() < cutAt) await pause(50);
    this.ingest.cutAll();
    this.ingest.rtmp.dismiss();
    this.ingest.srt.dismiss();
    const leftMs = Math.max(0, began + budgetMs - monotonicMs());
    await Promise.all([this.ingest.rtmp.settled(leftMs), this.ingest.srt.settled(leftMs)]);
    await this.stop();
  }

  /** Closes everything at once. Idempotent. */
  async stop(): Promise<void> {
    this.#control.stop();
    this.ingest.governance.stop();
    this.#reloader.close();
    await Promise.all([this.ingest.rtmp.close(), this.ingest.srt.close()]);
    await this.#playbackServer?.close();
    await this.#admin?.close();
    await this.telemetry.close();
  }

  async #listenAdmin(): Promise<void> {
    const { admin } = this.ingest.config.listen;
    if (admin === null) return;
    this.#admin = await openAdmin({
      ingest: this.ingest,
      telemetry: this.telemetry,
      reloader: this.#reloader,
      startedAt: this.#startedAt,
      drainingSince: () => this.drainingSince,
    });
    await this.#admin.listen(admin.host, admin.port);
    this.listening.admin = this.#admin.address();
  }
}

function placeOf(address: { address: string; port: number }): { host: string; port: number } {
  return { host: address.address, port: address.port };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
