/**
 * A stream that keeps to its limits must never be touched:
 * `node bench/load/compliant.ts [SECONDS]`. Two streams of 30 fps at a limit
 * of 30, at 89 % of their bitrate limit, keyframes ten times an inter frame
 * every two seconds, arrival jittered by 2 ms; one under throttle, one under drop.
 */
import { RtmpClient } from '../../test/support/rtmp-client.ts';
import { TestServer } from '../../test/support/server.ts';

const seconds = Number(process.argv[2] ?? 60);
const LIMIT_BPS = 2_000_000;
const FPS = 30;
const GOP = 60;
const JITTER_MS = 2;

const bytesPerGop = (0.89 * LIMIT_BPS * 2) / 8;
const inter = Math.floor(bytesPerGop / (GOP - 1 + 10));

/** H.264 in FLV: frame type and codec, packet type, composition time, then one NAL unit. */
function frame(key: boolean): Buffer {
  const bytes = key ? inter * 10 : inter;
  const body = Buffer.alloc(bytes, 0x5a);
  body.writeUInt8(key ? 0x17 : 0x27, 0);
  body.writeUIntBE(0x01000000, 1, 4);
  body.writeUInt32BE(bytes - 9, 5);
  body.writeUInt8(key ? 0x65 : 0x61, 9);
  return body;
}

const server = await TestServer.start({
  config: `
limits:
  stream: { max_bitrate: 2Mbps, max_fps: 30fps, max_packets_per_sec: 60/s, on_exceed: throttle, grace: 3s }
policies:
  - { name: dropping, match: { stream: dropped }, stream: { on_exceed: drop } }`,
});

async function play(name: string): Promise<void> {
  const client = await RtmpClient.open({ port: server.ports.rtmp });
  client.setChunkSize(4096);
  const status = await client.publish('live', name);
  if (status.code !== 'NetStream.Publish.Start') throw new Error(status.description);
  const keyframe = frame(true);
  const other = frame(false);
  const began = performance.now();
  for (let i = 0; i < seconds * FPS; i++) {
    const due = began + (i * 1000) / FPS + (Math.random() * 2 - 1) * JITTER_MS;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const payload = i % GOP === 0 ? keyframe : other;
    client.sendTag({ type: 9, timestamp: Math.round((i * 1000) / FPS), payload });
  }
}

const playing = Promise.all([play('throttled'), play('dropped')]);
await playing;
for (const stream of await server.streams()) {
  const { usage, state, path, limits } = stream;
  const { bitrate_avg_bps, fps, frames, violations, throttled_ms, dropped_frames } = usage;
  console.log(
    `${path} (${limits.on_exceed}): ${state}, ${frames} frames, ${(bitrate_avg_bps / 1e6).toFixed(2)} Mbit/s on average, ${fps} fps; ` +
      `violations ${violations}, held back ${throttled_ms} ms, dropped ${dropped_frames}`,
  );
}
console.log(`receipts: ${(await server.receipts()).length}`);
await server.stop();
process.exit(0);
