/**
 * Limits on an application of node-media-server: three lines.
 *
 *     node examples/attach.ts
 *     ffmpeg -re -i clip.flv -c copy -f flv rtmp://127.0.0.1:1935/live/cam1
 */
import { attach, type NodeMediaServerLike } from 'headgate';
// It brings no types of its own.
// @ts-expect-error
import NodeMediaServer from 'node-media-server';

const config = {
  bind: '127.0.0.1',
  rtmp: { port: Number(process.env['RTMP_PORT'] ?? 1935) },
  http: { port: Number(process.env['HTTP_PORT'] ?? 8000) },
  store: { path: process.env['STORE'] ?? './data' },
  record: { auto: false },
};

const nms: NodeMediaServerLike = new NodeMediaServer(config);
const gate = attach(nms, {
  limits: { client: { max_streams: 2 }, stream: { max_bitrate: '4Mbps' } },
  // Left out, it refuses publishers while the machine itself is short of something.
  resources: { cpu: null, heap: null, memory: null, event_loop: null },
});
await nms.run();

gate.on('receipt', ({ action, reason, path, id }) => console.log(`${action} ${path}: ${reason} (${id})`));
console.log('attached');

process.once('SIGTERM', async () => {
  await nms.stop();
  console.log('stopped');
});
