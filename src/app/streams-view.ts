import { STREAM } from '../core/meter/slab-layout.ts';
import type { StreamSnapshot, StreamTotals } from '../core/stream.ts';
import type { Batches, KickOrder, KickOutcome, LimitOverride, StreamsPort } from '../http/ports.ts';
import type { PublishDesk } from '../ingest/publish-desk.ts';
import type { StreamRegistry } from '../ingest/registry.ts';
import { snapshotOf } from '../ingest/snapshot.ts';
import { monotonicMs } from '../lib/clock.ts';
import type { AuditTrail } from '../telemetry/audit.ts';
import { limitChangeWords } from './limit-change-words.ts';

/** Snapshots built before the event loop gets a turn: about half a millisecond. */
const BATCH = 200;

/** What the live streams are seen and acted on through. */
export interface StreamsParts {
  readonly audit: AuditTrail;
  readonly desk: PublishDesk;
  readonly registry: StreamRegistry;
  connections(): number;
}

/** Live streams as the admin API and an embedding program see them, and what either may do to one. */
export class StreamsView implements StreamsPort {
  readonly #parts: StreamsParts;

  constructor(parts: StreamsParts) {
    this.#parts = parts;
  }

  *batches(after = 0): Batches<StreamSnapshot> {
    for (const batch of this.#parts.registry.batches(BATCH, after)) {
      const now = monotonicMs();
      yield batch.map((stream) => snapshotOf(stream, now));
    }
  }

  place(id: string): number | null {
    const stream = this.#parts.registry.find(id);
    return stream === undefined ? null : this.#parts.registry.numberOf(stream);
  }

  find(id: string): StreamSnapshot | null {
    const stream = this.#parts.registry.find(id);
    return stream === undefined ? null : snapshotOf(stream, monotonicMs());
  }

  totals(): StreamTotals {
    const totals = {
      streams: 0,
      bitrate_bps: 0,
      bytes: 0,
      packets_per_sec: 0,
      connections: this.#parts.connections(),
    };
    for (const stream of this.#parts.registry.all()) {
      totals.streams++;
      totals.bitrate_bps += stream.ring.bitrateBps();
      totals.bytes += stream.read(STREAM.BYTES);
      totals.packets_per_sec += stream.ring.packetsPerSec();
    }
    totals.bitrate_bps = Math.round(totals.bitrate_bps);
    totals.packets_per_sec = Math.round(totals.packets_per_sec * 10) / 10;
    return totals;
  }

  kick(id: string, order: KickOrder): KickOutcome | null {
    const { registry, desk, audit } = this.#parts;
    const stream = registry.find(id);
    if (stream === undefined) return null;
    const now = monotonicMs();
    const cooldownMs = order.cooldownMs ?? stream.limits.cooldown;
    const snapshot = { ...snapshotOf(stream, now), state: 'closing' as const };
    const why =
      order.reason === null
        ? 'an operator kicked this stream'
        : `an operator kicked this stream: ${order.reason}`;
    const receipt = desk.cut(stream, { reason: 'kicked', detail: why, cooldownMs }, now);
    audit.act({
      action: 'kick',
      by: order.by,
      target: id,
      result: 'ok',
      detail: `${stream.identity.path}: ${why}`,
    });
    return { stream: snapshot, receipt: receipt.id, cooldown_ms: cooldownMs };
  }

  override(id: string, change: LimitOverride, forMs: number | null, by: string): StreamSnapshot | null {
    const { registry, audit } = this.#parts;
    const stream = registry.find(id);
    if (stream === undefined) return null;
    const now = monotonicMs();
    // What was as configured before is not changed by taking it back.
    const told = Object.fromEntries(
      Object.entries(change).filter(
        ([limit, value]) => value !== null || stream.override.overrides(limit as keyof LimitOverride),
      ),
    );
    stream.overrideLimits(change, forMs === null ? Number.POSITIVE_INFINITY : now + forMs, now);
    const detail = limitChangeWords(told, forMs);
    audit.act({
      action: 'limit',
      by,
      target: id,
      result: 'ok',
      detail: `${stream.identity.path}: ${detail}`,
    });
    return snapshotOf(stream, now);
  }
}
