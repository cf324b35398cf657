import { afterEach, expect, test } from 'vitest';
import { Peers } from '../support/peers.ts';
import type { RtmpClient } from '../support/rtmp-client.ts';
import { pause, TestServer, until } from '../support/server.ts';

/** Publishers whose debt takes longer to repay than the pacer sleeps at a stretch. */

let server: TestServer;
let peers: Peers;

const ROOMY = 'max_fps: unlimited, max_packets_per_sec: unlimited';

async function start(limits: string, rest = ''): Promise<void> {
  server = await TestServer.start({ config: `limits: { stream: { ${limits}, ${ROOMY} } }\n${rest}` });
  peers = new Peers(server);
}

afterEach(async () => {
  peers.leave();
  await server.stop();
});

/** Sends audio messages of `bytes` as fast as they are taken, until the connection is over. */
function pour(client: RtmpClient, bytes: number): void {
  const payload = Buffer.alloc(bytes);
  payload[0] = 0xaf;
  payload[1] = 1;
  client.setChunkSize(65_536);
  const fill = (): void => {
    while (!client.socket.destroyed && client.send({ type: 8, csid: 4, streamId: 1, payload }));
  };
  client.socket.on('drain', fill);
  fill();
}

test('long messages are admitted at the limit too', async () => {
  await start('max_bitrate: 1Mbps, grace: never');
  pour(await peers.publisher('cam'), 500_000);
  await server.stream('/live/cam', ({ usage }) => usage.bytes > 0);
  await pause(6_000);
  const { usage, uptime_ms, state } = await server.stream('/live/cam');
  // A second of burst, and one message that was longer than what was left.
  expect(usage.bytes).toBeLessThanOrEqual(125_000 * (uptime_ms / 1_000 + 1) + 500_000);
  expect(state).toBe('throttled');
});

test('a publisher that is held back for longer than it may be silent is not idle', async () => {
  await start('max_bitrate: 1Mbps, grace: never', 'timeouts: { idle: 1s }');
  const client = await peers.publisher('cam');
  pour(client, 500_000);
  // Every message is three seconds and more of debt.
  await server.stream('/live/cam', ({ usage }) => usage.packets >= 3);
  expect(client.statuses.map(({ code }) => code)).toEqual(['NetStream.Publish.Start']);
});

test('long pauses are excess that goes on, and end in a cut after the grace', async () => {
  await start('max_bitrate: 1Mbps, grace: 4s');
  const client = await peers.publisher('cam');
  pour(client, 2_000_000);
  await client.closes();
  const receipts = await server.receipts('?reason=stream_bitrate');
  expect(receipts.map(({ action }) => action)).toEqual(['cut', 'throttle']);
  expect(await server.metric('headgate_throttled_seconds_total', '{scope="stream"}')).toBeGreaterThan(3.5);
});

test('a publisher that goes while it is held back for long leaves nothing behind', async () => {
  await start('max_bitrate: 100kbps, grace: never', 'timeouts: { idle: 1s }');
  const client = await peers.publisher('cam');
  client.setChunkSize(65_536);
  client.send({ type: 8, csid: 4, streamId: 1, payload: Buffer.alloc(500_000, 0xaf) });
  await server.stream('/live/cam', ({ usage }) => usage.packets === 1);
  client.socket.destroy();
  await until(async () => (await server.totals()).connections === 0, 'it to be gone');
});
