import {
  type EngineOptions,
  IO_LENGTH,
  loadNative,
  type NativeAddon,
  type NativeEngine,
  OUTBOX_BYTES,
} from './binding.ts';
import { OutboxReader } from './outbox.ts';

/** An engine with the memory it shares with JavaScript. */
export interface EngineSet {
  readonly engine: NativeEngine;
  /** result registers, see `IO` */
  readonly io: Float64Array;
  readonly outbox: OutboxReader;
  /** names of protocol errors by number */
  readonly engineErrors: readonly string[];
  /** see `NativeAddon.setReceiveLowWater` */
  readonly setReceiveLowWater: NativeAddon['setReceiveLowWater'];
  /** see `NativeAddon.tcpFigures` */
  readonly tcpFigures: NativeAddon['tcpFigures'];
  /** see `NativeAddon.peerGone` */
  readonly peerGone: NativeAddon['peerGone'];
}

/** Makes the engine of one server over the slab's tables. Throws HG_NATIVE_MISSING. */
export function createEngine(
  slab: { readonly nodes: Float64Array; readonly streams: Float64Array },
  options: EngineOptions,
): EngineSet {
  const addon = loadNative();
  const io = new Float64Array(IO_LENGTH);
  const outbox = new Uint8Array(OUTBOX_BYTES);
  const engine = new addon.Engine(slab.nodes, slab.streams, outbox, io, options);
  return {
    engine,
    io,
    outbox: new OutboxReader(outbox),
    engineErrors: addon.errors,
    setReceiveLowWater: addon.setReceiveLowWater,
    peerGone: addon.peerGone,
    tcpFigures: addon.tcpFigures,
  };
}
