import type { OnExceed } from '../limits.ts';
import { FreeRows } from './free-rows.ts';
import { intervalMs, type NodeRate, type OwnRates } from './node-rate.ts';
import { FLAG, MODE, NODE, NODE_STRIDE, nodeAt, STREAM, STREAM_STRIDE, streamAt } from './slab-layout.ts';

export interface SlabCapacity {
  readonly streams: number;
  /** nodes shared by streams: one per client, one per address, and one for the server */
  readonly sharedNodes: number;
}

/** What a publisher's row begins with. Shared nodes are row numbers; null = none. */
export interface StreamSetup {
  readonly onExceed: OnExceed;
  /** never limited, still counted */
  readonly exempt: boolean;
  readonly own: OwnRates;
  readonly client: number | null;
  readonly ip: number | null;
  readonly global: number | null;
}

const MODE_OF: Readonly<Record<OnExceed, number>> = {
  observe: MODE.OBSERVE,
  throttle: MODE.THROTTLE,
  drop: MODE.DROP,
  disconnect: MODE.DISCONNECT,
};

/** Node fields of a stream row, by the name of the rate. */
const OWN_FIELDS = [
  ['bitrate', STREAM.NODE_BITRATE],
  ['packets', STREAM.NODE_PACKETS],
  ['fpsWall', STREAM.NODE_FPS_WALL],
  ['fpsMedia', STREAM.NODE_FPS_MEDIA],
] as const;

/**
 * Owner of the shared memory: hands out rows and sets rates. It alone writes
 * rates; counters and arrival times belong to the data plane. A stream always
 * has its four own nodes, unlimited ones too, so that a limit set on a live
 * stream needs no new row. When no row is left the answer is null, and the
 * caller refuses the publisher.
 */
export class Slab {
  readonly nodes: Float64Array;
  readonly streams: Float64Array;
  readonly #freeNodes: FreeRows;
  readonly #freeStreams: FreeRows;

  constructor(capacity: SlabCapacity) {
    const nodes = capacity.sharedNodes + capacity.streams * OWN_FIELDS.length;
    this.nodes = new Float64Array(nodes * NODE_STRIDE);
    this.streams = new Float64Array(capacity.streams * STREAM_STRIDE);
    this.#freeNodes = new FreeRows(nodes);
    this.#freeStreams = new FreeRows(capacity.streams);
  }

  get nodesInUse(): number {
    return this.#freeNodes.inUse;
  }

  get streamsInUse(): number {
    return this.#freeStreams.inUse;
  }

  /** A zeroed node with its whole burst unused, or null when none is left. */
  takeNode(rate: NodeRate): number | null {
    const node = this.#freeNodes.take();
    if (node === null) return null;
    const at = nodeAt(node, 0);
    this.nodes.fill(0, at, at + NODE_STRIDE);
    this.nodes[at + NODE.IN_USE] = 1;
    this.#writeRate(at, rate);
    return node;
  }

  /** Gives a node back; one that is free already stays so. */
  releaseNode(node: number): void {
    const at = nodeAt(node, NODE.IN_USE);
    if (this.nodes[at] !== 1) return;
    this.nodes[at] = 0;
    this.#freeNodes.release(node);
  }

  /**
   * Changes a live rate. What the node owes is kept in units, not in time: a
   * publisher that owes 100 kB still owes 100 kB, which takes half as long to
   * repay at twice the rate. Kept in time, lowering a limit would forgive
   * debt, and a limit moved to and fro would be a way around it. An unlimited
   * node and one of rate 0 owe nothing. `now` is on the clock of the node:
   * for media FPS that is the DTS.
   *
   * The fields are written one by one; a thread that charges in between uses
   * a mixture once, whose effect is bounded by the debt bound.
   */
  setRate(node: number, rate: NodeRate, now: number): void {
    const at = nodeAt(node, 0);
    const before = this.nodes[at + NODE.INTERVAL]!;
    const owedMs = Math.max(0, this.nodes[at + NODE.TAT]! - now);
    this.#writeRate(at, rate);
    const after = this.nodes[at + NODE.INTERVAL]!;
    const comparable = before > 0 && before < Infinity && after < Infinity;
    const owedNowMs = comparable ? (owedMs / before) * after : 0;
    this.nodes[at + NODE.TAT] = now + Math.min(owedNowMs, rate.tauMs + rate.debtMaxMs);
  }

  /** A stream row with its own nodes, all or nothing; null when rows or nodes have run out. */
  takeStream(setup: StreamSetup): number | null {
    if (this.#freeNodes.free < OWN_FIELDS.length) return null;
    const slot = this.#freeStreams.take();
    if (slot === null) return null;
    const at = streamAt(slot, 0);
    this.streams.fill(0, at, at + STREAM_STRIDE);
    for (const [name, field] of OWN_FIELDS) this.streams[at + field] = this.takeNode(setup.own[name])!;
    this.streams[at + STREAM.NODE_CLIENT] = setup.client ?? -1;
    this.streams[at + STREAM.NODE_IP] = setup.ip ?? -1;
    this.streams[at + STREAM.NODE_GLOBAL] = setup.global ?? -1;
    this.streams[at + STREAM.MODE] = MODE_OF[setup.onExceed];
    this.streams[at + STREAM.FLAGS] = FLAG.IN_USE | (setup.exempt ? FLAG.EXEMPT : 0);
    this.streams[at + STREAM.LAST_DTS] = -1;
    return slot;
  }

  /** Gives a row and its own nodes back, not the shared ones; a free row stays free. */
  releaseStream(slot: number): void {
    const at = streamAt(slot, 0);
    if ((this.streams[at + STREAM.FLAGS]! & FLAG.IN_USE) === 0) return;
    this.streams[at + STREAM.FLAGS] = 0;
    for (const [, field] of OWN_FIELDS) this.releaseNode(this.streams[at + field]!);
    this.#freeStreams.release(slot);
  }

  /**
   * New limits for a live stream: nothing it has counted changes, and a stream
   * that was dropping goes on until its next keyframe.
   */
  setStreamLimits(slot: number, onExceed: OnExceed, own: OwnRates, now: number): void {
    const at = streamAt(slot, 0);
    this.streams[at + STREAM.MODE] = MODE_OF[onExceed];
    for (const [name, field] of OWN_FIELDS) {
      const onMediaClock = field === STREAM.NODE_FPS_MEDIA;
      const clock = onMediaClock ? Math.max(0, this.streams[at + STREAM.LAST_DTS]!) : now;
      this.setRate(this.streams[at + field]!, own[name], clock);
    }
  }

  #writeRate(at: number, rate: NodeRate): void {
    this.nodes[at + NODE.INTERVAL] = intervalMs(rate.ratePerSec);
    this.nodes[at + NODE.TAU] = rate.tauMs;
    this.nodes[at + NODE.DEBT_MAX] = rate.debtMaxMs;
  }
}
