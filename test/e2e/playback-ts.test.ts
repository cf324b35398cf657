import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { type Broadcast, Playback, type PlaybackLimits } from '../../src/ingest/playback/playback.ts';
import { PlaybackServer } from '../../src/ingest/playback/playback-server.ts';
import { HandPublisher } from '../support/hand-publisher.ts';
import { until } from '../support/server.ts';
import { tsClip } from '../support/srt-publishers.ts';

/** MPEG-TS over HTTP: a real port, a publisher made by hand. */

const PACKET_BYTES = 188;
/** As many packets as an SRT datagram carries. */
const DATAGRAM_BYTES = 7 * PACKET_BYTES;
/** where ffmpeg puts the first video */
const VIDEO_PID = 256;

/** Four seconds at 25 frames/s, a keyframe each second. */
const CLIP = readFileSync(tsClip({ kbps: 400, fps: 25, seconds: 4, gopSeconds: 1, size: '320x180' }));

interface Piece {
  readonly packets: Buffer;
  readonly randomAccess: boolean;
}

/** The clip as a listener hands it over: datagrams, cut where a unit begins that a decoder can start at. */
function piecesOf(clip: Buffer): Piece[] {
  const pieces: Piece[] = [];
  let start = 0;
  for (let at = PACKET_BYTES; at <= clip.length; at += PACKET_BYTES) {
    const ends = at === clip.length || isRandomAccess(clip, at) || at - start === DATAGRAM_BYTES;
    if (!ends) continue;
    pieces.push({ packets: clip.subarray(start, at), randomAccess: isRandomAccess(clip, start) });
    start = at;
  }
  return pieces;
}

/** A packet of the video that begins a unit, with the random access indicator in its adaptation field. */
function isRandomAccess(clip: Buffer, at: number): boolean {
  const pid = clip.readUInt16BE(at + 1) & 0x1fff;
  const begins = ((clip[at + 1] as number) & 0x40) !== 0;
  const adapted = ((clip[at + 3] as number) & 0x20) !== 0 && (clip[at + 4] as number) > 0;
  return pid === VIDEO_PID && begins && adapted && ((clip[at + 5] as number) & 0x40) !== 0;
}

/** The first PAT and PMT of the clip. */
function tablesOf(clip: Buffer): Buffer {
  const found = new Map<number, Buffer>();
  for (let at = 0; at < clip.length; at += PACKET_BYTES) {
    const pid = clip.readUInt16BE(at + 1) & 0x1fff;
    if ((pid === 0 || pid === 4096) && !found.has(pid)) found.set(pid, clip.subarray(at, at + PACKET_BYTES));
  }
  return Buffer.concat([found.get(0) as Buffer, found.get(4096) as Buffer]);
}

const PIECES = piecesOf(CLIP);
const running: PlaybackServer[] = [];

afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

interface Stage {
  readonly playback: Playback;
  readonly broadcast: Broadcast;
  readonly counts: number[];
  send(pieces: readonly Piece[]): void;
  url(path: string): string;
}

async function stage(limits: Partial<PlaybackLimits> = {}, convertible = true): Promise<Stage> {
  const playback = new Playback({ maxPlayers: 10, maxQueueBytes: 2 ** 22, ...limits }, { info: () => {} });
  const server = new PlaybackServer(playback);
  running.push(server);
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const counts: number[] = [];
  const broadcast = playback.open('/live/cam1', {
    replay: () => {},
    onPlayers: (count) => counts.push(count),
    transportStream: {
      tables: () => tablesOf(CLIP),
      convertible: () => convertible,
      messagePlayers: () => {},
    },
  });
  return {
    playback,
    broadcast,
    counts,
    send: (pieces) => {
      for (const { packets, randomAccess } of pieces) broadcast.packets?.deliver(packets, randomAccess);
    },
    url: (path) => `http://127.0.0.1:${port}${path}`,
  };
}

