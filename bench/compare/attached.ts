/**
 * What the gate costs a node-media-server application: CPU of the same
 * application with and without `attach`, under the same publishers.
 *
 *     node bench/compare/attached.ts [publishers = 10] [seconds = 10]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { attach, type NodeMediaServerLike } from '../../src/index.ts';
import { clip, Publisher } from '../../test/support/ffmpeg.ts';
import { pause } from '../../test/support/server.ts';

const RTMP_PORT = 29_350;
const KBPS = 2_500;
/** Until every encoder has its first frames through, ms. */
const SETTLE_MS = 4_000;

async function serve(gated: boolean): Promise<void> {
  const NodeMediaServer = createRequire(import.meta.url)('node-media-server') as new (
    config: object,
  ) => NodeMediaServerLike;
  const store = { path: path.join(tmpdir(), `headgate-bench-${process.pid}`) };
  const nms = new NodeMediaServer({
    bind: '127.0.0.1',
    rtmp: { port: RTMP_PORT },
    store,
    record: { auto: false },
  });
  if (gated) {
    attach(nms, {
      limits: {
        client: { max_streams: 'unlimited', max_bandwidth: 'unlimited' },
        ip: { max_connections: 'unlimited', connection_rate: 'unlimited' },
      },
      resources: { cpu: null, heap: null, memory: null, event_loop: null },
    });
  }
  await nms.run();
  process.on('message', () => process.send?.(process.cpuUsage()));
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}

async function measure(gated: boolean, publishers: number, seconds: number): Promise<number> {
  const file = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, [file, gated ? 'gated' : 'bare'], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const cpuSeconds = async (): Promise<number> => {
    child.send('cpu');
    const [usage] = (await once(child, 'message')) as [NodeJS.CpuUsage];
    return (usage.user + usage.system) / 1e6;
  };
  await once(child, 'message');
  const encoders = Array.from({ length: publishers }, (_, n) => {
    return new Publisher(clip({ kbps: KBPS }), `rtmp://127.0.0.1:${RTMP_PORT}/live/s${n}`);
  });
  try {
    await pause(SETTLE_MS);
    const before = await cpuSeconds();
    await pause(seconds * 1_000);
    const spent = (await cpuSeconds()) - before;
    const left = encoders.filter((encoder) => !encoder.alive).length;
    if (left > 0) throw new Error(`${left} encoders left`);
    return spent;
  } finally {
    for (const encoder of encoders) await encoder.stop();
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

const [role = '10', seconds = '10'] = process.argv.slice(2);
if (role === 'gated' || role === 'bare') await serve(role === 'gated');
else {
  for (const gated of [false, true]) {
    const spent = await measure(gated, Number(role), Number(seconds));
    console.log(
      `${gated ? 'with' : 'without'} the gate: ${spent.toFixed(2)} CPU s for ${role} x ${KBPS} kbit/s x ${seconds} s`,
    );
  }
}
