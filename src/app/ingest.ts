import type { Config } from '../config/schema.ts';
import { Admission } from '../core/admission/admission.ts';
import { Slab } from '../core/meter/slab.ts';
import type { PolicySubject } from '../core/policy/match.ts';
import { PolicyResolver } from '../core/policy/resolve.ts';
import { Budgets } from '../ingest/budgets.ts';
import { IdentityDirectory } from '../ingest/identity.ts';
import type { LiveStream } from '../ingest/live-stream.ts';
import { Overseer } from '../ingest/overseer.ts';
import { Playback } from '../ingest/playback/playback.ts';
import { PublishDesk } from '../ingest/publish-desk.ts';
import { StreamRegistry } from '../ingest/registry.ts';
import type { RtmpRelay } from '../ingest/rtmp/relay.ts';
import { RtmpServer } from '../ingest/rtmp/server.ts';
import { messageSources } from '../ingest/srt/flv-bridge.ts';
import type { DoorConfig } from '../ingest/srt/rules.ts';
import { SrtServer } from '../ingest/srt/server.ts';
import { StreamTally } from '../ingest/stream-tally.ts';
import { monotonicMs } from '../lib/clock.ts';
import { loadNative } from '../native/binding.ts';
import { createEngine, type EngineSet } from '../native/engine.ts';
import { loadSrt } from '../native/srt.ts';
import { Governance } from './governance.ts';
import { History } from './history.ts';
import type { Telemetry } from './telemetry.ts';

/** Streams that the slab has room for, whatever `max_streams` says: 5 MB of rows, touched only when used. */
const STREAM_ROWS = 16_384;

/** One per client and one per address that streams, and the server's own. */
const SHARED_NODES = STREAM_ROWS * 2 + 1;

/** Rate windows and cooldowns looked at for eviction per round of the control loop. */
const EVICT_STEPS = 1_000;

/** Everything between a socket and a live stream, built over one config and changed by the next. */
export class Ingest {
  #config: Config;
  #identities: IdentityDirectory;
  #resolver: PolicyResolver;
  readonly slab = new Slab({ streams: STREAM_ROWS, sharedNodes: SHARED_NODES });
  readonly registry = new StreamRegistry();
  readonly tally = new StreamTally(this.registry);
  readonly engine: EngineSet;
  readonly governance: Governance;
  readonly history: History;
  readonly admission: Admission;
  readonly budgets: Budgets;
  readonly playback: Playback;
  readonly desk: PublishDesk;
  readonly rtmp: RtmpServer;
  readonly srt: SrtServer;
  readonly #overseer: Overseer;
  readonly #telemetry: Telemetry;

  /** `relay` is the server behind this one, null where it serves its players itself. */
  constructor(config: Config, telemetry: Telemetry, relay: RtmpRelay | null = null) {
    this.#config = config;
    this.#telemetry = telemetry;
    this.#identities = identitiesOf(config);
    this.#resolver = resolverOf(config);
    this.engine = createEngine(this.slab, engineOptions(config));
    this.budgets = new Budgets(this.slab, config.limits.global.max_bandwidth);
    this.governance = new Governance(config, telemetry, this);
    this.history = new History(this, () => telemetry.decisions.denied);
    this.registry.watch({ added: () => {}, removed: (stream) => this.history.ended(stream) });
    const { governor } = this.governance;
    this.admission = new Admission(config, [governor.gate]);
    this.playback = new Playback(playbackLimits(config), telemetry.logger);
    const ipBps = () => this.#config.limits.ip.max_bandwidth;
    this.desk = new PublishDesk({
      admission: this.admission,
      slab: this.slab,
      budgets: this.budgets,
      registry: this.registry,
      playback: this.playback,
      decisions: telemetry.decisions,
      tally: this.tally,
      pressure: governor,
      preempts: () => this.#config.backpressure.preempt,
      identities: () => this.#identities,
      resolver: () => this.#resolver,
      ipBps,
    });
    this.#overseer = new Overseer(this.desk, telemetry.decisions, this.budgets, ipBps);
    this.rtmp = this.#rtmpServer(relay);
    this.srt = this.#srtServer();
  }

