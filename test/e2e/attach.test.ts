import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, connect as dial } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AttachOptions, Receipt, StreamSnapshot } from '../../src/index.ts';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { until } from '../support/server.ts';
import { listenTlsLines } from '../support/tls-pair.ts';

type Line = {
  event: string;
  path?: string;
  receipt?: Receipt;
  streams?: StreamSnapshot[];
  handles?: string[];
};

/** A machine that is busy with tests refuses nobody. */
const UNDISTURBED = {
  resources: { cpu: null, heap: null, memory: null, event_loop: null },
  adaptive: { enabled: false },
  backpressure: { enabled: false },
} as const;

const OPTIONS: AttachOptions = {
  ...UNDISTURBED,
  limits: {
    client: { max_streams: 2 },
    stream: { max_bitrate: '1Mbps', on_exceed: 'throttle', grace: 'never', cooldown: '30s' },
  },
  policies: [
    { name: 'leave-frames-out', match: { stream: 'drop-*' }, stream: { on_exceed: 'drop' } },
    { name: 'cut', match: { stream: 'cut-*' }, stream: { on_exceed: 'disconnect', grace: '1s' } },
  ],
};

class Application {
  readonly lines: Line[] = [];
  readonly process: ChildProcess;
  readonly rtmp: number;
  readonly http: number;
  readonly rtmps: number;

  private constructor(rtmp: number, http: number, rtmps: number) {
    this.rtmp = rtmp;
    this.http = http;
    this.rtmps = rtmps;
    const file = path.resolve(import.meta.dirname, '../support/nms-app.ts');
    const config = { rtmp: { port: rtmp }, http: { port: http }, rtmps: { port: rtmps, ...tlsFiles() } };
    const args = [file, JSON.stringify(config), JSON.stringify(OPTIONS)];
    this.process = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.process.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      // Beside its own log, which is text.
      if (line.startsWith('{')) this.lines.push(JSON.parse(line) as Line);
    });
  }

  static async start(): Promise<Application> {
    const application = new Application(await freePort(), await freePort(), await freePort());
    await application.line('ready', () => true, 30_000);
    return application;
  }

  url(name: string): string {
    return `rtmp://127.0.0.1:${this.rtmp}/live/${name}`;
  }

  line(event: string, when: (line: Line) => boolean = () => true, deadlineMs?: number): Promise<Line> {
    const found = () => {
      const line = this.lines.find((one) => one.event === event && when(one));
      if (line === undefined && this.process.exitCode !== null) throw new Error('the application has ended');
      return line;
    };
    return until(found, `"${event}" of the application`, deadlineMs);
  }

  receipt(reason: string, name: string, deadlineMs?: number): Promise<Line> {
    const about = ({ receipt }: Line) => receipt?.reason === reason && receipt.path === `/live/${name}`;
    return this.line('receipt', about, deadlineMs);
  }

  heard(event: string, name: string): boolean {
    return this.lines.some((line) => line.event === event && line.path === `/live/${name}`);
  }

  ask(question: object): void {
    this.process.stdin?.write(`${JSON.stringify(question)}\n`);
  }

  async stream(name: string): Promise<StreamSnapshot> {
    const seen = this.lines.length;
    this.ask({ do: 'streams' });
    const answer = await until(
      () => this.lines.slice(seen).find((line) => line.event === 'streams'),
      'the streams of the application',
    );
    const stream = answer.streams?.find((one) => one.path === `/live/${name}`);
    if (stream === undefined) throw new Error(`${name} is not live`);
    return stream;
  }
}

