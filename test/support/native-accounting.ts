import { createRequire } from 'node:module';
import type { Accounting, MessageMeta } from '../../src/core/meter/accounting.ts';

/** The class the addon exports for tests and benchmarks. */
export interface AccountingProbe {
  admit(slot: number, message: Float64Array, now: number): boolean;
  settle(slot: number, now: number): number;
  account(slot: number, bytes: number, packets: number, frames: number, now: number): number;
  /** Gives all messages as one read and settles, `reads` times, `stepMs` apart, in one call. */
  replay(slot: number, messages: Float64Array, reads: number, stepMs: number, now: number): number;
}

/** Doubles of a message as the probe takes it. */
export const MESSAGE_STRIDE = 9;

const addon = createRequire(import.meta.url)('../../build/Release/headgate.node') as {
  AccountingProbe: new (nodes: Float64Array, streams: Float64Array) => AccountingProbe;
};

export const { AccountingProbe: NativeProbe } = addon;

export function pack(message: MessageMeta, into: Float64Array, at: number): void {
  into[at] = message.bytes;
  into[at + 1] = message.kind;
  into[at + 2] = message.frames;
  into[at + 3] = message.allFrames;
  into[at + 4] = message.keyframe ? 1 : 0;
  into[at + 5] = message.header ? 1 : 0;
  into[at + 6] = message.disposable ? 1 : 0;
  into[at + 7] = message.metadata ? 1 : 0;
  into[at + 8] = message.dts;
}

/** The native accounting behind the interface of its twin. */
export class NativeAccounting implements Accounting {
  readonly #probe: AccountingProbe;
  readonly #message = new Float64Array(MESSAGE_STRIDE);

  constructor(nodes: Float64Array, streams: Float64Array) {
    this.#probe = new NativeProbe(nodes, streams);
  }

  admit(slot: number, message: MessageMeta, now: number): boolean {
    pack(message, this.#message, 0);
    return this.#probe.admit(slot, this.#message, now);
  }

  settle(slot: number, now: number): number {
    return this.#probe.settle(slot, now);
  }

  account(slot: number, bytes: number, packets: number, frames: number, now: number): number {
    return this.#probe.account(slot, bytes, packets, frames, now);
  }
}
