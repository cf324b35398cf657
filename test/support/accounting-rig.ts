import { type Accounting, KIND, type MessageMeta } from '../../src/core/meter/accounting.ts';
import {
  FLAG,
  MODE,
  NODE,
  NODE_STRIDE,
  nodeAt,
  STREAM,
  STREAM_STRIDE,
  streamAt,
} from '../../src/core/meter/slab-layout.ts';

/** An implementation under test, over tables that the test can read and write. */
export type MakeAccounting = (nodes: Float64Array, streams: Float64Array) => Accounting;

export interface NodeSetting {
  intervalMs: number;
  tauMs: number;
  debtMaxMs: number;
}

/** 1 byte per ms, a burst of a second, half a second of debt: numbers that can be followed by hand. */
export const KILO = { intervalMs: 1, tauMs: 1000, debtMaxMs: 500 };
export const UNLIMITED = { intervalMs: 0, tauMs: 1000, debtMaxMs: 500 };
export const CLOSED = { intervalMs: Infinity, tauMs: 1000, debtMaxMs: 500 };
/** 10 units a second, a burst of two seconds. */
export const TEN = { intervalMs: 100, tauMs: 2000, debtMaxMs: 500 };

export type Place = 'bitrate' | 'packets' | 'fpsWall' | 'fpsMedia' | 'client' | 'ip' | 'global';

const PLACES: readonly Place[] = ['bitrate', 'packets', 'fpsWall', 'fpsMedia', 'client', 'ip', 'global'];
const STREAM_ROWS = 4;
const OWN_NODES = 4;

/** EXCEEDED bit of a place. */
export function bitOf(...places: Place[]): number {
  return places.reduce((bits, place) => bits | (1 << PLACES.indexOf(place)), 0);
}

/** A video frame of a thousand bytes that others refer to, unless said otherwise. */
export function frame(over: Partial<MessageMeta> = {}): MessageMeta {
  const frames = over.frames ?? 1;
  return {
    bytes: 1000,
    kind: KIND.VIDEO,
    frames,
    allFrames: frames,
    keyframe: false,
    header: false,
    disposable: false,
    metadata: false,
    dts: 0,
    packets: 1,
    ...over,
  };
}

export function audio(over: Partial<MessageMeta> = {}): MessageMeta {
  return frame({ bytes: 100, kind: KIND.AUDIO, frames: 0, ...over });
}

/**
 * Four streams over a slab: each has nodes of its own, all share one client,
 * one address and one server node. Nodes not set are unlimited.
 */
export class AccountingRig {
  readonly nodes = new Float64Array((STREAM_ROWS * OWN_NODES + 3) * NODE_STRIDE);
  readonly streams = new Float64Array(STREAM_ROWS * STREAM_STRIDE);
  readonly accounting: Accounting;

  constructor(make: MakeAccounting) {
    this.accounting = make(this.nodes, this.streams);
    for (let slot = 0; slot < STREAM_ROWS; slot++) {
      for (const [index, place] of PLACES.entries()) {
        this.write(slot, STREAM.NODE_BITRATE + index, this.nodeOf(slot, place));
      }
      this.write(slot, STREAM.FLAGS, FLAG.IN_USE);
      this.write(slot, STREAM.LAST_DTS, -1);
    }
  }

  nodeOf(slot: number, place: Place): number {
    const index = PLACES.indexOf(place);
    return index < OWN_NODES ? slot * OWN_NODES + index : STREAM_ROWS * OWN_NODES + index - OWN_NODES;
  }

  set(slot: number, place: Place, setting: NodeSetting): void {
    const at = nodeAt(this.nodeOf(slot, place), 0);
    this.nodes[at + NODE.INTERVAL] = setting.intervalMs;
    this.nodes[at + NODE.TAU] = setting.tauMs;
    this.nodes[at + NODE.DEBT_MAX] = setting.debtMaxMs;
  }

  mode(slot: number, mode: keyof typeof MODE): void {
    this.write(slot, STREAM.MODE, MODE[mode]);
  }

  exempt(slot: number, on: boolean): void {
    this.#flag(slot, FLAG.EXEMPT, on);
  }

  /** Its transport cannot be slowed. */
  lossy(slot: number, on: boolean): void {
    this.#flag(slot, FLAG.LOSSY, on);
  }

  #flag(slot: number, bit: number, on: boolean): void {
    const flags = this.read(slot, 'FLAGS');
    this.write(slot, STREAM.FLAGS, on ? flags | bit : flags & ~bit);
  }

  node(slot: number, place: Place, field: keyof typeof NODE): number {
    return this.nodes[nodeAt(this.nodeOf(slot, place), NODE[field])]!;
  }

  read(slot: number, field: keyof typeof STREAM): number {
    return this.streams[streamAt(slot, STREAM[field])]!;
  }

  write(slot: number, field: number, value: number): void {
    this.streams[streamAt(slot, field)] = value;
  }

  /** One read that completes these messages. */
  feed(slot: number, now: number, ...messages: MessageMeta[]): { admitted: boolean[]; delayMs: number } {
    const admitted = messages.map((message) => this.accounting.admit(slot, message, now));
    return { admitted, delayMs: this.accounting.settle(slot, now) };
  }

  admit(slot: number, now: number, message: MessageMeta): boolean {
    return this.feed(slot, now, message).admitted[0]!;
  }
}
