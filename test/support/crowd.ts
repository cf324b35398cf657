import { RtmpClient } from './rtmp-client.ts';

/**
 * Many publishers in a process of their own, so that they can all vanish in
 * one kill -9: `node crowd.ts PORT COUNT`. Prints `live` when all publish.
 */

const [port = '1935', count = '100'] = process.argv.slice(2);

/** Publishers that connect side by side. */
const LANES = 20;

/** Between two messages of each, ms. */
const TALK_MS = 250;

const clients: RtmpClient[] = [];
let next = 0;

async function lane(): Promise<void> {
  for (let i = next++; i < Number(count); i = next++) {
    const client = await RtmpClient.open({ port: Number(port) });
    const { code } = await client.publish('live', `crowd${i}`);
    if (code !== 'NetStream.Publish.Start') throw new Error(code);
    clients.push(client);
    say(client, 0);
  }
}

/** A keyframe, and then a message that never ends: both must be forgotten with their sender. */
function say(client: RtmpClient, timestamp: number): void {
  const frame = Buffer.concat([Buffer.from([0x17, 1, 0, 0, 0]), Buffer.alloc(3_000, timestamp & 255)]);
  client.send({ type: 9, csid: 6, streamId: 1, timestamp, payload: frame });
  const unfinished = {
    type: 8,
    csid: 4,
    streamId: 1,
    timestamp,
    payload: Buffer.alloc(500),
    declaredLength: 9_000,
  };
  if (timestamp === 0) client.send(unfinished);
}

await Promise.all(Array.from({ length: LANES }, lane));
process.stdout.write('live\n');
let timestamp = 0;
setInterval(() => {
  timestamp += TALK_MS;
  for (const client of clients) say(client, timestamp);
}, TALK_MS);
