/** A running server as the admin API sees it, held in plain objects, and the API over it on a free port. */
import { backpressureOf, gateReading } from '../../src/app/governance-view.ts';
import type { GovernorSnapshot } from '../../src/core/pressure/governor-snapshot.ts';
import type { StreamSnapshot } from '../../src/core/stream.ts';
import type { AdminToken } from '../../src/http/access.ts';
import type { EventFeedOptions } from '../../src/http/event-feed.ts';
import type {
  AdminPort,
  BackpressureOrder,
  ClientSnapshot,
  IpSnapshot,
  KickOrder,
  LimitOverride,
  Readiness,
  ResourcesSnapshot,
} from '../../src/http/ports.ts';
import type { RequestAllowance } from '../../src/http/request-limit.ts';
import { type AdminServer, createAdminServer } from '../../src/http/server.ts';
import { AuditTrail } from '../../src/telemetry/audit.ts';
import { NodeHistoryRing } from '../../src/telemetry/history/node.ts';
import { StreamHistories } from '../../src/telemetry/history/streams.ts';
import { calmGovernor } from '../support/governor-snapshot.ts';

const START = '2026-11-20T21:40:00.000Z';

export function streamSnapshot(number: number, change: Partial<StreamSnapshot> = {}): StreamSnapshot {
  return {
    id: `s-${number.toString(36)}`,
    protocol: 'rtmp',
    app: 'live',
    name: `cam${number}`,
    path: `/live/cam${number}`,
    client: 'alice',
    tier: 'pro',
    priority: 80,
    ip: '192.0.2.10',
    port: 51_544,
    state: 'live',
    started_at: new Date(Date.parse(START) + number).toISOString(),
    uptime_ms: 61_000.5,
    usage: {
      bitrate_bps: 2_610_000,
      bitrate_avg_bps: 2_598_000,
      bitrate_peak_bps: 3_100_000,
      fps: 30,
      wall_fps: 29.9,
      packets_per_sec: 73.1,
      bytes: 19_900_000,
      packets: 4_453,
      frames: 1_830,
      keyframes: 31,
      dropped_frames: 0,
      dropped_bytes: 0,
      throttled_ms: 0,
      violations: 0,
    },
    limits: {
      max_bitrate_bps: 6_000_000,
      max_fps: 60,
      max_packets_per_sec: null,
      on_exceed: 'throttle',
      grace_ms: null,
      cooldown_ms: 30_000,
      override_until: null,
      sources: { max_bitrate: 'limits.stream' },
    },
    share: { ceiling_bps: null, by: null },
    utilization: { bitrate: 0.435, fps: 0.5, packets: 0 },
    media: { video_codec: 'h264', width: 1280, height: 720, audio_codec: 'aac' },
    playback: { players: 2, gop_bytes: 1_000_000 },
    transport: { rtt_ms: null, loss: null, retransmitted: null },
    ...change,
  };
}

function clientSnapshot(id: string): ClientSnapshot {
  return {
    id,
    configured: !id.includes('/'),
    tier: null,
    priority: 50,
    streams: 1,
    stream_ids: ['s-1'],
    bitrate_bps: 2_610_000,
    limits: { max_streams: 3, max_bandwidth_bps: null, publish_rate: { count: 100, period_ms: 60_000 } },
    utilization: { streams: 0.33, publish_rate: 0.02, bandwidth: 0 },
  };
}

function ipSnapshot(ip: string): IpSnapshot {
  return {
    ip,
    connections: 1,
    streams: 1,
    bitrate_bps: 2_610_000,
    exempt: false,
    cooldown_ms: 0,
    cooldown_reason: null,
    limits: { max_connections: 20, connection_rate: null, max_bandwidth_bps: null },
    utilization: { connections: 0.05, connection_rate: 0, bandwidth: 0 },
  };
}

/** Four seconds of a server, with a refusal in them. */
function nodePast(): NodeHistoryRing {
  const ring = new NodeHistoryRing();
  const gauges = {
    budget_bps: Number.NaN,
    connections: 3,
    cpu: 0.31,
    heap: 0.4,
    memory: 0.5,
    event_loop: 12,
  };
  for (const [now, refused] of [
    [6_000, 0],
    [8_000, 2],
  ] as const) {
    ring.begin(now);
    ring.add(2_610_000);
    ring.finish({ ...gauges, adaptive_factor: 1, denied: { client_streams: refused } });
  }
  return ring;
}

/** Six seconds of a stream, of which the middle was not sampled. */
function streamPast(id: string, path: string) {
  const reading = {
    bitrate_bps: 2_610_000,
    limit_bps: 6_000_000,
    ceiling_bps: Number.NaN,
    fps: 30,
    wall_fps: 29.9,
    packets_per_sec: 73.1,
    dropped_frames: 4,
    throttled_ms: 0,
  };
  const histories = new StreamHistories({ keyframes: () => 1, reading: () => reading });
  const recorded = { id, path, slot: 0 };
  for (const now of [4_000, 6_000, 8_000]) histories.step(recorded, now !== 6_000, now);
  return histories.find(id, 0, { now: 8_100, wallMs: Date.parse(START) });
}

function placeOf(id: string): number {
  return Number.parseInt(id.slice('s-'.length), 36) + 1;
}

/** Cuts a list as the app does. */
function* inBatches<T>(items: readonly T[], size = 200): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

