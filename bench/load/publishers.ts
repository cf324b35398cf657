/**
 * Many publishers in one process: `node bench/load/publishers.ts PORT COUNT
 * SECONDS paced` or `... PORT COUNT MEGABYTES full`. Prints `go` when all
 * publish, then `done BYTES MS` when all has been sent and taken.
 */
import net from 'node:net';
import { CHUNK_BYTES, type Recording, record } from './recording.ts';

const [port = '1935', count = '200', amount = '20', pace = 'paced'] = process.argv.slice(2);
const paced = pace === 'paced';
/** Timer period of the paced senders, ms: a frame at 30 fps is 33 ms. */
const TICK_MS = 10;

const recording = record(paced ? Number(amount) + 1 : 35);
const fullBytes = Number(amount) * 1e6;

function string(text: string): Buffer {
  return Buffer.concat([Buffer.of(2, text.length >> 8, text.length & 255), Buffer.from(text)]);
}

function number(value: number): Buffer {
  const out = Buffer.alloc(9);
  out.writeDoubleBE(value, 1);
  return out;
}

function property(name: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0, name.length), Buffer.from(name), value]);
}

function command(streamId: number, ...values: Buffer[]): Buffer {
  const body = Buffer.concat(values);
  const header = Buffer.alloc(12);
  header[0] = 3;
  header.writeUIntBE(body.length, 4, 3);
  header[7] = 20;
  header.writeUInt32LE(streamId, 8);
  return Buffer.concat([header, body]);
}

const NULL = Buffer.of(5);
const SET_CHUNK_SIZE = Buffer.concat([
  Buffer.of(2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0),
  Buffer.of(0, 0, CHUNK_BYTES >> 8, CHUNK_BYTES & 255),
]);

/** Resolves once `Publish.Start` has come. */
function publish(name: string): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
    let seen = '';
    let step = 0;
    socket.on('error', reject);
    socket.on('connect', () => socket.write(Buffer.concat([Buffer.of(3), Buffer.alloc(1536)])));
    socket.on('data', (bytes) => {
      if (step > 3) return;
      seen += bytes.toString('latin1');
      if (step === 0 && seen.length >= 3073) {
        step = 1;
        const app = Buffer.concat([
          Buffer.of(3),
          property('app', string('live')),
          property('tcUrl', string('rtmp://127.0.0.1/live')),
          Buffer.of(0, 0, 9),
        ]);
        socket.write(
          Buffer.concat([Buffer.alloc(1536), SET_CHUNK_SIZE, command(0, string('connect'), number(1), app)]),
        );
      } else if (step === 1 && seen.includes('Connect.Success')) {
        step = 2;
        socket.write(command(0, string('createStream'), number(2), NULL));
        setTimeout(
          () => socket.write(command(1, string('publish'), number(3), NULL, string(name), string('live'))),
          20,
        );
      } else if (step === 2 && seen.includes('Publish.Start')) {
        step = 4;
        resolve(socket);
      }
    });
  });
}

function startPaced(sockets: net.Socket[], { bytes, ends, dueMs }: Recording): Promise<void> {
  const began = performance.now();
  // Publishers do not share a clock: each begins somewhere within a frame.
  const offsets = sockets.map((_, i) => (i * 33) / sockets.length);
  const next = new Int32Array(sockets.length);
  const stopMs = Number(amount) * 1000;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const elapsed = performance.now() - began;
      sockets.forEach((socket, i) => {
        let at = next[i] as number;
        const from = at === 0 ? 0 : (ends[at - 1] as number);
        while (at < dueMs.length && (dueMs[at] as number) <= elapsed - (offsets[i] as number)) at++;
        if (at === next[i]) return;
        next[i] = at;
        socket.write(bytes.subarray(from, ends[at - 1]));
      });
      if (elapsed < stopMs) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
}

async function startFull(sockets: net.Socket[], { bytes, ends }: Recording): Promise<void> {
  const end = ends.find((at) => at >= fullBytes) ?? bytes.length;
  await Promise.all(
    sockets.map(async (socket) => {
      for (let at = 0; at < end; at += 262_144) {
        if (!socket.write(bytes.subarray(at, Math.min(end, at + 262_144)))) {
          await new Promise((resolve) => socket.once('drain', resolve));
        }
      }
    }),
  );
}

const sockets: net.Socket[] = [];
for (let i = 0; i < Number(count); i++) sockets.push(await publish(`bench${i}`));
console.log('go');
const began = performance.now();
await (paced ? startPaced(sockets, recording) : startFull(sockets, recording));
while (sockets.some((socket) => socket.writableLength > 0))
  await new Promise((resolve) => setTimeout(resolve, 5));
const sent = sockets.reduce((sum, socket) => sum + socket.bytesWritten, 0);
console.log(`done ${sent} ${Math.round(performance.now() - began)}`);
for (const socket of sockets) socket.destroy();
