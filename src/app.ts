import { adminPort } from './app/admin-port.ts';
import { Decisions } from './app/decisions.ts';
import { MetricsGatherer } from './app/metrics-reading.ts';
import { Reloader } from './app/reloader.ts';
import { maskedConfig } from './config/mask.ts';
import type { Config } from './config/schema.ts';
import { ControlLoop } from './control/control-loop.ts';
import { Admission } from './core/admission/admission.ts';
import { Slab } from './core/meter/slab.ts';
import { PolicyResolver } from './core/policy/resolve.ts';
import type { Readiness, ResourcesSnapshot } from './http/ports.ts';
import { type AdminServer, createAdminServer } from './http/server.ts';
import { Budgets } from './ingest/budgets.ts';
import { IdentityDirectory } from './ingest/identity.ts';
import type { LiveStream } from './ingest/live-stream.ts';
import { Overseer } from './ingest/overseer.ts';
import { PlaybackServer } from './ingest/playback/http-flv.ts';
import { Playback } from './ingest/playback/playback.ts';
import { PublishDesk } from './ingest/publish-desk.ts';
import { StreamRegistry } from './ingest/registry.ts';
import { replayOf } from './ingest/replay.ts';
import { assertNodeMediaServer } from './ingest/rtmp/nms.ts';
import { RtmpServer } from './ingest/rtmp/server.ts';
import { StreamTally } from './ingest/stream-tally.ts';
import { monotonicMs, wallMs } from './lib/clock.ts';
import { createEngine, type EngineSet } from './native/engine.ts';
import { AuditTrail } from './telemetry/audit.ts';
import { DecisionLog } from './telemetry/decision-log.ts';
import { DurationHistogram } from './telemetry/duration-histogram.ts';
import type { Logger, ServerLog } from './telemetry/logger.ts';
import { createMetrics, DECISION_BUCKETS_S } from './telemetry/metrics.ts';
import { VERSION } from './version.ts';

/**
 * The composition root: the only file that knows every part. It builds them,
 * hands each what it asks for, and starts and stops them in order.
 *
 * Who closes whom: `stop` closes the listeners and thereby every connection;
 * a connection ends its stream and gives back its leases; then the players,
 * the API and the control loop stop.
 */

/** Streams that the slab has room for, whatever `max_streams` says: 5 MB of rows, touched only when used. */
const STREAM_ROWS = 16_384;

/** One per client and one per address that streams, and the server's own. */
const SHARED_NODES = STREAM_ROWS * 2 + 1;

/** Rate windows and cooldowns looked at for eviction per round of the control loop. */
const EVICT_STEPS = 1_000;

/** How long before the end of `timeouts.drain` publishers that did not leave are cut, ms. */
const DRAIN_MARGIN_MS = 1_000;

/** Where the server ended up listening; null = off. */
export interface Listening {
  rtmp: { host: string; port: number } | null;
  rtmps: { host: string; port: number } | null;
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
}

export class Headgate {
  #config: Config;
  readonly #log: ServerLog;
  readonly #logger: Logger;
  readonly #slab: Slab;
  readonly #engine: EngineSet;
  readonly #admission: Admission;
  readonly #budgets: Budgets;
  readonly #registry = new StreamRegistry();
  readonly #playback: Playback;
  readonly #audit: AuditTrail;
  readonly #lines: DecisionLog;
  readonly #decisions: Decisions;
  readonly #desk: PublishDesk;
  readonly #overseer: Overseer;
  readonly #rtmp: RtmpServer;
  readonly #control: ControlLoop;
  readonly #reloader: Reloader;
  readonly #startedAt = new Date(wallMs()).toISOString();
  readonly #tally = new StreamTally(this.#registry);
  readonly #durations = new DurationHistogram(DECISION_BUCKETS_S);
  #identities: IdentityDirectory;
  #resolver: PolicyResolver;
  #admin: AdminServer | null = null;
  #playbackServer: PlaybackServer | null = null;
  #draining = false;
  readonly listening: Listening = { rtmp: null, rtmps: null, playback: null, admin: null };

