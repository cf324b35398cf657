import type { StreamLimits } from '../core/limits.ts';
import type { RateRing } from '../core/meter/rate-ring.ts';
import type { Slab } from '../core/meter/slab.ts';
import { FLAG, MODE, NODE, nodeAt, STREAM, streamAt } from '../core/meter/slab-layout.ts';
import type { BudgetShare, Budgets } from './budgets.ts';
import { ownRates } from './limit-nodes.ts';

/** Which budgets above it a stream is charged to. */
export interface StreamParents {
  readonly client: string;
  readonly clientBps: number;
  readonly ipKey: string;
  readonly ipBps: number;
}

const MODE_OF = {
  observe: MODE.OBSERVE,
  throttle: MODE.THROTTLE,
  drop: MODE.DROP,
  disconnect: MODE.DISCONNECT,
} as const;

/** Place of the media FPS node among a stream's own. */
const FPS_MEDIA = STREAM.NODE_FPS_MEDIA - STREAM.NODE_BITRATE;

/** What one stream holds in the slab: its row with four nodes of its own, and its shares of the budgets above. */
export class StreamRows {
  readonly slot: number;
  readonly #slab: Slab;
  /** bitrate, packets, FPS by arrival, FPS by media time */
  readonly #nodes: readonly number[];
  readonly #shares: readonly BudgetShare[];
  #released = false;

  private constructor(slab: Slab, slot: number, nodes: readonly number[], shares: readonly BudgetShare[]) {
    this.#slab = slab;
    this.slot = slot;
    this.#nodes = nodes;
    this.#shares = shares;
  }

  /** Null when the slab is full; nothing is held then. */
  static take(
    slab: Slab,
    budgets: Budgets,
    limits: StreamLimits,
    parents: StreamParents,
    exempt: boolean,
    now: number,
  ): StreamRows | null {
    const slot = slab.takeStream();
    if (slot === null) return null;
    const nodes = takeNodes(slab, limits);
    if (nodes === null) {
      slab.releaseStream(slot);
      return null;
    }
    const client = budgets.client(parents.client, parents.clientBps, now);
    const ip = budgets.ip(parents.ipKey, parents.ipBps, now);
    const rows = new StreamRows(slab, slot, nodes, [client, ip]);
    [...nodes, client.node, ip.node, budgets.global].forEach((node, index) => {
      rows.#write(STREAM.NODE_BITRATE + index, node ?? -1);
    });
    if (exempt) rows.setFlag(FLAG.EXEMPT, true);
    rows.setLimits(limits, now);
    return rows;
  }

  read(field: number): number {
    return this.#slab.streams[streamAt(this.slot, field)] as number;
  }

  setFlag(flag: number, on: boolean): void {
    const flags = this.read(STREAM.FLAGS);
    this.#write(STREAM.FLAGS, on ? flags | flag : flags & ~flag);
  }

  sampleInto(ring: RateRing, windowMs: number, now: number): void {
    ring.push(now, this.#slab.streams, streamAt(this.slot, 0), windowMs);
  }

  /** Bits set since the last call. */
  takeExceeded(): number {
    const bits = this.read(STREAM.EXCEEDED);
    if (bits !== 0) this.#write(STREAM.EXCEEDED, 0);
    return bits;
  }

  setLimits(limits: StreamLimits, now: number): void {
    this.#write(STREAM.MODE, MODE_OF[limits.on_exceed]);
    ownRates(limits).forEach((rate, index) => {
      const onMediaClock = index === FPS_MEDIA;
      const clock = onMediaClock ? Math.max(0, this.read(STREAM.LAST_DTS)) : now;
      this.#slab.setRate(this.#nodes[index] as number, rate, clock);
    });
  }

  /** Spends what is left of the bitrate burst: from now on the long-term rate holds exactly. */
  forfeitBurst(now: number): void {
    const { nodes } = this.#slab;
    const node = nodeAt(this.read(STREAM.NODE_BITRATE), 0);
    if ((nodes[node + NODE.INTERVAL] as number) === 0) return;
    nodes[node + NODE.TAT] = Math.max(nodes[node + NODE.TAT] as number, now + (nodes[node + NODE.TAU] as number));
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    for (const node of this.#nodes) this.#slab.releaseNode(node);
    for (const share of this.#shares) share.release();
    this.#slab.releaseStream(this.slot);
  }

  #write(field: number, value: number): void {
    this.#slab.streams[streamAt(this.slot, field)] = value;
  }
}

/** All four or none. */
function takeNodes(slab: Slab, limits: StreamLimits): readonly number[] | null {
  const nodes: number[] = [];
  for (const rate of ownRates(limits)) {
    const node = slab.takeNode(rate);
    if (node === null) {
      for (const taken of nodes) slab.releaseNode(taken);
      return null;
    }
    nodes.push(node);
  }
  return nodes;
}
