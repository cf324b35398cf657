/**
 * Two servers in one process, as a program would embed them. It prints where
 * they listen, stops both when its standard input ends, and then ends by
 * itself: unless something of them is left.
 */
import { once } from 'node:events';
import { createServer, type ServerOptions } from '../../src/index.ts';

const options: ServerOptions = {
  listen: { rtmp: '127.0.0.1:0', srt: '127.0.0.1:0', playback: '127.0.0.1:0', admin: '127.0.0.1:0' },
  resources: { cpu: null, heap: null, memory: null, event_loop: null },
  limits: { stream: { max_bitrate: '4Mbps' } },
};
const servers = [createServer(options), createServer({ ...options, node: { id: 'second' } })];
for (const [index, server] of servers.entries()) {
  server.on('stream', ({ type, stream }) => {
    process.stdout.write(`${JSON.stringify({ index, type, path: stream.path })}\n`);
  });
  await server.start();
}
const signals = process.eventNames();
process.stdout.write(
  `${JSON.stringify({ listening: servers.map((server) => server.listening), signals })}\n`,
);
process.stdin.resume();
await once(process.stdin, 'end');
for (const server of servers) await server.stop();
process.stdout.write(`${JSON.stringify({ left: process.getActiveResourcesInfo() })}\n`);
