/**
 * A node-media-server application with the gate before it, in a process of its
 * own: what somebody who has one would write. It prints a JSON line for each
 * event, and answers lines of JSON on its standard input.
 *
 * Arguments: the config of node-media-server and the options of `attach`, as JSON.
 */
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { attach, type NodeMediaServerLike } from '../../src/index.ts';

interface Session {
  readonly streamPath: string;
  readonly ip: string;
  readonly inBytes: number;
  close(): void;
}

type NodeMediaServer = NodeMediaServerLike & {
  on(event: string, listener: (session: Session) => void): void;
};

const NodeMediaServer = createRequire(import.meta.url)('node-media-server') as new (
  config: object,
) => NodeMediaServer;

const [config = '', options = ''] = process.argv.slice(2);
const tell = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

const nms = new NodeMediaServer({
  bind: '127.0.0.1',
  ...(JSON.parse(config) as object),
  store: { path: path.join(tmpdir(), `headgate-nms-${process.pid}`) },
  record: { auto: false },
});
const gate = attach(nms, JSON.parse(options));
gate.on('receipt', (receipt) => tell({ event: 'receipt', receipt }));
gate.on('stream', ({ type, stream }) => {
  if (type === 'ended') tell({ event: 'over', path: stream.path });
});
for (const event of ['prePublish', 'postPublish', 'donePublish', 'postPlay']) {
  nms.on(event, (session) => {
    tell({ event, path: session.streamPath, ip: session.ip });
    // What an application does that knows its publishers.
    if (event === 'prePublish' && session.streamPath.endsWith('-unwanted')) session.close();
  });
}
await nms.run();
tell({ event: 'ready' });

createInterface({ input: process.stdin }).on('line', async (line) => {
  const ask = JSON.parse(line) as { do: 'streams' | 'kick' | 'stop'; id?: string };
  if (ask.do === 'streams') tell({ event: 'streams', streams: gate.streams() });
  if (ask.do === 'kick') tell({ event: 'kicked', receipt: gate.kick(ask.id ?? '', { cooldown: '1s' }) });
  if (ask.do === 'stop') {
    await nms.stop();
    process.stdin.destroy();
    tell({ event: 'stopped', handles: process.getActiveResourcesInfo() });
  }
});
