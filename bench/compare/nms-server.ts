/** node-media-server as its own documentation starts it, nothing added: `node bench/compare/nms-server.ts PORT FOLDER`. */
import { createRequire } from 'node:module';

const [port = '1935', folder = '.'] = process.argv.slice(2);
process.chdir(folder);
const NodeMediaServer = createRequire(import.meta.url)('node-media-server');
const server = new NodeMediaServer({
  bind: '127.0.0.1',
  rtmp: { port: Number(port) },
  record: { auto: false, path: folder },
  store: { path: folder },
});
await server.run();
console.log('ready');
