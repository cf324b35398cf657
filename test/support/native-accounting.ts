import type { Accounting, MessageMeta } from '../../src/core/meter/accounting.ts';
import { type AccountingProbe, loadNative } from '../../src/native/binding.ts';

/** Doubles of a message as the probe takes it. */
const MESSAGE_STRIDE = 10;

function pack(message: MessageMeta, into: Float64Array, at: number): void {
  into[at] = message.bytes;
  into[at + 1] = message.kind;
  into[at + 2] = message.frames;
  into[at + 3] = message.allFrames;
  into[at + 4] = message.keyframe ? 1 : 0;
  into[at + 5] = message.header ? 1 : 0;
  into[at + 6] = message.disposable ? 1 : 0;
  into[at + 7] = message.metadata ? 1 : 0;
  into[at + 8] = message.dts;
  into[at + 9] = message.packets;
}

/** The native accounting behind the interface of its twin. */
export class NativeAccounting implements Accounting {
  readonly #probe: AccountingProbe;
  readonly #message = new Float64Array(MESSAGE_STRIDE);

  constructor(nodes: Float64Array, streams: Float64Array) {
    const { AccountingProbe } = loadNative();
    this.#probe = new AccountingProbe(nodes, streams);
  }

  admit(slot: number, message: MessageMeta, now: number): boolean {
    pack(message, this.#message, 0);
    return this.#probe.admit(slot, this.#message, now);
  }

  refuse(slot: number, bytes: number, packets: number, now: number): void {
    this.#probe.refuse(slot, bytes, packets, now);
  }

  settle(slot: number, now: number): number {
    return this.#probe.settle(slot, now);
  }

  account(slot: number, bytes: number, packets: number, frames: number, now: number): number {
    return this.#probe.account(slot, bytes, packets, frames, now);
  }

  owed(slot: number, now: number): number {
    return this.#probe.owed(slot, now);
  }
}
