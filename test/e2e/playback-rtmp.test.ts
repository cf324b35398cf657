import { spawn } from 'node:child_process';
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Playback } from '../../src/ingest/playback/playback.ts';
import { Handshake } from '../../src/ingest/rtmp/handshake.ts';
import * as replies from '../../src/ingest/rtmp/replies.ts';
import { makeClip, parseFlv } from '../support/flv.ts';
import { HandPublisher } from '../support/hand-publisher.ts';
import { RtmpClient } from '../support/rtmp-client.ts';
import { ChunkReader, decodeAmf, type ReceivedMessage } from '../support/rtmp-wire.ts';
import { until } from '../support/server.ts';

/**
 * The smallest server that lets an RTMP player in: our handshake, replies and
 * playback, with the tests' own parser for what the player says.
 */
function serve(playback: Playback, socket: net.Socket): void {
  const handshake = new Handshake();
  const reader = new ChunkReader();
  let shaken = false;
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    let rest = bytes;
    if (!shaken) {
      const step = handshake.push(bytes);
      if (step.output !== null) socket.write(step.output);
      shaken = step.done;
      rest = bytes.subarray(step.consumed);
    }
    for (const message of reader.push(rest)) if (message.type === 20) answer(playback, socket, message);
  });
}

function answer(playback: Playback, socket: net.Socket, message: ReceivedMessage): void {
  const [name, id, , argument] = decodeAmf(message.payload) as [string, number, unknown, string];
  const say = (...parts: Buffer[]): boolean => socket.write(Buffer.concat(parts));
  if (name === 'connect') {
    say(
      replies.windowAckSize(),
      replies.setPeerBandwidth(),
      replies.setChunkSize(),
      replies.connectResult(id, 0),
    );
  } else if (name === 'createStream') say(replies.createStreamResult(id, 1));
  else if (name === 'play') {
    const start = replies.onStatus(
      message.streamId,
      'status',
      'NetStream.Play.Start',
      'Started playing stream.',
    );
    say(replies.streamBegin(message.streamId), start, replies.sampleAccess(message.streamId));
    const player = playback.playRtmp(`/live/${argument}`, socket, message.streamId, () => socket.end());
    socket.on('close', () => player?.end());
  }
}

const servers: net.Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function stage(): Promise<{ port: number; publisher: HandPublisher; playback: Playback }> {
  const playback = new Playback({ maxPlayers: 10, maxQueueBytes: 1_000_000 }, { info: () => {} });
  const server = net.createServer((socket) => serve(playback, socket));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  return { port, playback, publisher: new HandPublisher(playback, '/live/cam1') };
}

describe('RTMP playback', () => {
  it('ffmpeg, joining mid-stream, decodes to the end without a complaint', async () => {
    const { port, publisher } = await stage();
    const tags = parseFlv(makeClip({ durationS: 4 })).tags;
    const half = tags.findIndex((tag) => tag.timestamp > 1_500);
    publisher.send(tags.slice(0, half));
    const url = `rtmp://127.0.0.1:${port}/live/cam1`;
    const ffmpeg = spawn('ffmpeg', [
      '-v',
      'warning',
      '-nostdin',
      '-stats',
      '-xerror',
      '-i',
      url,
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
    expect(Number(/frame=\s*(\d+)(?!.*frame=)/s.exec(told)?.[1])).toBe(75);
  });

  it('an independent client receives each message as it was published, and learns of the end', async () => {
    const { port, publisher } = await stage();
    const tags = parseFlv(makeClip({ durationS: 1, size: '1280x720', gop: 5 })).tags;
    const client = await RtmpClient.open({ port, handshake: 'digest1' });
    expect(client.handshakeVerified).toBe(true);
    expect(await client.play('live', 'cam1')).toMatchObject({
      level: 'status',
      code: 'NetStream.Play.Start',
    });
    publisher.send(tags);
    publisher.broadcast.end();
    await client.closes();
    expect(client.statuses.at(-1)?.code).toBe('NetStream.Play.UnpublishNotify');
    const media = client.media.slice(1);
    expect(media.every((message) => 'streamId' in message && message.streamId === 1)).toBe(true);
    expect(media.map(({ type, timestamp }) => [type, timestamp])).toEqual(
      tags.map(({ type, timestamp }) => [type, timestamp]),
    );
    expect(media.every(({ payload }, i) => payload.equals(tags[i]?.payload as Buffer))).toBe(true);
  });

  it('a player that vanishes leaves its seat', async () => {
    const { port, playback, publisher } = await stage();
    const client = await RtmpClient.open({ port });
    await client.play('live', 'cam1');
    await until(() => playback.stats().players === 1, 'it plays');
    client.vanish();
    await until(() => playback.stats().players === 0, 'nobody plays');
    expect(publisher.counts).toEqual([1, 0]);
  });
});
