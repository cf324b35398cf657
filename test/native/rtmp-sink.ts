import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createRig } from './rig.ts';

/** C0 and C1, or C2: RTMP 1.0 section 5.2. */
const HANDSHAKE_BYTES = 1536;

const COMMAND_AMF0 = 20;

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

/** Collects the chunk stream of a connection, behind the handshake, and answers its commands. */
async function record(socket: Socket): Promise<Buffer> {
  const { engine, feed } = createRig();
  const id = engine.open();
  const chunks: Buffer[] = [];
  let hello = Buffer.alloc(0);
  socket.on('data', (bytes) => {
    let input = bytes;
    if (hello.length < 1 + 2 * HANDSHAKE_BYTES) {
      const greeted = hello.length > HANDSHAKE_BYTES;
      hello = Buffer.concat([hello, bytes]);
      if (!greeted && hello.length > HANDSHAKE_BYTES) {
        const echo = hello.subarray(1, 1 + HANDSHAKE_BYTES);
        socket.write(Buffer.concat([Buffer.of(3), Buffer.alloc(HANDSHAKE_BYTES), echo]));
      }
      input = hello.subarray(1 + 2 * HANDSHAKE_BYTES);
    }
    chunks.push(Buffer.from(input));
    for (const { type, payload } of feed(id, input).messages) {
      if (type !== COMMAND_AMF0) continue;
      const body = Buffer.from(payload);
      const nameEnd = 3 + body.readUInt16BE(1);
      const reply = answer(body.toString('latin1', 3, nameEnd), body.readDoubleBE(nameEnd + 1));
      if (reply !== null) socket.write(reply);
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
