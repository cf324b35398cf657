/**
 * What the admin API asks of the running server. `app.ts` implements it; the
 * API knows nothing else of it, so that a test drives the whole API against a
 * plain object.
 *
 * Contract for every method: it is synchronous, touches no disk or network,
 * and costs little (lists come in batches, see `Batches`). It never throws for
 * anything a caller of the API can send; an unknown id is `null`. No secret
 * (stream key, token, passphrase) is in anything it returns. `Infinity` never
 * leaves it: unlimited is `null`, as in `StreamSnapshot`. Field names of the
 * returned objects are the public JSON.
 */
import type { OnExceed } from '../core/limits.ts';
import type { GovernorSnapshot } from '../core/pressure/governor-snapshot.ts';
import type { PressureLevel } from '../core/pressure/levels.ts';
import type { Reason } from '../core/reasons.ts';
import type { StreamSnapshot, StreamTotals } from '../core/stream.ts';
import type { Receipt } from '../core/verdict.ts';
import type { AuditEvent, EventFilter, OperatorAction, Page, ReceiptFilter } from '../telemetry/events.ts';
import type { NodeHistory } from '../telemetry/history/node.ts';
import type { StreamHistory } from '../telemetry/history/streams.ts';
import type { GateState } from '../telemetry/metrics-source.ts';

/** Everything the API needs, by noun. */
export interface AdminPort {
  readonly streams: StreamsPort;
  readonly clients: ClientsPort;
  readonly server: ServerPort;
  readonly governor: GovernorPort;
  readonly audit: AuditPort;
  readonly history: HistoryPort;
}

/**
 * A list cut into batches. Each `next()` builds one batch and must take under
 * 2 ms (some 200 snapshots); the API lets the event loop turn between two
 * batches, so 10,000 streams never block it. The underlying collection may
 * change between batches: what left may be missing, what came may be missing,
 * nothing is listed twice. An empty batch is allowed. The API calls `return()`
 * on the iterator when a reader leaves half-way (a generator does this by itself).
 */
export type Batches<T> = Iterable<readonly T[]>;

export interface StreamsPort {
  /** live streams, oldest first; only those whose `place` is above `after` when it is given */
  batches(after?: number): Batches<StreamSnapshot>;
  /** where a live stream stands in that order, from 1: it stays when others leave, and is never used twice; null when it has gone */
  place(id: string): number | null;
  /** one stream by id (`s-7k2f`), or null */
  find(id: string): StreamSnapshot | null;
  /** sums over all live streams, kept as running counters or one cheap pass */
  totals(): StreamTotals;
  /** Disconnects a publisher (reason `kicked`); null when there is no such stream. */
  kick(id: string, order: KickOrder): KickOutcome | null;
  /**
   * Replaces limits of one live stream until `forMs` has passed, or until the
   * stream ends when `forMs` is null. Keys that are absent stay as they are.
   * Answers the stream as it now is; null when there is no such stream.
   */
  override(id: string, change: LimitOverride, forMs: number | null, by: string): StreamSnapshot | null;
}

export interface KickOrder {
  /** how long key and address are refused afterwards, ms; 0 = they may return at once; null = the stream's own `cooldown` */
  readonly cooldownMs: number | null;
  /** free text of the operator, at most 200 characters, control characters already removed; null when none was given */
  readonly reason: string | null;
  /** who ordered it, for the audit trail: `operator@127.0.0.1`, a token's role and the caller's address */
  readonly by: string;
}

export interface KickOutcome {
  /** the stream as it was told to go (state `closing`) */
  readonly stream: StreamSnapshot;
  /** id of the receipt that `headgate why` finds */
  readonly receipt: string;
  /** the cooldown that was put in force, ms */
  readonly cooldown_ms: number;
}

/** New values in base units; `Infinity` = unlimited or never; `null` clears an earlier override of that limit. */
export interface LimitOverride {
  /** bits per second */
  readonly max_bitrate?: number | null;
  /** video access units per second */
  readonly max_fps?: number | null;
  /** messages per second */
  readonly max_packets_per_sec?: number | null;
  readonly on_exceed?: OnExceed | null;
  /** ms of sustained excess before a cut */
  readonly grace?: number | null;
}

export interface ClientsPort {
  /** clients that are configured or have something running now */
  batches(): Batches<ClientSnapshot>;
  /** one client by id (`alice`, or an address prefix such as `2001:db8::/64`), or null */
  find(id: string): ClientSnapshot | null;
  /** addresses (IPv6: prefixes) that have a connection, a running rate window or a cooldown now */
  ipBatches(): Batches<IpSnapshot>;
}

export interface ClientSnapshot {
  id: string;
  /** false for a client that exists only because an address is publishing in `open` mode */
  configured: boolean;
  tier: string | null;
  priority: number;
  streams: number;
  /** ids of its live streams, the first 100 */
  stream_ids: string[];
  bitrate_bps: number;
  limits: {
    max_streams: number | null;
    max_bandwidth_bps: number | null;
    /** null = unlimited */
    publish_rate: { count: number; period_ms: number } | null;
  };
  /** fraction of each limit in use, 0 when unlimited */
  utilization: { streams: number; publish_rate: number; bandwidth: number };
}

export interface IpSnapshot {
  /** an IPv4 address, or the IPv6 prefix limits are held on */
  ip: string;
  connections: number;
  streams: number;
  bitrate_bps: number;
  /** on the `allow` list: counted, never limited */
  exempt: boolean;
  /** ms left of the longest cooldown on this address, 0 when none */
  cooldown_ms: number;
  /** the reason word that started it; null when there is none */
  cooldown_reason: string | null;
  limits: {
    max_connections: number | null;
    connection_rate: { count: number; period_ms: number } | null;
    max_bandwidth_bps: number | null;
  };
  utilization: { connections: number; connection_rate: number; bandwidth: number };
}