const { folder } = listenTlsLines();
function tlsFiles(): { cert: string; key: string } {
  return { cert: path.join(folder, 'cert.pem'), key: path.join(folder, 'key.pem') };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

function ffmpeg(...args: string[]): Promise<{ code: number | null; stderr: string }> {
  const child = spawn('ffmpeg', ['-v', 'error', '-nostdin', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => {
    stderr += text;
  });
  return new Promise((resolve) => child.once('exit', (code) => resolve({ code, stderr })));
}

let application: Application;
const publishers: Publisher[] = [];
function publish(name: string, kbps = 2500): Publisher {
  const publisher = new Publisher(clip({ kbps }), application.url(name));
  publishers.push(publisher);
  return publisher;
}

beforeAll(async () => {
  clip({ kbps: 2500 });
  application = await Application.start();
}, 120_000);
afterAll(async () => {
  for (const publisher of publishers) await publisher.stop();
  application.process.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

test('a stream of 2.5 Mbps is held at 1 Mbps, and its players see it', async () => {
  publish('slow');
  await application.receipt('stream_bitrate', 'slow');
  const before = await application.stream('slow');
  const played = await ffmpeg('-i', application.url('slow'), '-t', '3', '-f', 'null', '-');
  expect(played).toEqual({ code: 0, stderr: '' });
  const after = await until(
    async () => {
      const now = await application.stream('slow');
      return now.uptime_ms - before.uptime_ms > 8_000 && now;
    },
    'eight seconds of it',
    30_000,
  );
  const bps = ((after.usage.bytes - before.usage.bytes) * 8_000) / (after.uptime_ms - before.uptime_ms);
  expect(bps).toBeGreaterThan(900_000);
  expect(bps).toBeLessThan(1_100_000);
  expect(after).toMatchObject({ state: 'throttled', limits: { max_bitrate_bps: 1_000_000 } });
  expect(application.heard('postPublish', 'slow')).toBe(true);
});

test('frames are left out where that is asked for, and what is left decodes', async () => {
  const publisher = publish('drop-it');
  await application.receipt('stream_bitrate', 'drop-it');
  const played = await ffmpeg('-i', application.url('drop-it'), '-t', '4', '-f', 'null', '-');
  expect(played).toEqual({ code: 0, stderr: '' });
  expect((await application.stream('drop-it')).usage.dropped_frames).toBeGreaterThan(0);
  expect(publisher.alive).toBe(true);
});

test('a stream beyond max_streams of its client is refused, and node-media-server never hears of it', async () => {
  const third = publish('third', 2500);
  expect(await third.exited).not.toBe(0);
  expect(third.stderr).toMatch(/Server error: headgate: client_streams limit=2 .*receipt=r-/);
  const { receipt } = await application.receipt('client_streams', 'third');
  expect(receipt).toMatchObject({ action: 'refuse', limit: 2, ip: '127.0.0.1', protocol: 'rtmp' });
  expect(application.heard('prePublish', 'third')).toBe(false);
});

test('a kicked publisher leaves room at once, on both sides of the gate', async () => {
  application.ask({ do: 'kick', id: (await application.stream('drop-it')).id });
  await application.receipt('kicked', 'drop-it');
  const again = await until(async () => {
    const publisher = publish('drop-it');
    const came = await Promise.race([
      publisher.exited.then(() => false),
      until(() => application.stream('drop-it').catch(() => null), 'the stream').then(() => true),
    ]);
    return came && publisher;
  }, 'the end of the cooldown');
  await again.stop();
});

test('what exceeds for the whole of grace is cut, and kept out by the cooldown', async () => {
  const first = publish('cut-me');
  expect(await first.exited).not.toBe(0);
  await application.line(
    'receipt',
    ({ receipt }) => receipt?.path === '/live/cut-me' && receipt.action === 'cut',
  );
  const second = publish('cut-me');
  expect(await second.exited).not.toBe(0);
  await application.receipt('cooldown', 'cut-me');
});

test('a publisher that the application does not want is told before it publishes', async () => {
  const unwanted = publish('un-unwanted');
  expect(await unwanted.exited).not.toBe(0);
  expect(unwanted.stderr).toContain('Server error: headgate: auth_failed');
  await application.receipt('auth_failed', 'un-unwanted');
});

test('bytes that end node-media-server by themselves end one connection', async () => {
  const socket = dial(application.rtmp, '127.0.0.1');
  const closed = once(socket, 'close');
  socket.on('error', () => {});
  socket.resume();
  // The handshake, then a video message of no length.
  socket.write(
    Buffer.concat([Buffer.of(3), Buffer.alloc(3072), Buffer.of(6, 0, 0, 0, 0, 0, 0, 9, 1, 0, 0, 0)]),
  );
  socket.write(Buffer.from('0300000000000000', 'hex'));
  socket.end();
  await closed;
  expect((await application.stream('slow')).path).toBe('/live/slow');
});

test('publishers over TLS are held like all others', async () => {
  const publisher = new Publisher(clip({ kbps: 2500 }), `rtmps://127.0.0.1:${application.rtmps}/live/secure`);
  publishers.push(publisher);
  await application.receipt('stream_bitrate', 'secure');
  expect(await application.stream('secure')).toMatchObject({ protocol: 'rtmps', ip: '127.0.0.1' });
  await publisher.stop();
  await application.line('over', ({ path: ended }) => ended === '/live/secure');
});

test('nobody publishes over HTTP, and everybody plays', async () => {
  const base = `http://127.0.0.1:${application.http}/live`;
  for (const name of ['pushed.flv', 'pushed.FLV', 'pushed.flv/']) {
    const pushed = await fetch(`${base}/${name}`, { method: 'POST', body: 'FLV' });
    expect([name, pushed.status]).toEqual([name, 403]);
  }
  expect((await fetch(`http://127.0.0.1:${application.http}/li.ve/slow.flv`)).status).toBe(403);
  const played = await ffmpeg('-i', `${base}/slow.flv`, '-t', '1', '-f', 'null', '-');
  expect(played).toEqual({ code: 0, stderr: '' });
});

test('stopping node-media-server stops the gate', async () => {
  application.ask({ do: 'stop' });
  const { handles } = await application.line('stopped');
  expect(handles).not.toContain('TCPSocketWrap');
  expect(
    await until(
      () => application.process.exitCode !== null && { code: application.process.exitCode },
      'its end',
    ),
  ).toEqual({ code: 0 });
});
