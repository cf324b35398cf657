import { rmSync, writeSync } from 'node:fs';
import { afterAll, afterEach, expect, test } from 'vitest';
import { clip, Publisher } from '../support/ffmpeg.ts';
import { type PeerOptions, Peers } from '../support/peers.ts';
import type { RtmpClient } from '../support/rtmp-client.ts';
import { pause, TestServer, until } from '../support/server.ts';
import { listenTlsLines } from '../support/tls-pair.ts';

/** RTMP over TLS: the same limits, and a listener that strangers cannot harm. */

const { listen, folder } = listenTlsLines();
let server: TestServer;
let peers: Peers;
const encoders: Publisher[] = [];

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(config = ''): Promise<void> {
  server = await TestServer.start({ config, listen });
  peers = new Peers(server);
}

afterEach(async () => {
  for (const encoder of encoders.splice(0)) await encoder.stop();
  peers.leave();
  await server.stop();
});

function encoder(name: string, options = {}): Publisher {
  const made = new Publisher(
    clip({ kbps: 1000 }),
    `rtmps://127.0.0.1:${server.ports.rtmps}/live/${name}`,
    options,
  );
  encoders.push(made);
  return made;
}

const secure = (): PeerOptions => ({ port: server.ports.rtmps, tls: true });

/** A TCP connection to the TLS port that has not said anything. */
const bare = (): Promise<RtmpClient> => peers.knock({ port: server.ports.rtmps });

test('ffmpeg publishes over TLS, is metered and played like any other, and leaves nothing behind', async () => {
  await start();
  const publisher = encoder('cam');
  const stream = await server.stream('/live/cam', ({ uptime_ms }) => uptime_ms > 3_000);
  expect(stream).toMatchObject({ protocol: 'rtmps', client: '127.0.0.1', state: 'live' });
  expect(stream.usage.bitrate_bps).toBeGreaterThan(900_000);
  expect(stream.media).toMatchObject({ video_codec: 'h264', audio_codec: 'aac', width: 640 });
  const played = await fetch(`http://127.0.0.1:${server.ports.playback}/live/cam.flv`);
  const first = await played.body?.getReader().read();
  expect(Buffer.from(first?.value ?? []).toString('latin1', 0, 3)).toBe('FLV');
  const player = await peers.open(secure());
  expect((await player.play('live', 'cam')).code).toBe('NetStream.Play.Start');
  await player.message(({ type }) => type === 9);
  expect(await server.metric('headgate_connections', '{protocol="rtmps"}')).toBe(2);
  expect(await server.metric('headgate_ingest_frames_total', '{protocol="rtmps"}')).toBeGreaterThan(60);
  await publisher.stop('SIGINT');
  await player.closes();
  await until(async () => (await server.totals()).connections === 0, 'all to be gone');
});

test('a throttled publisher is held at its limit over TLS too', async () => {
  await start(
    'limits: { stream: { max_bitrate: 2Mbps, max_fps: unlimited, max_packets_per_sec: unlimited, grace: never } }',
  );
  encoder('greedy', { paced: false });
  const from = await server.stream('/live/greedy', ({ uptime_ms }) => uptime_ms > 2_500);
  await pause(3_000);
  const to = await server.stream('/live/greedy');
  const admitted = ((to.usage.bytes - from.usage.bytes) * 8_000) / (to.uptime_ms - from.uptime_ms);
  expect(admitted / 2_000_000).toBeGreaterThan(0.97);
  expect(admitted / 2_000_000).toBeLessThan(1.03);
  expect(to).toMatchObject({ protocol: 'rtmps', state: 'throttled' });
});

test('refusals before and after the TLS handshake are those of RTMP', async () => {
  await start('limits: { ip: { max_connections: 2 }, client: { max_streams: 1 } }');
  peers.talk(await peers.publisher('cam', secure()));
  const told = await peers.refused('second', secure());
  expect(told.description).toMatch(/^headgate: client_streams limit=1 observed=1 retry_after=1s receipt=r-/);
  expect(await server.receipt('client_streams')).toMatchObject({ protocol: 'rtmps', path: '/live/second' });
  await until(async () => (await server.totals()).connections === 1, 'the refused one to go');
  // A connection counts from its first packet on, not from the end of the TLS handshake.
  await bare();
  const late = await bare();
  await late.closes();
  expect(late.bytesIn).toBe(0);
  expect(await server.receipt('ip_connections')).toMatchObject({ protocol: 'rtmps', limit: 2, observed: 2 });
});

test('plain RTMP and garbage on the TLS port harm nobody, and are written down', async () => {
  await start();
  peers.talk(await peers.publisher('cam', secure()));
  const openingLines: readonly Buffer[] = [
    Buffer.concat([Buffer.of(3), Buffer.alloc(1536)]),
    Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    Buffer.alloc(4096, 0xff),
    Buffer.of(0x16, 3, 1, 0xff, 0xff, ...Buffer.alloc(64)),
    // a hello of TLS 1.2 that offers no cipher there is
    Buffer.from(`16030100290100002503${'03'.padEnd(66, '0')}000002fefe0100`, 'hex'),
  ];
  for (const [i, line] of openingLines.entries()) {
    const client = await bare();
    client.write(line);
    await client.closes();
    const receipt = await server.receipt('protocol_error');
    expect(receipt, `line ${i}`).toMatchObject({ protocol: 'rtmps', ip: '127.0.0.1', action: 'refuse' });
    expect(receipt.detail).toContain('TLS');
  }
  expect(await server.metric('headgate_denied_total', '{reason="protocol_error"}')).toBe(openingLines.length);
  // Half a hello and then nothing, or a reset: an ordinary end.
  const half = await bare();
  half.write(Buffer.of(0x16, 3, 1, 0));
  half.vanish();
  (await bare()).vanish();
  // Through the handshake, and then a broken record: closed, for it could never be heard again.
  const broken = await peers.open(secure());
  const under = (broken.socket as unknown as { _handle: { _parent: { fd: number } } })._handle._parent.fd;
  writeSync(under, Buffer.concat([Buffer.of(0x17, 3, 3, 0, 40), Buffer.alloc(40, 7)]));
  await broken.closes();
  const { usage } = await server.stream('/live/cam');
  await server.stream('/live/cam', (now) => now.usage.packets > usage.packets);
  await until(async () => (await server.totals()).connections === 1, 'the strangers to be gone');
  expect(server.alive).toBe(true);
});

test('who does not finish the TLS handshake in time is closed, by the timeout of the file as it is now', async () => {
  await start('timeouts: { handshake: 400ms }');
  const silent = await bare();
  const opened = performance.now();
  expect(await server.totals()).toMatchObject({ connections: 1 });
  await silent.closes();
  expect(performance.now() - opened).toBeLessThan(3_000);
  expect(await server.receipt('handshake_timeout')).toMatchObject({
    protocol: 'rtmps',
    ip: '127.0.0.1',
    path: null,
  });
  expect(await server.metric('headgate_denied_total', '{reason="handshake_timeout"}')).toBe(1);
  // Through TLS, and then silent: the RTMP handshake has its own time.
  const secured = await peers.knock(secure());
  await secured.closes();
  await until(
    async () => (await server.metric('headgate_denied_total', '{reason="handshake_timeout"}')) === 2,
    'the second',
  );
  await until(async () => (await server.totals()).connections === 0, 'both to be gone');
  server.configure('timeouts: { handshake: 1h }');
  await until(() => server.log.some(({ msg }) => msg.startsWith('config reloaded')), 'the reload');
  const patient = await bare();
  await pause(1_000);
  expect(patient.closed).toBe(false);
});
