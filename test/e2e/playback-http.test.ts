import { spawn } from 'node:child_process';
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Playback, type PlaybackLimits } from '../../src/ingest/playback/playback.ts';
import { PlaybackServer } from '../../src/ingest/playback/playback-server.ts';
import { decodeFlv, type FlvTag, makeClip, parseFlv } from '../support/flv.ts';
import { HandPublisher } from '../support/hand-publisher.ts';
import { until } from '../support/server.ts';

const CLIP = parseFlv(makeClip()).tags;
const running: PlaybackServer[] = [];

afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

interface Stage {
  readonly port: number;
  readonly playback: Playback;
  readonly server: PlaybackServer;
  readonly publisher: HandPublisher;
  url(path: string): string;
}

async function stage(
  limits: Partial<PlaybackLimits> = {},
  timeouts?: ConstructorParameters<typeof PlaybackServer>[1],
): Promise<Stage> {
  const playback = new Playback({ maxPlayers: 10, maxQueueBytes: 1_000_000, ...limits }, { info: () => {} });
  const server = new PlaybackServer(playback, timeouts);
  running.push(server);
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const publisher = new HandPublisher(playback, '/live/cam1');
  return { port, playback, server, publisher, url: (path) => `http://127.0.0.1:${port}${path}` };
}

/** A bare socket: sends text, collects what comes until the close. */
class Raw {
  readonly socket: net.Socket;
  received: Buffer = Buffer.alloc(0);
  closed = false;

  constructor(port: number, text = '', allowHalfOpen = false) {
    this.socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen });
    this.socket.on('error', () => {});
    this.socket.on('data', (bytes) => {
      this.received = Buffer.concat([this.received, bytes]);
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
    if (text !== '') this.socket.write(text);
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  async closes(deadlineMs?: number): Promise<string> {
    await until(() => this.closed, 'the server closes the socket', deadlineMs);
    return this.text;
  }
}

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
const upgradeTo = (path: string, more = ''): string =>
  get(
    path,
    `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n${more}`,
  );

describe('HTTP-FLV', () => {
  it('ffmpeg, joining mid-stream, decodes to the end without a complaint', async () => {
    const { publisher, url } = await stage();
    const tags = parseFlv(makeClip({ durationS: 4 })).tags;
    const half = tags.findIndex((tag) => tag.timestamp > 1_500);
    publisher.send(tags.slice(0, half));
    const ffmpeg = spawn('ffmpeg', [
      '-v',
      'warning',
      '-nostdin',
      '-stats',
      '-xerror',
      '-i',
      url('/live/cam1.flv'),
      '-f',
      'null',
      '-',
    ]);
    let told = '';
    ffmpeg.stderr.on('data', (bytes) => {
      told += String(bytes);
    });
    const exited = new Promise<number | null>((resolve) => ffmpeg.on('close', resolve));
    await until(() => publisher.broadcast.players === 1, 'ffmpeg plays');
    await publisher.play(tags.slice(half), 2);
    publisher.broadcast.end();
    expect([await exited, told]).toEqual([0, expect.any(String)]);
    const lines = told.split(/[\r\n]+/).filter((line) => line !== '');
    expect(lines.filter((line) => !/^frame=|^size=/.test(line))).toEqual([]);
    // keyframes come each second, so the GOP that was replayed began at 1 s
    expect(Number(/frame=\s*(\d+)(?!.*frame=)/s.exec(told)?.[1])).toBe(75);
  });

  it('an audio-only stream plays at once', async () => {
    const { publisher, url } = await stage();
    const tags = parseFlv(makeClip({ video: false, durationS: 1 })).tags;
    publisher.send(tags.slice(0, 20));
    const response = await fetch(url('/live/cam1.flv'));
    publisher.send(tags.slice(20));
    publisher.broadcast.end();
    const file = Buffer.from(await response.arrayBuffer());
    expect(parseFlv(file)).toMatchObject({ hasAudio: true, hasVideo: false, complete: true, error: null });
    expect(decodeFlv(file).errors).toBe('');
  });

  it('sends the file with CORS, and an end that a player can tell from a broken connection', async () => {
    const { publisher, url } = await stage();
    publisher.send(CLIP);
    const response = await fetch(url('/live/cam1.flv?token=x.y%20z'));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('video/x-flv');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('transfer-encoding')).toBe('chunked');
    publisher.broadcast.end();
    const file = parseFlv(Buffer.from(await response.arrayBuffer()));
    expect(file).toMatchObject({ hasAudio: true, hasVideo: true, complete: true, error: null });
  });

  it('answers before the first message of a stream', async () => {
    const { publisher, url } = await stage();
    const response = await fetch(url('/live/cam1.flv'));
    expect(response.status).toBe(200);
    publisher.send(CLIP);
    publisher.broadcast.end();
    expect(parseFlv(Buffer.from(await response.arrayBuffer())).tags).toHaveLength(CLIP.length);
  });

  it('HEAD and OPTIONS answer without playing', async () => {
    const { publisher, url } = await stage();
    const head = await fetch(url('/live/cam1.flv'), { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'video/x-flv']);
    const missing = await fetch(url('/live/none.flv'), { method: 'HEAD' });
    expect(missing.status).toBe(404);
    const options = await fetch(url('/live/cam1.flv'), { method: 'OPTIONS' });
    expect(options.status).toBe(204);
    expect(options.headers.get('access-control-allow-methods')).toBe('GET, HEAD, OPTIONS');
    expect(publisher.counts).toEqual([]);
  });

  it('says so when nobody publishes there', async () => {
    const { url } = await stage();
    const response = await fetch(url('/live/none.flv'));
    expect(response.status).toBe(404);
    expect(await response.text()).toBe('headgate: nobody publishes /live/none now\n');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
  });

  it.each([
    ['/'],
    ['/live/cam1'],
    ['/live/cam1.flv/'],
    ['/live/a.b.flv'],
    ['/live/a b.flv'],
    ['/live/cam%31.flv'],
    ['//live/cam1.flv'],
    ['/live/../live/cam1.flv'],
    ['/live/cam1.FLV'],
    ['/x/live/cam1.flv'],
    ['http://x/live/cam1.flv'],
    ['*'],
    ['/%00/%ff.flv'],
  ])('plays nothing at %s, and lives', async (path) => {
    const { port, url } = await stage();
    const answer = await new Raw(port, get(path)).closes();
    expect(answer).toMatch(/^HTTP\/1\.1 (404|400) /);
    expect((await fetch(url('/live/cam1.flv'), { method: 'HEAD' })).status).toBe(200);
  });

  it('refuses players past the limit with 503', async () => {
    const { publisher, url, playback } = await stage({ maxPlayers: 1 });
    publisher.send(CLIP);
    const first = await fetch(url('/live/cam1.flv'));
    const second = await fetch(url('/live/cam1.flv'));
    expect([first.status, second.status]).toEqual([200, 503]);
    expect(second.headers.get('retry-after')).toBe('10');
    await first.body?.cancel();
    await until(() => playback.stats().players === 0, 'the seat is free again');
    expect(publisher.counts).toEqual([1, 0]);
  });
});

