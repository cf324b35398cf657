import { z } from 'zod';
import { REASONS } from '../../core/reasons.ts';
import { ROLES } from '../../core/roles.ts';
import { nextCursor } from '../cursor.ts';
import type { ClientSnapshot, IpSnapshot, NodeSnapshot, ResourcesSnapshot, ServerAbout } from '../ports.ts';
import { amount, count, limit, rate, wallTime } from './common.ts';
import { gate, governed } from './governor.ts';
import { totals } from './stream.ts';

export const client = z
  .object({
    id: z.string(),
    configured: z.boolean(),
    tier: z.string().nullable(),
    priority: z.number(),
    streams: count,
    stream_ids: z.array(z.string()),
    bitrate_bps: amount,
    limits: z.object({ max_streams: limit, max_bandwidth_bps: limit, publish_rate: rate }),
    utilization: z.object({ streams: amount, publish_rate: amount, bandwidth: amount }),
  })
  .meta({ id: 'Client' }) satisfies z.ZodType<ClientSnapshot>;

/** How many more there are than listed and on the pages before. */
const omitted = count;

export const clientList = z.object({ clients: z.array(client), omitted, next_cursor: nextCursor });

const address = z
  .object({
    ip: z.string(),
    connections: count,
    streams: count,
    bitrate_bps: amount,
    exempt: z.boolean(),
    cooldown_ms: amount,
    cooldown_reason: z.string().nullable(),
    limits: z.object({ max_connections: limit, connection_rate: rate, max_bandwidth_bps: limit }),
    utilization: z.object({ connections: amount, connection_rate: amount, bandwidth: amount }),
  })
  .meta({ id: 'Address' }) satisfies z.ZodType<IpSnapshot>;

export const addressList = z.object({ ips: z.array(address), omitted, next_cursor: nextCursor });

export const resources = z
  .object({
    gate,
    ...governed,
    process: z.object({
      pid: count,
      uptime_ms: amount,
      cpu_seconds: amount,
      rss_bytes: count,
      heap_used_bytes: count,
      heap_limit_bytes: count,
      external_bytes: count,
      array_buffers_bytes: count,
    }),
    engine: z.object({
      connections: count,
      gop_bytes: count,
      pending_bytes: count,
      gop_evictions: count,
      slab: z.object({ streams: count, nodes: count }),
    }),
  })
  .meta({ id: 'Resources' }) satisfies z.ZodType<ResourcesSnapshot>;

const about = z.object({
  name: z.literal('headgate'),
  version: z.string(),
  node_id: z.string(),
  started_at: wallTime,
}) satisfies z.ZodType<ServerAbout>;

export const apiIndex = z
  .object({
    ...about.shape,
    caller: z.object({ role: z.enum(ROLES), by: z.string() }),
    endpoints: z.array(z.object({ method: z.string(), path: z.string(), summary: z.string() })),
  })
  .meta({ id: 'Index' });

export const effectiveConfig = z.record(z.string(), z.unknown()).meta({
  description: 'The config in force, keys as in the YAML file, secrets as ***.',
});

export const ready = z.object({
  ready: z.boolean(),
  reasons: z.array(z.string()),
  retry_after_ms: amount.nullable(),
  config_error: z.string().nullable(),
});

const globalLimits = z
  .object({ max_connections: limit, max_streams: limit, max_bandwidth_bps: limit })
  .meta({ description: 'limits.global; shares.budget_bps is what is left of the bandwidth when short.' });

/** The `node` event of the feed. */
export const node = z
  .object({
    at: wallTime,
    about,
    readiness: ready,
    totals,
    limits: globalLimits,
    resources,
    denied: z
      .partialRecord(z.enum(REASONS), count)
      .meta({ description: 'Refusals since the start; a reason that refused nothing is absent.' }),
  })
  .meta({ id: 'Node' }) satisfies z.ZodType<NodeSnapshot>;
