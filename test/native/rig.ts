import {
  CONSTRAINTS,
  FLAG,
  NODE,
  NODE_STRIDE,
  nodeAt,
  STREAM,
  STREAM_STRIDE,
  streamAt,
} from '../../src/core/meter/slab-layout.ts';
import { type EngineOptions, IO, IO_LENGTH, loadNative, OUTBOX_BYTES } from '../../src/native/binding.ts';
import { type OutboxMessage, OutboxReader } from '../../src/native/outbox.ts';

const SLOTS = 4;
const ROOMY: EngineOptions = { gopBytesPerStream: 8e6, gopBytesTotal: 64e6 };

export interface Drained {
  /** the last delay; -1 after a protocol error */
  readonly delay: number;
  readonly messages: OutboxMessage[];
}

/** An engine with its shared memory, as a server sets it up. Its slots are consumed and have no limits. */
export function createRig(options: EngineOptions = ROOMY) {
  const { Engine } = loadNative();
  const nodes = new Float64Array(16 * NODE_STRIDE);
  const streams = new Float64Array(SLOTS * STREAM_STRIDE);
  for (let slot = 0; slot < SLOTS; slot++) {
    streams.fill(-1, streamAt(slot, STREAM.NODE_BITRATE), streamAt(slot, STREAM.NODE_GLOBAL) + 1);
    streams[streamAt(slot, STREAM.LAST_DTS)] = -1;
    streams[streamAt(slot, STREAM.FLAGS)] = FLAG.IN_USE | FLAG.CONSUMED;
  }
  const outboxBytes = new Uint8Array(OUTBOX_BYTES);
  const io = new Float64Array(IO_LENGTH);
  const engine = new Engine(nodes, streams, outboxBytes, io, options);
  const outbox = new OutboxReader(outboxBytes);

  const drain = (messages: OutboxMessage[]) => {
    outbox.rewind(io[IO.EVENTS]!);
    while (outbox.next()) {
      const { payload, ...rest } = outbox.message();
      messages.push({ ...rest, payload: Uint8Array.from(payload) });
    }
  };

  /** Feeds all of it, draining the outbox as often as need be. */
  const feed = (id: number, input: Uint8Array, now = 0): Drained => {
    const messages: OutboxMessage[] = [];
    let offset = 0;
    let delay = 0;
    do {
      delay = engine.feed(id, input, offset, input.length - offset, now);
      offset += io[IO.CONSUMED]!;
      drain(messages);
    } while (delay !== -1 && (offset < input.length || io[IO.MORE] === 1));
    return { delay, messages };
  };

  /** All that a joining player gets. */
  const replay = (slot: number): OutboxMessage[] => {
    const messages: OutboxMessage[] = [];
    let cursor = 0;
    while (cursor >= 0) {
      cursor = engine.gop(slot, cursor);
      drain(messages);
    }
    return messages;
  };

  /** A new connection that publishes on `slot`. */
  const publisher = (slot: number): number => {
    const id = engine.open();
    engine.attach(id, slot, 1);
    return id;
  };

  /** Gives `slot` a bitrate limit with a second of burst, on node `slot`. */
  const limit = (slot: number, bytesPerSecond: number) => {
    streams[streamAt(slot, STREAM.NODE_BITRATE + CONSTRAINTS.indexOf('stream_bitrate'))] = slot;
    nodes[nodeAt(slot, NODE.INTERVAL)] = 1000 / bytesPerSecond;
    nodes[nodeAt(slot, NODE.TAU)] = 1000;
    nodes[nodeAt(slot, NODE.DEBT_MAX)] = 10_000;
  };

  const read = (slot: number, field: number): number => streams[streamAt(slot, field)]!;
  const write = (slot: number, field: number, value: number) => {
    streams[streamAt(slot, field)] = value;
  };
  return { engine, io, nodes, streams, feed, replay, publisher, limit, read, write };
}