  constructor(options: HeadgateOptions) {
    assertNodeMediaServer();
    const { config } = options;
    const { logger } = options.log;
    this.#log = options.log;
    this.#config = config;
    this.#logger = logger;
    this.#slab = new Slab({ streams: STREAM_ROWS, sharedNodes: SHARED_NODES });
    this.#engine = createEngine(this.#slab, engineOptions(config));
    this.#admission = new Admission(config);
    this.#budgets = new Budgets(this.#slab, config.limits.global.max_bandwidth);
    this.#playback = new Playback(playbackLimits(config), logger);
    this.#audit = new AuditTrail({ receipts: config.audit.receipts, wallMs });
    this.#lines = new DecisionLog(logger);
    this.#decisions = new Decisions({
      audit: this.#audit,
      lines: this.#lines,
      durations: this.#durations,
      logger,
    });
    this.#identities = identitiesOf(config);
    this.#resolver = resolverOf(config);
    this.#desk = new PublishDesk({
      admission: this.#admission,
      slab: this.#slab,
      budgets: this.#budgets,
      registry: this.#registry,
      playback: this.#playback,
      decisions: this.#decisions,
      tally: this.#tally,
      identities: () => this.#identities,
      resolver: () => this.#resolver,
      ipBps: () => this.#config.limits.ip.max_bandwidth,
      replay: (slot) => replayOf(this.#engine, slot),
    });
    this.#overseer = new Overseer(
      this.#desk,
      this.#decisions,
      this.#budgets,
      () => this.#config.limits.ip.max_bandwidth,
    );
    this.#rtmp = this.#rtmpServer();
    this.#control = new ControlLoop({
      batches: (size) => this.#steps(size),
      round: (now) => this.#round(now),
      failed: (error) => logger.error({ err: error }, 'a control step failed'),
    });
    this.#reloader = new Reloader({
      file: options.file,
      env: options.env,
      digest: options.digest,
      running: () => this.#config,
      apply: (next) => this.#apply(next),
      logger,
      audit: this.#audit,
    });
  }

  /** Starts to listen everywhere the config says; throws HG_LISTEN or HG_TLS and leaves nothing behind. */
  async start(): Promise<void> {
    const { listen } = this.#config;
    try {
      await this.#listenAdmin();
      if (listen.playback !== null) {
        this.#playbackServer = new PlaybackServer(this.#playback);
        this.listening.playback = placeOf(await this.#playbackServer.listen(listen.playback));
      }
      if (listen.rtmp !== null) this.listening.rtmp = placeOf(await this.#rtmp.listen(listen.rtmp));
      if (listen.rtmps !== null) {
        this.listening.rtmps = placeOf(await this.#rtmp.listenTls(listen.rtmps));
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#control.start();
    this.#reloader.watch();
    this.#audit.act({
      action: 'start',
      by: 'server',
      target: null,
      result: 'ok',
      detail: `headgate ${VERSION} started`,
    });
    this.#logger.info(
      { version: VERSION, node: this.#config.node.id, listening: this.listening },
      'headgate is ready',
    );
  }

  /**
   * Stops in peace: newcomers are refused, publishers are told, and those that
   * have not left within `timeouts.drain` are cut. Resolves when all is closed.
   */
  async drain(by: string): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    const began = monotonicMs();
    const budgetMs = this.#config.timeouts.drain;
    const cutAt = began + Math.max(budgetMs / 2, budgetMs - DRAIN_MARGIN_MS);
    this.#admission.setDraining(true);
    this.#audit.act({
      action: 'drain',
      by,
      target: null,
      result: 'ok',
      detail: `${this.#registry.size} streams live`,
    });
    this.#logger.info({ by, streams: this.#registry.size, within_ms: budgetMs }, 'draining');
    this.#rtmp.drain();
    while (this.#registry.size > 0 && monotonicMs() < cutAt) await pause(50);
    this.cutAll();
    this.#rtmp.dismiss();
    await this.#rtmp.settled(Math.max(0, began + budgetMs - monotonicMs()));
    await this.stop();
  }

  /** Cuts every live stream now, told why. */
  cutAll(): void {
    const now = monotonicMs();
    for (const stream of this.#registry.all()) {
      this.#desk.cut(
        stream,
        { reason: 'draining', detail: 'this server is shutting down', cooldownMs: 0 },
        now,
      );
    }
  }

  /** Closes everything at once. Idempotent. */
  async stop(): Promise<void> {
    this.#control.stop();
    this.#reloader.close();
    await this.#rtmp.close();
    await this.#playbackServer?.close();
    await this.#admin?.close();
    this.#lines.tick(Number.POSITIVE_INFINITY);
  }

  async #listenAdmin(): Promise<void> {
    const { admin } = this.#config.listen;
    if (admin === null) return;
    const port = adminPort({
      admission: this.#admission,
      audit: this.#audit,
      desk: this.#desk,
      engine: this.#engine.engine,
      registry: this.#registry,
      slab: this.#slab,
      about: {
        name: 'headgate',
        version: VERSION,
        node_id: this.#config.node.id,
        started_at: this.#startedAt,
      },
      resolver: () => this.#resolver,
      configuredClients: () => this.#config.clients,
      ipLimits: () => this.#config.limits.ip,
      connections: () => this.#rtmp.connections,
      readiness: () => this.#readiness(),
      gate: () => this.#gate(),
      effectiveConfig: () => maskedConfig(this.#config),
    });
    const metrics = createMetrics({
      source: this.#metricsSource(),
      decisions: this.#durations,
      version: VERSION,
      nodeId: this.#config.node.id,
      maxStreams: () => this.#config.metrics.max_streams,
    });
    const server = await createAdminServer(port, {
      tokens: () => this.#config.admin.tokens,
      metrics,
      log: this.#logger,
    });
    this.#admin = server;
    await server.listen(admin.host, admin.port);
    this.listening.admin = server.address();
  }

  #metricsSource(): MetricsGatherer {
    return new MetricsGatherer({
      admission: this.#admission,
      audit: this.#audit,
      budgets: this.#budgets,
      decisions: this.#decisions,
      engine: this.#engine.engine,
      playback: this.#playback,
      registry: this.#registry,
      rtmp: this.#rtmp,
      tally: this.#tally,
      reloads: () => this.#reloader.counts,
      gate: () => this.#gate().state,
      eventsDropped: () => this.#admin?.eventsDropped() ?? 0,
      logLinesDropped: () => this.#log.dropped(),
    });
  }

  #rtmpServer(): RtmpServer {
    return new RtmpServer(
      {
        ...this.#engine,
        desk: this.#desk,
        playback: this.#playback,
        timeouts: () => this.#config.timeouts,
      },
      this.#admission,
      {
        admitted: (tookMs) => this.#decisions.admitted('ip', tookMs),
        refused: (peer, protocol, denial, now) => {
          const subject = { ip: peer.ip, protocol, path: null, client: null, stream: null };
          this.#decisions.record('refuse', denial, subject, 'closed at accept, before a byte was read', now);
        },
      },
    );
  }

  /** Every stream as something to step, in batches. */
  *#steps(size: number): Generator<{ step(now: number): void }[]> {
    for (const batch of this.#registry.batches(size)) {
      yield batch.map((stream) => ({ step: (now: number) => this.#step(stream, now) }));
    }
  }

  #step(stream: LiveStream, now: number): void {
    stream.step(this.#overseer, this.#config.timeouts.idle, now);
  }

  #round(now: number): void {
    this.#rtmp.round(now, this.#registry.size);
    this.#admission.evictIdle(now, EVICT_STEPS);
    this.#lines.tick(now);
  }

  /** Puts a validated config in force. Listeners stay as they are: the reloader says what needs a restart. */
  #apply(next: Config): void {
    const now = monotonicMs();
    this.#config = next;
    this.#admission.configure(next, now);
    this.#budgets.setGlobal(next.limits.global.max_bandwidth, now);
    this.#playback.configure(playbackLimits(next));
    this.#engine.engine.reconfigure(engineOptions(next));
    this.#identities = identitiesOf(next);
    this.#resolver = resolverOf(next);
    this.#logger.level = next.logging.level;
    const clients = new Map(next.clients.map((client) => [client.id, client]));
    for (const stream of this.#registry.all()) {
      const { app, name, protocol, ip, client, ipKey } = stream.identity;
      // A client that the file no longer knows stays what it was while its stream lives.
      const { tier, priority } = clients.get(client) ?? stream.standing;
      const limits = this.#resolver.resolve({ app, stream: name, protocol, ip, tier, client });
      stream.configure({ tier, priority }, limits, this.#budgets, now);
      this.#budgets.setIp(ipKey, next.limits.ip.max_bandwidth, now);
    }
  }

  #readiness(): Readiness {
    return {
      ready: !this.#draining,
      reasons: this.#draining ? ['draining'] : [],
      config_error: this.#reloader.lastError,
    };
  }

  /** Open until it drains; samplers will have a say here. */
  #gate(): ResourcesSnapshot['gate'] {
    return {
      state: this.#draining ? 'closed' : 'open',
      since: this.#startedAt,
      reasons: this.#draining ? ['draining'] : [],
    };
  }
}

function engineOptions(config: Config): { gopBytesPerStream: number; gopBytesTotal: number } {
  return { gopBytesPerStream: config.playback.gop_per_stream, gopBytesTotal: config.playback.gop_total };
}

function playbackLimits(config: Config): { maxPlayers: number; maxQueueBytes: number } {
  return { maxPlayers: config.playback.max_players, maxQueueBytes: config.playback.max_queue };
}

function identitiesOf(config: Config): IdentityDirectory {
  return new IdentityDirectory({
    mode: config.auth.mode,
    clients: config.clients,
    ipv6Prefix: config.limits.ip.ipv6_prefix,
  });
}

function resolverOf(config: Config): PolicyResolver {
  const { limits, tiers, clients, policies } = config;
  return new PolicyResolver({ stream: limits.stream, client: limits.client, tiers, clients, policies });
}

function placeOf(address: { address: string; port: number }): { host: string; port: number } {
  return { host: address.address, port: address.port };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