  /** The config in force. */
  get config(): Config {
    return this.#config;
  }

  get resolver(): PolicyResolver {
    return this.#resolver;
  }

  /** Puts a validated config in force. Listeners stay as they are: the reloader says what needs a restart. */
  apply(next: Config): void {
    const now = monotonicMs();
    this.#config = next;
    this.admission.configure(next, now);
    this.playback.configure(playbackLimits(next));
    this.engine.engine.reconfigure(engineOptions(next));
    this.#identities = identitiesOf(next);
    this.#resolver = resolverOf(next);
    this.#telemetry.apply(next);
    this.srt.configure();
    const clients = new Map(next.clients.map((client) => [client.id, client]));
    for (const stream of this.registry.all()) {
      const { app, name, protocol, ip, client, ipKey } = stream.identity;
      // A client that the file no longer knows stays what it was while its stream lives.
      const { tier, priority } = clients.get(client) ?? stream.standing;
      const limits = this.#resolver.resolve({ app, stream: name, protocol, ip, tier, client });
      stream.configure({ tier, priority }, limits, this.budgets, now);
      this.budgets.setIp(ipKey, next.limits.ip.max_bandwidth, now);
    }
    this.governance.apply(next, now);
  }

  /** One stream's control step. */
  step(stream: LiveStream, now: number): void {
    stream.step(this.#overseer, this.#config.timeouts.idle, now);
  }

  /** What is due a few times a second beside the streams: deadlines, and memory of what is over. */
  round(now: number): void {
    this.governance.step(now);
    this.rtmp.round(now, this.registry.size);
    this.srt.round(now);
    this.admission.evictIdle(now, EVICT_STEPS);
  }

  /** Connections of all protocols. */
  get connections(): number {
    return this.rtmp.connections + this.srt.connections;
  }

  /** Cuts every live stream now, told why. */
  cutAll(): void {
    const now = monotonicMs();
    for (const stream of this.registry.all()) {
      this.desk.cut(
        stream,
        { reason: 'draining', detail: 'this server is shutting down', cooldownMs: 0 },
        now,
      );
    }
  }

  #srtServer(): SrtServer {
    const { decisions, logger } = this.#telemetry;
    const { slab, admission, desk, playback, registry } = this;
    return new SrtServer({
      addon: loadSrt,
      slab,
      admission,
      desk,
      playback,
      registry,
      decisions,
      log: logger,
      demuxer: messageSources(loadNative().TsFlv),
      door: () => doorConfigOf(this.#config),
      listeners: () => this.#config.listen.srt ?? [],
      limitsOf: (client) =>
        this.#resolver.resolve(streamless(client, this.#identities.tierOf(client))).client,
    });
  }

  #rtmpServer(relay: RtmpRelay | null): RtmpServer {
    const { decisions } = this.#telemetry;
    return new RtmpServer(
      {
        ...this.engine,
        desk: this.desk,
        playback: this.playback,
        relay,
        timeouts: () => this.#config.timeouts,
      },
      this.admission,
      {
        admitted: (tookMs) => decisions.admitted('ip', tookMs),
        refused: (peer, protocol, denial, now) => {
          const subject = { ip: peer.ip, protocol, path: null, client: null, stream: null };
          decisions.record('refuse', denial, subject, 'closed at accept, before a byte was read', now);
        },
      },
    );
  }
}

/** A client's own limits, whatever it publishes: none of them depends on the stream. */
function streamless(client: string, tier: string | null): PolicySubject {
  return { app: '', stream: '', protocol: 'srt', ip: '', tier, client };
}

function doorConfigOf({ auth, limits, allow, deny, clients, policies }: Config): DoorConfig {
  return { mode: auth.mode, ipv6Prefix: limits.ip.ipv6_prefix, allow, deny, clients, policies };
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
