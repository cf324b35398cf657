import type { OnExceed, StreamLimits } from '../core/limits.ts';
import { ownRates } from '../core/meter/node-rate.ts';
import type { RateRing } from '../core/meter/rate-ring.ts';
import type { Slab } from '../core/meter/slab.ts';
import { FLAG, NODE, nodeAt, STREAM, streamAt } from '../core/meter/slab-layout.ts';
import type { BudgetShare, Budgets } from './budgets.ts';

/** Which budgets above it a stream is charged to. */
export interface StreamParents {
  readonly client: string;
  readonly clientBps: number;
  readonly ipKey: string;
  readonly ipBps: number;
}

/** What is special about how a stream is metered. */
export interface StreamNature {
  /** never limited, still counted */
  readonly exempt: boolean;
  /** the sender cannot be slowed: what would be throttled is dropped */
  readonly lossy: boolean;
}

/** What one stream holds in the slab: its row with four nodes of its own, and its shares of the budgets above. */
export class StreamRows {
  readonly slot: number;
  readonly #slab: Slab;
  readonly #shares: readonly BudgetShare[];
  readonly #lossy: boolean;
  #released = false;

  private constructor(slab: Slab, slot: number, shares: readonly BudgetShare[], lossy: boolean) {
    this.#slab = slab;
    this.slot = slot;
    this.#shares = shares;
    this.#lossy = lossy;
    this.setFlag(FLAG.LOSSY, lossy);
  }

  /** Null when the slab is full; nothing is held then. */
  static take(
    slab: Slab,
    budgets: Budgets,
    limits: StreamLimits,
    parents: StreamParents,
    { exempt, lossy }: StreamNature,
    now: number,
  ): StreamRows | null {
    const client = budgets.client(parents.client, parents.clientBps, now);
    const ip = budgets.ip(parents.ipKey, parents.ipBps, now);
    const slot = slab.takeStream({
      onExceed: enforced(limits.on_exceed, lossy),
      exempt,
      own: ownRates(limits, lossy),
      client: client.node,
      ip: ip.node,
      global: budgets.global,
    });
    if (slot !== null) return new StreamRows(slab, slot, [client, ip], lossy);
    client.release();
    ip.release();
    return null;
  }

  read(field: number): number {
    return this.#slab.streams[streamAt(this.slot, field)] as number;
  }

  setFlag(flag: number, on: boolean): void {
    const flags = this.read(STREAM.FLAGS);
    this.#write(STREAM.FLAGS, on ? flags | flag : flags & ~flag);
  }

  sampleInto(ring: RateRing, now: number): void {
    ring.push(this.#slab.streams, this.slot, now);
  }

  /** Bits set since the last call. */
  takeExceeded(): number {
    const bits = this.read(STREAM.EXCEEDED);
    if (bits !== 0) this.#write(STREAM.EXCEEDED, 0);
    return bits;
  }

  setLimits(limits: StreamLimits, now: number): void {
    this.#slab.setStreamLimits(
      this.slot,
      enforced(limits.on_exceed, this.#lossy),
      ownRates(limits, this.#lossy),
      now,
    );
  }

  /** Spends what is left of the bitrate burst: from now on the long-term rate holds exactly. */
  forfeitBurst(now: number): void {
    const { nodes } = this.#slab;
    const node = nodeAt(this.read(STREAM.NODE_BITRATE), 0);
    if ((nodes[node + NODE.INTERVAL] as number) === 0) return;
    nodes[node + NODE.TAT] = Math.max(
      nodes[node + NODE.TAT] as number,
      now + (nodes[node + NODE.TAU] as number),
    );
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    for (const share of this.#shares) share.release();
    this.#slab.releaseStream(this.slot);
  }

  #write(field: number, value: number): void {
    this.#slab.streams[streamAt(this.slot, field)] = value;
  }
}

function enforced(onExceed: OnExceed, lossy: boolean): OnExceed {
  return lossy && onExceed === 'throttle' ? 'drop' : onExceed;
}
