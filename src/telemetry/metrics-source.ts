/**
 * What the metrics read at scrape: plain numbers that their owners count
 * anyway. Nothing is pushed into prom-client on any hot path.
 */
import type { GovernorSnapshot } from '../core/pressure/governor-snapshot.ts';
import type { Reason, Scope } from '../core/reasons.ts';
import type { Protocol, StreamState } from '../core/stream.ts';
import type { AuditLogCounts } from './audit-log/audit-log.ts';
import type { GovernorAction } from './events.ts';

/** `open` lets everybody in, `degraded` is under pressure, `closed` refuses newcomers; told as 0, 1, 2. */
export const GATE_STATES = ['open', 'degraded', 'closed'] as const;

export type GateState = (typeof GATE_STATES)[number];

/** What became of a decision: `allow | throttle | drop | reject` (a cut is a reject of what was running). */
export const DECISION_RESULTS = ['allow', 'throttle', 'drop', 'reject'] as const;

export type DecisionResult = (typeof DECISION_RESULTS)[number];

/** How players are attached. */
export const PLAYER_PROTOCOLS = ['rtmp', 'http-flv', 'ws-flv', 'http-ts', 'srt'] as const;

export type PlayerProtocol = (typeof PLAYER_PROTOCOLS)[number];

/** Why the door of SRT turns callers away: `limit` is any limit, cooldown, duplicate, or draining. */
export const SRT_REFUSAL_CAUSES = [
  'limit',
  'stream_id',
  'key',
  'denied',
  'behind',
  'not_ready',
  'no_such_stream',
  'passphrase',
] as const;

type SrtRefusalCause = (typeof SRT_REFUSAL_CAUSES)[number];

/** Counts by a fixed vocabulary; a word that never occurred may be absent. */
type By<Word extends string, Value = number> = Readonly<Partial<Record<Word, Value>>>;

export interface MetricsSource {
  /** All counters at one instant. Called once per scrape; under 2 ms. Counters never go down. */
  read(): MetricsReading;
  /**
   * Path and current bitrate of every live stream, in any order. Called once
   * per scrape; builds no snapshots.
   */
  streamBitrates(): Iterable<{ readonly path: string; readonly bitrateBps: number }>;
}

export interface MetricsReading {
  /** publishers' (and RTMP players') connections open now */
  readonly connections: By<Protocol>;
  readonly streams: By<Protocol, By<StreamState>>;
  readonly players: By<PlayerProtocol>;
  /** admitted media since the start, streams that have ended included */
  readonly ingest: By<Protocol, IngestCounts>;
  /** decisions of every level: connects, publishes, and enforcement on live streams */
  readonly decisions: By<Scope, By<DecisionResult>>;
  /** refusals before a stream was live */
  readonly denied: By<Reason>;
  /** ms streams were held back, by the level whose limit held them */
  readonly throttledMs: By<Scope>;
  /** video access units not admitted */
  readonly droppedFrames: By<Reason>;
  /** publishers that were cut while live, `kicked`, `draining` and timeouts included */
  readonly disconnects: By<Reason>;
  /** fraction in use; for `ip`, `client`, `stream` the highest of all keys, so that cardinality stays fixed */
  readonly utilization: readonly LimitUtilization[];
  readonly gate: GateState;
  readonly governor: GovernorSnapshot;
  readonly governorCounts: GovernorCounts;
  /** bytes of GOP kept for players that join */
  readonly gopBytes: number;
  readonly gopEvictions: number;
  /** bytes of half-received messages */
  readonly pendingBytes: number;
  readonly srt: SrtCounts;
  readonly configReloads: { readonly ok: number; readonly failed: number };
  /** the last reload failed, and an older config runs on */
  readonly configRefused: boolean;
  /** `AuditTrail.recorded` */
  readonly receipts: number;
  /** events that some subscriber of the audit trail was too slow to get */
  readonly eventsDropped: number;
  readonly logLinesDropped: number;
  readonly auditLog: AuditLogCounts;
}

/** What the governor did since the start. */
export interface GovernorCounts {
  readonly changes: By<GovernorAction>;
  /** of the adaptive factor */
  readonly adjustments: Readonly<Record<AdjustmentDirection, number>>;
}

export const ADJUSTMENT_DIRECTIONS = ['up', 'down'] as const;

type AdjustmentDirection = (typeof ADJUSTMENT_DIRECTIONS)[number];

export interface IngestCounts {
  readonly bytes: number;
  readonly frames: number;
  readonly packets: By<'video' | 'audio' | 'data'>;
}

/** Over all SRT connections since the start. */
export interface SrtCounts {
  /** packets from publishers; `lost` were found missing, most of them came when sent again; `dropped` never came in time */
  readonly packets: By<'received' | 'lost' | 'retransmitted' | 'dropped'>;
  readonly continuityErrors: number;
  /** callers that were turned away before they had a connection */
  readonly refused: By<SrtRefusalCause>;
  /** refusals and log lines of the receive threads that nobody was told, for want of room */
  readonly eventsDropped: number;
  /** payload that players missed because the server was behind, bytes; it was counted and limited all the same */
  readonly playbackBytesDropped: number;
}

export interface LimitUtilization {
  readonly scope: 'global' | 'ip' | 'client' | 'stream';
  /** the config's key: `max_connections`, `max_streams`, `max_bandwidth`, `max_bitrate`, ... */
  readonly limit: string;
  readonly fraction: number;
}
