/** Publishers that send little, until they are killed: `node bench/load/light-publishers.ts PORT COUNT [FRAME_MS]`. */
import { RtmpClient } from '../../test/support/rtmp-client.ts';

const [port = '1935', count = '100', frameMs = '250'] = process.argv.slice(2);

/** Publishers that connect side by side. */
const LANES = 20;

/** Between two frames of each, ms: every stream has rates that change, and none costs much. */
const FRAME_MS = Number(frameMs);

const FRAME_BYTES = 3_000;

const clients: RtmpClient[] = [];
let next = 0;

async function lane(): Promise<void> {
  for (let i = next++; i < Number(count); i = next++) {
    const client = await RtmpClient.open({ port: Number(port) });
    const { code } = await client.publish('live', `camera-${i}`);
    if (code !== 'NetStream.Publish.Start') throw new Error(code);
    clients.push(client);
  }
}

function send(client: RtmpClient, timestamp: number): void {
  const payload = Buffer.concat([
    Buffer.from([0x17, 1, 0, 0, 0]),
    Buffer.alloc(FRAME_BYTES, timestamp & 255),
  ]);
  client.send({ type: 9, csid: 6, streamId: 1, timestamp, payload });
}

/** They send in turns, as encoders do that share no clock. */
const SLICES = 25;
let tick = 0;
setInterval(() => {
  const slice = tick++ % SLICES;
  const timestamp = Math.floor(tick / SLICES) * FRAME_MS;
  for (let i = slice; i < clients.length; i += SLICES) send(clients[i] as RtmpClient, timestamp);
}, FRAME_MS / SLICES);

await Promise.all(Array.from({ length: LANES }, lane));
