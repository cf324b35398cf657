import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { NODE_STRIDE, STREAM_STRIDE } from '../../src/core/meter/slab-layout.ts';
import { type EngineOptions, IO, IO_LENGTH, loadNative, OUTBOX_BYTES } from '../../src/native/binding.ts';
import { OutboxReader } from '../../src/native/outbox.ts';

/** C0 and C1, or C2: RTMP 1.0 section 5.2. */
const HANDSHAKE_BYTES = 1536;

const COMMAND_AMF0 = 20;

/** An engine with its shared memory, as a server sets it up. */
export function createRig(options: EngineOptions = { gopBytesPerStream: 8e6, gopBytesTotal: 64e6 }) {
  const { Engine } = loadNative();
  const nodes = new Float64Array(16 * NODE_STRIDE);
  const streams = new Float64Array(4 * STREAM_STRIDE).fill(0);
  const outboxBytes = new Uint8Array(OUTBOX_BYTES);
  const io = new Float64Array(IO_LENGTH);
  const engine = new Engine(nodes, streams, outboxBytes, io, options);
  return { engine, nodes, streams, io, outbox: new OutboxReader(outboxBytes) };
}

const number = (value: number) => {
  const bytes = Buffer.alloc(9);
  bytes.writeDoubleBE(value, 1);
  return bytes;
};
const text = (value: string) => Buffer.concat([Buffer.of(2, 0, value.length), Buffer.from(value)]);
const NULL = Buffer.of(5);
const status = (code: string) =>
  Buffer.concat([
    Buffer.from([3, 0, 5]),
    Buffer.from('level'),
    text('status'),
    Buffer.from([0, 4]),
    Buffer.from('code'),
    text(code),
    Buffer.of(0, 0, 9),
  ]);

/** A command as one chunk; all are shorter than the chunk size. */
function command(streamId: number, ...values: Buffer[]): Buffer {
  const body = Buffer.concat(values);
  const header = Buffer.of(3, 0, 0, 0, 0, 0, body.length, COMMAND_AMF0, streamId, 0, 0, 0);
  return Buffer.concat([header, body]);
}

/** Just enough of a server for an encoder to publish to. */
function answer(name: string, transaction: number): Buffer | null {
  switch (name) {
    case 'connect':
      return command(0, text('_result'), number(transaction), NULL, status('NetConnection.Connect.Success'));
    case 'createStream':
      return command(0, text('_result'), number(transaction), NULL, number(1));
    case 'publish':
      return command(1, text('onStatus'), number(0), NULL, status('NetStream.Publish.Start'));
    default:
      return null;
  }
}

async function record(socket: Socket): Promise<Buffer> {
  const { engine, io, outbox } = createRig();
  const id = engine.open();
  const chunks: Buffer[] = [];
  let head = Buffer.alloc(0);
  let greeted = false;
  socket.on('data', (bytes) => {
    let input = bytes;
    if (head.length < 1 + 2 * HANDSHAKE_BYTES) {
      head = Buffer.concat([head, bytes]);
      if (!greeted && head.length > HANDSHAKE_BYTES) {
        greeted = true;
        const hello = head.subarray(1, 1 + HANDSHAKE_BYTES);
        socket.write(Buffer.concat([Buffer.of(3), Buffer.alloc(HANDSHAKE_BYTES), hello]));
      }
      if (head.length < 1 + 2 * HANDSHAKE_BYTES) return;
      input = head.subarray(1 + 2 * HANDSHAKE_BYTES);
      head = head.subarray(0, 1 + 2 * HANDSHAKE_BYTES);
    }
    chunks.push(Buffer.from(input));
    for (let offset = 0; offset < input.length; offset += io[IO.CONSUMED]!) {
      engine.feed(id, input, offset, input.length - offset, 0);
      outbox.rewind(io[IO.EVENTS]!);
      while (outbox.next()) {
        const payload = Buffer.from(outbox.payload());
        if (outbox.type !== COMMAND_AMF0) continue;
        const nameEnd = 3 + payload.readUInt16BE(1);
        const reply = answer(payload.toString('latin1', 3, nameEnd), payload.readDoubleBE(nameEnd + 1));
        if (reply !== null) socket.write(reply);
      }
    }
  });
  await once(socket, 'close');
  return Buffer.concat(chunks);
}

/**
 * A server for one publisher that keeps every byte of its chunk stream, from
 * behind the handshake to the end.
 */
export async function openSink(): Promise<{ url: string; recording: Promise<Buffer> }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const recording = once(server, 'connection').then(async ([socket]) => {
    const bytes = await record(socket as Socket);
    server.close();
    return bytes;
  });
  return { url: `rtmp://127.0.0.1:${(server.address() as AddressInfo).port}/live/key`, recording };
}