export class FakeServer implements AdminPort {
  all: StreamSnapshot[] = [streamSnapshot(1), streamSnapshot(2, { client: 'bob', state: 'throttled' })];
  kicks: { id: string; order: KickOrder }[] = [];
  overrides: { id: string; change: LimitOverride; forMs: number | null; by: string }[] = [];
  ready: Readiness = { ready: true, reasons: [], retry_after_ms: 0, config_error: null };
  governed: GovernorSnapshot = calmGovernor();
  orders: { order: BackpressureOrder; by: string }[] = [];
  clientIds = ['alice', '2001:db8::/64', '192.0.2.10'];
  addresses = ['192.0.2.10', '2001:db8::/64'];
  /** called before each batch of streams is built */
  onBatch: () => void = () => undefined;
  batchesEnded = 0;
  trail = new AuditTrail({ receipts: 100, wallMs: () => Date.parse(START) });

  readonly streams = {
    batches: (after = 0) => this.#streamBatches(after),
    // Places stay when others leave: the samples carry theirs in their ids.
    place: (id: string) => (this.streams.find(id) === null ? null : placeOf(id)),
    find: (id: string) => this.all.find((stream) => stream.id === id) ?? null,
    totals: () => ({
      streams: this.all.length,
      bitrate_bps: 5_220_000,
      bytes: 39_800_000,
      packets_per_sec: 146.2,
      connections: 3,
    }),
    kick: (id: string, order: KickOrder) => {
      const stream = this.streams.find(id);
      if (stream === null) return null;
      this.kicks.push({ id, order });
      return {
        stream: { ...stream, state: 'closing' as const },
        receipt: 'r-1',
        cooldown_ms: order.cooldownMs ?? 30_000,
      };
    },
    override: (id: string, change: LimitOverride, forMs: number | null, by: string) => {
      this.overrides.push({ id, change, forMs, by });
      return this.streams.find(id);
    },
  };
  readonly clients = {
    batches: () => inBatches(this.clientIds.map(clientSnapshot)),
    find: (id: string) => (this.clientIds.includes(id) ? clientSnapshot(id) : null),
    ipBatches: () => inBatches(this.addresses.map(ipSnapshot)),
  };
  readonly server = {
    readiness: () => this.ready,
    resources: (): ResourcesSnapshot => ({
      ...this.governed,
      gate: gateReading(this.governed, null),
      process: {
        pid: 1,
        uptime_ms: 5,
        cpu_seconds: 0.5,
        rss_bytes: 1,
        heap_used_bytes: 1,
        heap_limit_bytes: 1,
        external_bytes: 1,
        array_buffers_bytes: 1,
      },
      engine: {
        connections: 1,
        gop_bytes: 1,
        pending_bytes: 0,
        gop_evictions: 0,
        slab: { streams: 1, nodes: 7 },
      },
    }),
    effectiveConfig: () => ({ version: 1, admin: { tokens: [{ token: '***', role: 'operator' }] } }),
    denied: () => ({ global_streams: 3 }),
    globalLimits: () => ({ max_connections: 1_000, max_streams: 500, max_bandwidth_bps: null }),
    about: () => ({ name: 'headgate' as const, version: '0.1.0', node_id: 'ingest-1', started_at: START }),
  };
  readonly governor = {
    backpressure: () => backpressureOf(this.governed),
    order: (order: BackpressureOrder, by: string) => {
      this.orders.push({ order, by });
      return this.governor.backpressure();
    },
  };
  readonly history = {
    node: () => nodePast().view({ now: 10_000, wallMs: Date.parse(START) }),
    stream: (id: string) => {
      const stream = this.streams.find(id);
      return stream === null ? null : streamPast(id, stream.path);
    },
  };
  get audit(): AuditTrail {
    return this.trail;
  }

  *#streamBatches(after: number): Generator<readonly StreamSnapshot[]> {
    try {
      for (const batch of inBatches(this.all.filter(({ id }) => placeOf(id) > after))) {
        this.onBatch();
        yield batch;
      }
    } finally {
      this.batchesEnded++;
    }
  }
}

export interface RunningApi {
  readonly fake: FakeServer;
  readonly server: AdminServer;
  readonly port: number;
  readonly url: string;
  readonly faults: object[];
}

export interface ApiOptions {
  readonly tokens?: readonly AdminToken[] | (() => readonly AdminToken[]);
  readonly events?: EventFeedOptions;
  /** where its built dashboard is */
  readonly dashboard?: string;
  /** what the config says when it says nothing, unless a test asks for more or less */
  readonly rateLimit?: () => RequestAllowance;
}

const ALLOWANCE: RequestAllowance = { requests: { count: 50, periodMs: 1_000 }, burst: 100, xHeaders: false };

export async function startApi(options: ApiOptions = {}): Promise<RunningApi> {
  const fake = new FakeServer();
  const faults: object[] = [];
  const { tokens = [] } = options;
  const server = await createAdminServer(fake, {
    tokens: typeof tokens === 'function' ? tokens : () => tokens,
    rateLimit: options.rateLimit ?? (() => ALLOWANCE),
    metrics: {
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      scrape: async () => 'headgate_gate_state 0\n',
    },
    log: { error: (fields) => faults.push(fields) },
    ...(options.events === undefined ? {} : { events: options.events }),
    ...(options.dashboard === undefined ? {} : { dashboard: options.dashboard }),
  });
  await server.listen('127.0.0.1', 0);
  const { port } = server.address()!;
  return { fake, server, port, url: `http://127.0.0.1:${port}`, faults };
}
