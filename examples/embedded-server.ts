/**
 * The whole ingest server inside a program of yours.
 *
 *     node examples/embedded-server.ts
 *     ffmpeg -re -i clip.flv -c copy -f flv rtmp://127.0.0.1:1935/live/cam1
 */
import { createServer, HeadgateError } from 'headgate';

const rtmpPort = process.env['RTMP_PORT'] ?? '1935';

// The config file's own shape, units included; what is left out has the same default.
const server = createServer({
  listen: { rtmp: `127.0.0.1:${rtmpPort}`, srt: null, playback: null, admin: null },
  limits: {
    client: { max_streams: 2 },
    stream: { max_bitrate: '4Mbps', on_exceed: 'throttle', grace: '30s' },
  },
  timeouts: { drain: '3s' },
  // Left out, it refuses publishers while the machine itself is short of something.
  resources: { cpu: null, heap: null, memory: null, event_loop: null },
});

server.on('stream', ({ type, stream }) => console.log(`${stream.path} ${type}`));
server.on('receipt', ({ action, reason, path, detail }) =>
  console.log(`${action} ${path}: ${reason}, ${detail}`),
);

try {
  await server.start();
} catch (error) {
  if (!(error instanceof HeadgateError)) throw error;
  // HG_LISTEN, HG_TLS, HG_SRT_MISSING: one sentence that says what to do.
  console.error(error.message);
  process.exit(1);
}
console.log(`rtmp://127.0.0.1:${server.listening.rtmp?.port}/live/NAME`);

const report = setInterval(() => {
  for (const { path, usage, limits } of server.streams())
    console.log(`${path} ${usage.bitrate_bps} of ${limits.max_bitrate_bps} bit/s`);
}, 1_000);

process.once('SIGTERM', async () => {
  clearInterval(report);
  await server.drain();
  console.log('drained');
});