export interface ServerPort {
  readiness(): Readiness;
  resources(): ResourcesSnapshot;
  /**
   * The config in force as plain JSON values: snake_case keys as in the YAML,
   * unlimited and `never` as those words, secrets replaced by `***`.
   */
  effectiveConfig(): Record<string, unknown>;
  /** version, node id and start, for `GET /` and the metrics */
  about(): ServerAbout;
  /** refusals since the start, by reason; a reason that never refused anything is absent */
  denied(): Readonly<Partial<Record<Reason, number>>>;
  /** `limits.global` as it holds now; null = unlimited */
  globalLimits(): GlobalLimits;
}

export interface GlobalLimits {
  max_connections: number | null;
  max_streams: number | null;
  /** as configured; `shares.budget_bps` is what is left of it when the machine runs short */
  max_bandwidth_bps: number | null;
}

/** The node as a whole, in one piece: what an overview shows beside its streams. */
export interface NodeSnapshot {
  /** ISO time, the server's */
  at: string;
  about: ServerAbout;
  readiness: Readiness;
  totals: StreamTotals;
  limits: GlobalLimits;
  resources: ResourcesSnapshot;
  denied: Readonly<Partial<Record<Reason, number>>>;
}

export interface ServerAbout {
  name: 'headgate';
  version: string;
  node_id: string;
  started_at: string;
}

export interface Readiness {
  /** false while new publishers are refused as a whole: gate closed, draining, not started */
  ready: boolean;
  /** why not, as reason words (`draining`, `resource_cpu`, ...) or `starting`; empty when ready */
  reasons: string[];
  /** ms until it is ready if all goes well from now on, 0 when it is; null when no clock knows: it shuts down */
  retry_after_ms: number | null;
  /** the last reload failed and the old config runs on: what was wrong, one line; null otherwise */
  config_error: string | null;
}

/** The gate as a whole: what the machine says, and whether the server shuts down. */
export interface GateReading {
  state: GateState;
  /** ISO time of the last change */
  since: string;
  /** what holds it away from `open`; empty when open */
  reasons: Reason[];
  /** of the resource that is worst off */
  level: PressureLevel;
  /** 0 at ease .. 1 where the gate closes */
  pressure: number;
  /** false while nobody is let in */
  open: boolean;
  /** ms until it opens if all goes well from now on, 0 when it is open; null when it will not: the server shuts down */
  reopens_in_ms: number | null;
}

export interface ResourcesSnapshot extends Omit<GovernorSnapshot, 'gate'> {
  gate: GateReading;
  process: {
    pid: number;
    uptime_ms: number;
    /** user and system CPU time since the start, seconds */
    cpu_seconds: number;
    rss_bytes: number;
    heap_used_bytes: number;
    heap_limit_bytes: number;
    external_bytes: number;
    array_buffers_bytes: number;
  };
  /** what the media engine holds outside the JavaScript heap */
  engine: {
    connections: number;
    gop_bytes: number;
    /** bytes of half-received messages */
    pending_bytes: number;
    gop_evictions: number;
    /** rows taken in the tables of streams and of rates */
    slab: { streams: number; nodes: number };
  };
}

export interface GovernorPort {
  backpressure(): BackpressureSnapshot;
  /** Puts an operator's order in force, writes it down, and answers what holds then. `by` as in `KickOrder`. */
  order(order: BackpressureOrder, by: string): BackpressureSnapshot;
}

/** `auto` sheds by how the machine fares; `off` never; `shed` also gives up all streams below a priority. */
export const BACKPRESSURE_MODES = ['auto', 'off', 'shed'] as const;

export type BackpressureMode = (typeof BACKPRESSURE_MODES)[number];

export interface BackpressureOrder {
  readonly mode: BackpressureMode;
  /** with `shed`: streams below it go, and are refused; null with the others */
  readonly belowPriority: number | null;
  /** then it is `auto` again; null = until the next order. Null with `auto` */
  readonly forMs: number | null;
  /** who ordered it, as in `KickOrder`; absent in a request, whose caller it is */
  readonly by?: string | null;
}

/** Who suffers for the machine now, and what an operator ordered. */
export interface BackpressureSnapshot extends Omit<GovernorSnapshot['shedding'], 'order'> {
  mode: BackpressureMode;
  below_priority: number | null;
  /** ISO time at which it is `auto` again; null = not by itself */
  until: string | null;
  /** what sheds, when it goes on for `backpressure.after` */
  level: PressureLevel;
  squeezed: GovernorSnapshot['shares']['squeezed'];
  steps: GovernorSnapshot['steps'];
}

/** What charts are filled with before the first live figures come. */
export interface HistoryPort {
  node(): NodeHistory;
  /** of a live stream, or of one that ended lately; null when nothing is kept */
  stream(id: string): StreamHistory | null;
}

/** `AuditTrail` of `telemetry/audit.ts` implements this; `app.ts` only hands it over. */
export interface AuditPort {
  find(id: string): Receipt | null;
  /** newest first; a page by itself, so that what comes meanwhile does not move the next */
  receipts(filter: ReceiptFilter): Page<Receipt>;
  /** receipts and operator actions together, newest first */
  events(filter: EventFilter): Page<AuditEvent>;
  /**
   * Tells every new receipt and operator action as it happens, synchronously;
   * returns the way to stop. A receipt that only grew its `count` is not told
   * again. Null when there are as many subscribers as are allowed.
   */
  subscribe(listener: (event: AuditEvent) => void): (() => void) | null;
  /** Writes down what a caller did, or was refused. */
  act(action: Omit<OperatorAction, 'id' | 'at'>): unknown;
}