/** What ffmpeg has to say about a file when it decodes all of it, and the frames it found. */
function decode(file: Buffer): { complaints: string; frames: number } {
  const args = ['-v', 'warning', '-stats', '-nostdin', '-xerror', '-i', 'pipe:0', '-f', 'null', '-'];
  const { stderr } = spawnSync('ffmpeg', args, { input: file, encoding: 'utf8' });
  const lines = stderr.split(/[\r\n]+/).filter((line) => line !== '');
  const isProgress = (line: string): boolean => /^(frame|size)=/.test(line);
  const last = lines.filter(isProgress).at(-1) ?? '';
  return {
    complaints: lines.filter((line) => !isProgress(line)).join('\n'),
    frames: Number(/frame=\s*(\d+)/.exec(last)?.[1]),
  };
}

test('a player that joins mid-stream decodes from its first packet to the end without a complaint', async () => {
  const { broadcast, send, url, counts } = await stage();
  const joins = PIECES.findIndex(({ randomAccess }, i) => randomAccess && i > PIECES.length / 3) - 5;
  send(PIECES.slice(0, joins));
  const response = await fetch(url('/live/cam1.ts?token=x'));
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('video/mp2t');
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  send(PIECES.slice(joins));
  broadcast.end();
  const file = Buffer.from(await response.arrayBuffer());
  expect(file.length % PACKET_BYTES).toBe(0);
  const starts = PIECES.slice(0, joins).filter(({ randomAccess }) => randomAccess).length;
  expect(decode(file)).toEqual({ complaints: '', frames: 100 - starts * 25 });
  expect(counts).toEqual([1]);
});

test('HEAD and OPTIONS answer without playing', async () => {
  const { url, counts } = await stage();
  const head = await fetch(url('/live/cam1.ts'), { method: 'HEAD' });
  expect([head.status, head.headers.get('content-type')]).toEqual([200, 'video/mp2t']);
  expect((await fetch(url('/live/none.ts'), { method: 'HEAD' })).status).toBe(404);
  expect((await fetch(url('/live/cam1.ts'), { method: 'OPTIONS' })).status).toBe(204);
  expect((await fetch(url('/live/cam1.ts'), { method: 'POST', body: 'x' })).status).toBe(405);
  expect(counts).toEqual([]);
});

test('who asks for what a stream cannot be played as is told what to ask for', async () => {
  const { playback, url } = await stage({}, false);
  new HandPublisher(playback, '/live/obs');
  const asked = async (path: string): Promise<[number, string]> => {
    const response = await fetch(url(path));
    return [response.status, await response.text()];
  };
  expect(await asked('/live/none.ts')).toEqual([404, 'headgate: nobody publishes /live/none now\n']);
  expect(await asked('/live/obs.ts')).toEqual([
    404,
    'headgate: /live/obs comes over RTMP and is not played as MPEG-TS; use /live/obs.flv\n',
  ]);
  expect(await asked('/live/cam1.flv')).toEqual([
    404,
    'headgate: the codecs of /live/cam1 cannot be played as FLV or over RTMP; use /live/cam1.ts\n',
  ]);
});

test('a player that reads nothing is dropped within the bound; one that reads notices nothing', async () => {
  const { playback, broadcast, send, url } = await stage({ maxQueueBytes: 400_000 });
  const stuck = await new Promise<http.IncomingMessage>((resolve) => {
    http.get(url('/live/cam1.ts'), resolve);
  });
  const cutOff = new Promise((resolve) => stuck.on('error', resolve).on('close', resolve));
  const quick = fetch(url('/live/cam1.ts')).then((response) => response.arrayBuffer());
  await until(() => broadcast.players === 2, 'both to play');
  let rounds = 0;
  for (; playback.stats().droppedSlow === 0; rounds += 1) {
    for (let at = 0; at < PIECES.length; at += 20) {
      send(PIECES.slice(at, at + 20));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  stuck.resume();
  await cutOff;
  expect(playback.stats().byProtocol['http-ts']).toBe(1);
  broadcast.end();
  const whole = PIECES.slice(PIECES.findIndex(({ randomAccess }) => randomAccess));
  const bytes = (rounds - 1) * CLIP.length + Buffer.concat(whole.map(({ packets }) => packets)).length;
  expect((await quick).byteLength).toBe(bytes + tablesOf(CLIP).length);
});