describe('publishing over HTTP', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    '%s is refused with 405 and what to do instead',
    async (method) => {
      const { url, playback } = await stage();
      const response = await fetch(url('/live/new.flv'), { method, body: makeClip() });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
      expect(await response.text()).toBe(
        'headgate: publishing over HTTP is not accepted; use rtmp:// or srt://\n',
      );
      expect(playback.get('/live/new')).toBeNull();
    },
  );

  it('is refused at once when the client asks first, and an endless body is cut off', async () => {
    const { port } = await stage();
    const polite = new Raw(
      port,
      'POST /live/cam1.flv HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n',
    );
    await until(() => polite.text.includes('use rtmp://'), 'the refusal');
    expect(polite.text).toMatch(/^HTTP\/1\.1 405 /);
    polite.socket.destroy();
    const endless = new Raw(
      port,
      'POST /live/cam1.flv HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`;
    let sent = 0;
    const pump = setInterval(() => {
      if (endless.socket.writable) {
        endless.socket.write(chunk);
        sent += chunk.length;
      }
    }, 1);
    await endless.closes();
    clearInterval(pump);
    expect(endless.text).toMatch(/^HTTP\/1\.1 405 /);
    expect(sent).toBeLessThan(8_000_000);
  });
});

describe('WebSocket-FLV', () => {
  /** Collects binary messages until the close. */
  function watch(
    url: string,
    protocols: string[] = [],
  ): { socket: WebSocket; bytes(): Buffer; closed: Promise<CloseEvent> } {
    const socket = new WebSocket(url, protocols);
    socket.binaryType = 'arraybuffer';
    const parts: Buffer[] = [];
    socket.addEventListener('message', ({ data }) => parts.push(Buffer.from(data as ArrayBuffer)));
    const closed = new Promise<CloseEvent>((resolve) => {
      socket.addEventListener('close', (event) => resolve(event));
    });
    return { socket, bytes: () => Buffer.concat(parts), closed };
  }

  it.each(['/live/cam1.flv', '/live/cam1'])(
    'plays %s as the same file, and closes with 1000 at the end',
    async (path) => {
      const { publisher, port, url } = await stage();
      publisher.send(CLIP.slice(0, 100));
      const client = watch(`ws://127.0.0.1:${port}${path}`);
      const response = await fetch(url('/live/cam1.flv'));
      await until(() => publisher.broadcast.players === 2, 'both play');
      publisher.send(CLIP.slice(100));
      publisher.broadcast.end();
      expect((await client.closed).code).toBe(1000);
      const viaHttp = Buffer.from(await response.arrayBuffer());
      expect(client.bytes().equals(viaHttp)).toBe(true);
      expect(decodeFlv(viaHttp).errors).toBe('');
    },
  );

  it('a client that sends anything is told that publishing is not accepted', async () => {
    const { publisher, port, playback } = await stage();
    publisher.send(CLIP);
    const client = watch(`ws://127.0.0.1:${port}/live/cam1.flv`);
    await until(() => client.socket.readyState === WebSocket.OPEN, 'it plays');
    client.socket.send('hello');
    const { code, reason } = await client.closed;
    expect([code, reason]).toEqual([
      1008,
      'headgate: publishing over HTTP is not accepted; use rtmp:// or srt://',
    ]);
    await until(() => playback.stats().players === 0, 'it left');
  });

  it('a client that sends much is cut off', async () => {
    const { publisher, port, playback } = await stage();
    publisher.send(CLIP);
    const client = watch(`ws://127.0.0.1:${port}/live/cam1.flv`);
    await until(() => client.socket.readyState === WebSocket.OPEN, 'it plays');
    client.socket.send(makeClip());
    expect((await client.closed).code).not.toBe(1000);
    await until(() => playback.stats().players === 0, 'it left');
  });

  it.each<[string, string, RegExp]>([
    ['the root', upgradeTo('/'), /^HTTP\/1\.1 404 /],
    ['a path with a dot', upgradeTo('/live/a.b'), /^HTTP\/1\.1 404 /],
    [
      'what nobody publishes',
      upgradeTo('/live/none'),
      /^HTTP\/1\.1 404 [\s\S]*nobody publishes \/live\/none now/,
    ],
    [
      'publishing as "post"',
      upgradeTo('/live/new', 'Sec-WebSocket-Protocol: post\r\n'),
      /^HTTP\/1\.1 405 [\s\S]*use rtmp:/,
    ],
    [
      'publishing as "Publisher"',
      upgradeTo('/live/new', 'Sec-WebSocket-Protocol: flv, Publisher\r\n'),
      /^HTTP\/1\.1 405 /,
    ],
    ['another upgrade', get('/live/cam1', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'), /^HTTP\/1\.1 400 /],
    [
      'an upgrade without a key',
      get('/live/cam1', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'),
      /^HTTP\/1\.1 400 /,
    ],
    ['an upgrade by POST', upgradeTo('/live/cam1').replace('GET', 'POST'), /^HTTP\/1\.1 405 /],
  ])('refuses %s over plain HTTP', async (_what, request, expected) => {
    const { port, playback } = await stage();
    expect(await new Raw(port, request).closes()).toMatch(expected);
    expect(playback.stats().joined).toBe(0);
  });

  it('refuses players past the limit with 503', async () => {
    const { port } = await stage({ maxPlayers: 0 });
    expect(await new Raw(port, upgradeTo('/live/cam1')).closes()).toMatch(/^HTTP\/1\.1 503 /);
  });

  it('answers pings, but does not pile up answers that are not read', async () => {
    const { port, publisher } = await stage();
    const client = new Raw(port, upgradeTo('/live/cam1'));
    await until(() => publisher.broadcast.players === 1, 'it plays');
    client.socket.write(Buffer.from([0x89, 0x81, 0, 0, 0, 0, 0x41]));
    await until(() => client.text.endsWith('\x8a\x01A'), 'the pong');
    client.socket.destroy();
  });
});

describe('a stranger at the playback port', () => {
  it('who sends garbage gets 400, and everybody else is served', async () => {
    const { port, url } = await stage();
    expect(await new Raw(port, '\x16\x03\x01 garbage\r\n\r\n').closes()).toMatch(/^HTTP\/1\.1 400 /);
    expect(await new Raw(port, `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`).closes()).toMatch(
      /^HTTP\/1\.1 400 /,
    );
    expect(await new Raw(port, 'GET /live/cam1.flv HTTP/1.1\r\n\r\n').closes()).toMatch(/^HTTP\/1\.1 400 /);
    expect((await fetch(url('/live/cam1.flv'), { method: 'HEAD' })).status).toBe(200);
  });

  it('who sends nothing, or headers without an end, is closed in time', async () => {
    const { port } = await stage({}, { headersMs: 150, requestMs: 300, checkMs: 50 });
    const silent = new Raw(port);
    const dribbling = new Raw(port, 'GET /live/cam1.flv HTTP/1.1\r\nHost: x\r\n');
    const drip = setInterval(() => dribbling.socket.writable && dribbling.socket.write('A: b\r\n'), 20);
    const stuck = new Raw(port, 'POST /live/cam1.flv HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1');
    await silent.closes();
    await dribbling.closes();
    await stuck.closes();
    clearInterval(drip);
  });

  it('who plays and asks for more on the same connection is cut off', async () => {
    const { port, publisher, playback } = await stage();
    const pipelining = new Raw(port, get('/live/cam1.flv'));
    await until(() => publisher.broadcast.players === 1, 'it plays');
    pipelining.socket.write(get('/live/cam1.flv'));
    await pipelining.closes();
    const babbling = new Raw(port, get('/live/cam1.flv'));
    await until(() => publisher.broadcast.players === 1, 'it plays');
    babbling.socket.write('not a request at all\r\n\r\n');
    await babbling.closes();
    await until(() => playback.stats().players === 0, 'nobody plays');
  });

  it('who half-closes while playing is no trouble', async () => {
    const { port, publisher, playback } = await stage();
    const half = new Raw(port, get('/live/cam1.flv'), true);
    await until(() => publisher.broadcast.players === 1, 'it plays');
    half.socket.end();
    publisher.send(CLIP);
    await until(() => playback.stats().players === 0, 'it left');
    half.socket.destroy();
  });

  it('who reads nothing is dropped, holds no more than his queue, and disturbs nobody', async () => {
    const { port, publisher, playback, url } = await stage({ maxQueueBytes: 500_000 });
    publisher.send(CLIP.slice(0, 3));
    const slow = [new Raw(port, get('/live/cam1.flv')), new Raw(port, upgradeTo('/live/cam1'))];
    for (const { socket } of slow) socket.pause();
    const response = await fetch(url('/live/cam1.flv'));
    const body = response.arrayBuffer();
    await until(() => publisher.broadcast.players === 3, 'all play');
    const frame: FlvTag = {
      type: 8,
      timestamp: 0,
      payload: Buffer.concat([Buffer.from([0xaf, 1]), Buffer.alloc(9_998)]),
    };
    let sent = 0;
    while (playback.stats().droppedSlow < 2 && sent < 5_000) {
      publisher.send([{ ...frame, timestamp: sent }]);
      sent += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(playback.stats()).toMatchObject({ players: 1, droppedSlow: 2 });
    publisher.broadcast.end();
    const file = parseFlv(Buffer.from(await body));
    expect(file.complete).toBe(true);
    expect(file.tags).toHaveLength(sent + 3);
    for (const { socket } of slow) socket.resume();
    await Promise.all(slow.map((raw) => raw.closes()));
  });

  it('who vanishes leaves nothing behind', async () => {
    const { port, publisher, playback } = await stage({ maxPlayers: 100 });
    publisher.send(CLIP);
    const players = Array.from(
      { length: 40 },
      (_, i) => new Raw(port, i % 2 === 0 ? get('/live/cam1.flv') : upgradeTo('/live/cam1')),
    );
    await until(() => playback.stats().players === 40, 'all play');
    for (const { socket } of players) socket.resetAndDestroy();
    await until(() => playback.stats().players === 0, 'nobody plays');
    expect(publisher.counts.at(-1)).toBe(0);
  });
});

describe('the listener', () => {
  it('says what is wrong with an address', async () => {
    const { port, playback } = await stage();
    await expect(new PlaybackServer(playback).listen({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'HG_LISTEN',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });

  it('closes every connection when it closes', async () => {
    const { port, server, publisher, playback } = await stage();
    const clients = [
      new Raw(port, get('/live/cam1.flv')),
      new Raw(port, upgradeTo('/live/cam1')),
      new Raw(port),
    ];
    await until(() => publisher.broadcast.players === 2, 'two play');
    await server.close();
    await Promise.all(clients.map((client) => client.closes()));
    expect(playback.stats().players).toBe(0);
  });
});
