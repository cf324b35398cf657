import { bandwidthRate } from '../core/meter/node-rate.ts';
import type { Slab } from '../core/meter/slab.ts';
import { NODE, nodeAt } from '../core/meter/slab-layout.ts';

/** Part of a budget's burst that counts as used at the most while shares hold it. */
const BURST_KEPT_USED = 0.5;

/**
 * Nodes that several streams are charged to: one per client, one per address,
 * one for the whole server. A node lives while a stream holds it.
 */
interface Shared {
  readonly node: number;
  bps: number;
  holders: number;
}

export interface BudgetShare {
  /** row in the node table; null when the slab was full, so that this budget goes unheld */
  readonly node: number | null;
  /** idempotent */
  release(): void;
}

const NO_SHARE: BudgetShare = { node: null, release() {} };

export class Budgets {
  readonly #slab: Slab;
  readonly #shared = new Map<string, Shared>();
  #globalBps: number;
  readonly #global: number;

  constructor(slab: Slab, globalBps: number) {
    this.#slab = slab;
    this.#globalBps = globalBps;
    const node = slab.takeNode(bandwidthRate(globalBps));
    if (node === null) throw new RangeError('the slab has no room for its first node');
    this.#global = node;
  }

  /** Node of the global bandwidth budget. */
  get global(): number {
    return this.#global;
  }

  /** bits/s */
  get globalBps(): number {
    return this.#globalBps;
  }

  setGlobal(bps: number, now: number): void {
    this.#globalBps = bps;
    this.#slab.setRate(this.#global, bandwidthRate(bps), now);
  }

  client(id: string, bps: number, now: number): BudgetShare {
    return this.#take(`client ${id}`, bps, now);
  }

  ip(key: string, bps: number, now: number): BudgetShare {
    return this.#take(`ip ${key}`, bps, now);
  }

  /** Changes a client's budget under its live streams. */
  setClient(id: string, bps: number, now: number): void {
    this.#set(`client ${id}`, bps, now);
  }

  setIp(key: string, bps: number, now: number): void {
    this.#set(`ip ${key}`, bps, now);
  }

  /** Streams are held to fair shares of the whole: see `#relieve`. */
  relieveGlobal(now: number): void {
    this.#relieve(this.#global, now);
  }

  /** Streams of that client are held to fair shares of its budget. */
  relieveClient(id: string, now: number): void {
    const shared = this.#shared.get(`client ${id}`);
    if (shared !== undefined) this.#relieve(shared.node, now);
  }

  /**
   * What a budget is owed slows everybody under it alike, also those that
   * keep within their share. While shares hold the sum it is not owed any
   * more: half of the burst is kept free for what comes in unevenly.
   */
  #relieve(node: number, now: number): void {
    const { nodes } = this.#slab;
    const tat = nodeAt(node, NODE.TAT);
    const tauMs = nodes[nodeAt(node, NODE.TAU)] as number;
    nodes[tat] = Math.min(nodes[tat] as number, now + tauMs * BURST_KEPT_USED);
  }

  #set(key: string, bps: number, now: number): void {
    const shared = this.#shared.get(key);
    if (shared === undefined || shared.bps === bps) return;
    shared.bps = bps;
    this.#slab.setRate(shared.node, bandwidthRate(bps), now);
  }

  #take(key: string, bps: number, now: number): BudgetShare {
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      const node = this.#slab.takeNode(bandwidthRate(bps));
      if (node === null) return NO_SHARE;
      shared = { node, bps, holders: 0 };
      this.#shared.set(key, shared);
    } else this.#set(key, bps, now);
    const held = shared;
    held.holders++;
    let released = false;
    return {
      node: held.node,
      release: () => {
        if (released) return;
        released = true;
        if (--held.holders > 0) return;
        this.#shared.delete(key);
        this.#slab.releaseNode(held.node);
      },
    };
  }
}
